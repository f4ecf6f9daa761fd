"""The project's options on open control sockets, on two real nodes."""

from uuid import UUID

from launch.app import App
from studio.roles import Role
from studio.transport import Mode
from tests.collab_server.control.conftest import MakeMusician
from tests.collab_server.peer import until
from tests.collab_server.world import User, World

SET_OPTION = "update projects set commenters_transport = $2 where id = $1"


async def test_commenters_command_while_the_project_lets_them(
    world: World, project: UUID, ada: User, make_musician: MakeMusician, second: App
) -> None:
    """Refused, allowed, refused again: on both nodes within a second, and the owner's word is law on either."""
    a = await make_musician(project, ada, second).join()
    band = [
        await make_musician(project, await world.member(project, Role.COMMENTER), app).join() for app in (None, second)
    ]
    vi = await make_musician(project, await world.member(project, Role.VIEWER)).join()
    for b in band:
        refused = await b.ask("play")
        assert (b.may, refused["code"], "owner" in refused["reason"]) == (False, "forbidden", True)
    for _ in range(2):
        await world.pool.execute(SET_OPTION, project, True)
        await until(lambda: all(b.may for b in band), "told that they may", seconds=1)
        for b in band:
            assert (await b.ask("play", pos=960))["t"] == "ack"
            await until(lambda: a.state.mode is Mode.PLAYING)
            assert (await b.ask("stop"))["t"] == "ack"
        await world.pool.execute(SET_OPTION, project, False)
        await until(lambda: not any(b.may for b in band), "told that they may not", seconds=1)
        seq = a.state.seq
        for b in band:
            assert (await b.ask("play"))["code"] == "forbidden"
        assert (a.state.seq, a.state.mode) == (seq, Mode.STOPPED)
    assert [b.roles for b in band] == [["commenter"] * 4] * 2
    assert (a.roles, vi.roles, vi.may) == ([], [], False)


async def test_who_comes_later_finds_the_options_as_they_are(
    world: World, project: UUID, ada: User, make_musician: MakeMusician
) -> None:
    """The first word says whether they may, also after a change while nobody was there."""
    await world.pool.execute(SET_OPTION, project, True)
    bob = await world.member(project, Role.COMMENTER)
    b = await make_musician(project, bob).join()
    assert b.may
    assert (await b.ask("seek", pos=960))["t"] == "ack"
    await b.leave()
    await world.pool.execute(SET_OPTION, project, False)
    again = await make_musician(project, bob).join()
    await until(lambda: not again.may, seconds=1)
    assert (await again.ask("play"))["code"] == "forbidden"
