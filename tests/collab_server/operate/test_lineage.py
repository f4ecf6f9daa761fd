"""`quarantine` and `epoch`, felt by those who have the project open."""

import asyncio
from uuid import UUID

from launch.app import App
from tests.collab_server.conftest import MakePeer
from tests.collab_server.control.musician import Musician
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
    """Who has it open is closed at once (4500), nobody opens it; released, it is as it was."""
    a = await make_peer(project, ada).join()
    a.track("t_1")
    await a.saved()
    said = await operate("quarantine", project, "--reason", "looked odd", "--yes")
    assert said.status == 0, said
    await until(lambda: a.closed, "closed without another edit", 5)
    assert a.closed == (4500, "the project is set aside")
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


async def test_quarantine_reaches_every_node_and_the_transport(
    operate: Operate, world: World, project: UUID, ada: User, make_peer: MakePeer, second: App
) -> None:
    """Open rooms of both nodes and the control socket are closed (4500), and another project is not."""
    other = await make_peer(await world.project(ada), ada).join()
    here, there = await make_peer(project, ada).join(), await world.peer(second, project, ada).join()
    musician = await Musician(f"{second.ws}/ctl/{project}?token={world.ticket(project, ada)}").join()
    assert (await operate("quarantine", project, "--yes")).status == 0
    for one in (here, there, musician):
        await until(lambda one=one: one.closed, "closed", 5)  # type: ignore[misc]
        assert one.closed == (4500, "the project is set aside")
        await one.leave()
    other.track("t_1")
    await other.saved()
    assert other.closed is None


async def test_without_a_bus_a_node_finds_the_quarantine_in_the_database(
    operate: Operate, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """Nobody was told and nobody edits: the room is closed when its node compares the heads."""
    a = await make_peer(project, ada).join()
    said = await operate("quarantine", project, "--yes", BUS__URL="unix:///nowhere/valkey.sock")
    assert said.status == 0
    assert "nobody could be told over the bus" in said.err
    await until(lambda: a.closed, "closed by the poll", 20)
    assert a.closed == (4500, "the project is set aside")


async def test_what_is_edited_while_it_is_set_aside_is_lost_to_nobody_else(
    operate: Operate, world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """Quarantine in the middle of edits: what was acknowledged is stored, and nothing that was not acknowledged is."""
    a = await make_peer(project, ada).join()
    setting_aside = asyncio.ensure_future(operate("quarantine", project, "--yes"))
    for number in range(2000):
        if a.closed:
            break
        a.marker(f"m_{number}", number, "now")
        await a.saved()
    assert (await setting_aside).status == 0
    assert a.closed is not None
    assert a.closed[0] == 4500
    assert (await operate("quarantine", project, "--release", "--yes")).status == 0
    stored = (await make_peer(project, ada).join()).json()["markers"]
    assert len(stored) in (a.acknowledged, a.acknowledged + 1), "the last one may have been committed and not told"
