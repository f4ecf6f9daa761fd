"""`quarantine` and `epoch`, felt by those who have the project open."""

from uuid import UUID

from tests.collab_server.conftest import MakePeer
from tests.collab_server.operate.conftest import Operate
from tests.collab_server.operate.songs import compact, mark
from tests.collab_server.peer import until
from tests.collab_server.world import User, World

EPOCHS = """
select d.epoch, s.epoch from documents d left join document_states s using (project_id) where project_id = $1
"""


async def test_a_new_epoch_closes_open_rooms_and_keeps_the_document(
    operate: Operate, world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """4409 at once, also with a stored state; whoever comes back finds everything and edits on."""
    await mark(world, project, ada, "m_1")
    await compact(world, project)
    a = await make_peer(project, ada).join()
    a.track("t_1")
    await a.saved()
    said = await operate("epoch", project, "--yes")
    assert (said.status, said.text) == (0, f"project {project} has epoch 2\n")
    await until(lambda: a.closed)
    assert a.closed is not None
    assert a.closed[0] == 4409
    b = await make_peer(project, ada).join()
    assert b.json() == a.json()
    b.marker("m_2", 0, "after")
    await b.saved()
    assert await world.stored(project) == b.json()
    assert (await operate("verify", project)).status == 0


async def test_without_a_bus_the_next_commit_tells(
    operate: Operate, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """The command says that nobody was told, and the room is closed when it wants to save."""
    a = await make_peer(project, ada).join()
    said = await operate("epoch", project, "--yes", BUS__URL="unix:///nowhere/valkey.sock")
    assert said.status == 0
    assert "nobody could be told over the bus" in said.err
    a.track("t_1")
    await until(lambda: a.closed)
    assert a.closed is not None
    assert a.closed[0] == 4409


async def test_all_projects_get_an_epoch_at_once(operate: Operate, world: World, ada: User) -> None:
    """After going back to a backup: every document and its state."""
    one, other = await world.project(ada), await world.project(ada)
    await compact(world, one)
    assert (await operate("epoch", "--all")).status == 2
    assert tuple(await world.pool.fetchrow(EPOCHS, one) or ()) == (1, 1)
    assert (await operate("epoch", "--all", "--yes")).status == 0
    assert tuple(await world.pool.fetchrow(EPOCHS, one) or ()) == (2, 2)
    assert tuple(await world.pool.fetchrow(EPOCHS, other) or ()) == (2, None)


async def test_quarantine_and_release(
    operate: Operate, world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """Who has it open is closed at the next edit (4500), nobody opens it; released, it is as it was."""
    a = await make_peer(project, ada).join()
    a.track("t_1")
    await a.saved()
    said = await operate("quarantine", project, "--reason", "looked odd", "--yes")
    assert said.status == 0, said
    a.field("tracks", "t_1", "name", "too late")
    await until(lambda: a.closed)
    assert a.closed is not None
    assert a.closed[0] == 4500
    twice = await operate("quarantine", project, "--yes")
    assert twice == (2, b"", f"backline collab server: project {project} is quarantined already: looked odd\n")
    b = await make_peer(project, ada).connect()
    await until(lambda: b.closed)
    assert b.closed is not None
    assert b.closed[0] == 4500
    assert (await operate("quarantine", project, "--release")).status == 2
    assert (await operate("quarantine", project, "--release", "--yes")).status == 0
    c = await make_peer(project, ada).join()
    assert c.json()["tracks"]["t_1"]["name"] == "Track"
    assert (await operate("quarantine", project, "--release", "--yes")).status == 2
