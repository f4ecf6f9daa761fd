"""`restore`: by one edit, with everybody connected, and undoable."""

from uuid import UUID, uuid4

from tests.collab_server.conftest import MakePeer
from tests.collab_server.operate.conftest import Operate
from tests.collab_server.operate.songs import compact, mark, snapshot
from tests.collab_server.peer import until
from tests.collab_server.world import User, World


async def test_an_open_room_goes_back_and_nobody_leaves(
    operate: Operate, world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """The open studio sees it at once; what was there is a snapshot, and restoring that undoes it."""
    a = await make_peer(project, ada).join()
    a.track("t_1", name="first")
    await a.saved()
    kept = await snapshot(world, project)
    target = a.json()
    a.field("tracks", "t_1", "name", "second")
    a.marker("m_1", 0, "later")
    await a.saved()
    before = a.json()
    said = await operate("restore", project, "--snapshot", kept, "--yes")
    assert said.status == 0, said
    assert "over the bus" not in said.err
    await until(lambda: a.json()["tracks"] == target["tracks"])
    assert a.json()["markers"]["m_1"]["deleted"] is not None
    assert a.closed is None
    row = await world.pool.fetchrow("select * from document_changes where project_id = $1 order by id desc", project)
    assert row is not None
    assert (row["origin"], row["author_id"]) == ("restore", None)
    undo = await world.pool.fetchval(
        "select id from studio_snapshots where project_id = $1 and reason = 'before_restore'", project
    )
    assert str(undo) in said.text
    assert (await operate("restore", project, "--snapshot", undo, "--yes")).status == 0
    await until(lambda: a.json() == before)
    assert await world.stored(project) == before


async def test_it_goes_to_a_row_of_the_journal(operate: Operate, world: World, project: UUID, ada: User) -> None:
    """The markers made since are deleted, in the document and in their table."""
    await mark(world, project, ada, "m_1")
    await mark(world, project, ada, "m_2")
    said = await operate("restore", project, "--at", 2, "--yes")
    assert said.status == 0, said
    markers = "select id from studio_markers where project_id = $1"
    assert [row["id"] for row in await world.pool.fetch(markers, project)] == ["m_1"]


async def test_what_cannot_be_restored_changes_nothing(
    operate: Operate, world: World, project: UUID, ada: User
) -> None:
    """An unknown snapshot, a draft, a moment that is gone, a quarantined document, nobody to ask."""
    draft = await snapshot(world, project, "draft", "draft")
    await mark(world, project, ada, "m_1")
    await compact(world, project)
    await world.pool.execute("delete from document_history where project_id = $1", project)
    rows = await world.rows(project)
    unknown = await operate("restore", project, "--snapshot", uuid4(), "--yes")
    drafted = await operate("restore", project, "--snapshot", draft, "--yes")
    gone = await operate("restore", project, "--at", 1, "--yes")
    unasked = await operate("restore", project, "--at", 2)
    await world.journal.quarantine(project, "looked odd")
    aside = await operate("restore", project, "--at", 2, "--yes")
    for said in (unknown, drafted, gone, unasked, aside):
        assert (said.status, said.out) == (2, b""), said
        assert said.err.splitlines()[-1].startswith("backline collab server: ")
    assert "no longer kept" in gone.err
    assert "looked odd" in aside.err
    assert await world.rows(project) == rows
