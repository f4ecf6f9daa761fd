"""The control socket of one real server: clock, commands, roles, limits."""

from uuid import UUID

from studio.transport import Cause, Mode
from tests.collab_server.control.conftest import MakeMusician
from tests.collab_server.peer import until
from tests.collab_server.world import User, World


async def test_everybody_hears_who_plays(world: World, project: UUID, ada: User, make_musician: MakeMusician) -> None:
    """Play, seek and stop reach both with the same numbers, and they compute the same position."""
    bob = await world.member(project)
    a = await (await make_musician(project, ada).join()).tune()
    b = await (await make_musician(project, bob).join()).tune()
    assert (a.state.mode, a.state.pos0, a.state.cause) == (Mode.STOPPED, 0.0, Cause.RESTART)
    assert a.state == b.state
    assert (await a.ask("play", pos=960, if_seq=a.state.seq, epoch=a.state.epoch))["t"] == "ack"
    await until(lambda: b.state.mode is Mode.PLAYING)
    assert a.state == b.state
    assert a.state.by == str(ada.id)
    assert 0 < b.state.t0 - b.now() <= 260
    later = a.state.t0 + 10_000
    assert a.position(later) == b.position(later) == 960 + 10 * 2 * 960
    assert (await b.ask("stop", pos=1920.5))["t"] == "ack"
    await until(lambda: a.state.mode is Mode.STOPPED)
    assert (a.state.pos0, a.state.by) == (1920.5, str(bob.id))
    assert abs(a.now() - b.now()) < 2
