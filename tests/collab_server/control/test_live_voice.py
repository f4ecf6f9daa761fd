"""Who is in voice, told by real servers: at once, on all nodes, to newcomers, and when no word came."""

import time
from uuid import UUID

from launch.app import App
from presence.bus import open_bus
from presence.events import VoiceChanged
from studio.roles import Role
from tests.collab_server.control.conftest import MakeMusician
from tests.collab_server.peer import until
from tests.collab_server.world import User, World

ENTER = """
insert into voice_sessions (provider, session_id, project_id, user_id, joined_at) values ('livekit', $1, $2, $3, now())
"""


async def test_all_nodes_tell_at_once(
    world: World, project: UUID, ada: User, make_musician: MakeMusician, second: App, redis_url: str
) -> None:
    """Within a second, viewers included; who comes later is told with the hello."""
    eve = await world.member(project, Role.VIEWER, "Eve")
    a, b = await make_musician(project, ada).join(), await make_musician(project, eve, second).join()
    await until(lambda: a.voices == b.voices == [[]], "an empty room is told")
    async with open_bus(redis_url) as bus:
        await world.pool.execute(ENTER, "s1", project, ada.id)
        began = time.monotonic()
        bus.publish(VoiceChanged(project, (ada.id,)))
        await until(lambda: a.voices[-1] == b.voices[-1] == [str(ada.id)], seconds=1)
        assert time.monotonic() - began < 1
    late = await make_musician(project, eve, second).join()
    await until(lambda: late.voices, seconds=1)
    assert late.voices == [[str(ada.id)]]


async def test_a_word_that_was_lost_is_found(
    world: World, project: UUID, ada: User, make_musician: MakeMusician
) -> None:
    """The HTTP app died between its commit and its word: the record is read once in a while."""
    a = await make_musician(project, ada).join()
    await until(lambda: a.voices)
    await world.pool.execute(ENTER, "s2", project, ada.id)
    await until(lambda: a.voices[-1] == [str(ada.id)], seconds=20)
