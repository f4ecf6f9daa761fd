"""Tests of restricted editors against the real server."""

from uuid import UUID

from persistence.pool import Pool
from tests.collab_server.conftest import MakePeer
from tests.collab_server.peer import until
from tests.collab_server.restrictions import RESTRICT
from tests.collab_server.songs import song as large_song
from tests.collab_server.world import User, World


async def test_a_restriction_reaches_open_connections_within_a_second(
    world: World, pool: Pool, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """The next forbidden frame closes with 4403 and a reason that says why; a new connection is restricted too."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await make_peer(project, bob).join()
    b.track("t_1")
    await b.saved()
    await pool.execute(RESTRICT, project, bob.id, {"only": "mix"})
    b.show(user={"name": "Bob"})
    await until(
        lambda: any((state or {}).get("user", {}).get("only") == "mix" for _, state in a.people.values()), seconds=1
    )
    b.field("tracks", "t_1", "gain_db", -3)
    await b.saved()
    b.field("tracks", "t_1", "name", "Bass")
    await until(lambda: b.closed)
    assert b.closed == (4403, "restricted: mix only, not tracks")
    again = await make_peer(project, bob).join()
    again.marker("m_1", 0, "x")
    await until(lambda: again.closed)
    await a.saved()
    stored = await world.stored(project)
    assert (stored["tracks"]["t_1"]["name"], stored["tracks"]["t_1"]["gain_db"]) == ("Track", -3)  # type: ignore[index]
    assert stored["markers"] == {}


async def test_in_a_large_project_a_restricted_editor_waits_for_the_first_trial_and_nobody_else(
    world: World, pool: Pool, ada: User, make_peer: MakePeer
) -> None:
    """While the shadow is made, other edits are saved as ever; then what waited is decided, in order."""
    project = await world.project(ada, *large_song(60, 3_000))
    bob = await world.member(project)
    await pool.execute(RESTRICT, project, bob.id, {"only": "markers"})
    a, b = await make_peer(project, ada).join(), await make_peer(project, bob).join()
    for number in range(20):
        b.marker(f"m_{number}", number, "x")
    b.field("markers", "m_3", "label", "y")
    a.put("transport", "bpm", 90)
    await a.saved()
    await b.saved()
    await a.same(b)
    assert a.json()["markers"]["m_3"]["label"] == "y"
    b.put("transport", "bpm", 100)
    await until(lambda: b.closed)
    assert b.closed == (4403, "restricted: markers only, not transport")
    assert (await world.stored(project))["transport"]["bpm"] == 90  # type: ignore[index]
