"""What was deleted thirty days ago goes for good, by the server's clock, while nobody is there."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pycrdt import Doc, Map

from persistence.editing import edit, read
from persistence.journal import Journal
from persistence.pool import Pool
from persistence.trash import due, empty_trash, purge_projects
from studio.blank import blank
from studio.canonical import canonical
from tests.collab_server.peer import until
from tests.persistence.conftest import MakeProject

EVERY = 1_000_000
DAY = timedelta(days=1)
AGE_CHANGES = "update document_changes set created_at = created_at - $2::interval where project_id = $1"
AGE_DOCUMENT = "update documents set created_at = created_at - $2::interval where project_id = $1"
UNDELETE = "update projects set deleted_at = null where id = $1"
WAITING = """
select exists (select from pg_stat_activity
                where datname = current_database() and wait_event_type = 'Lock' and query like '%delete from projects%')
"""
SESSION = "insert into collaboration_sessions (project_id) values ($1)"


async def wrote(pool: Pool, project: UUID, **markers: object) -> None:
    """Markers, each with its `deleted`."""

    def change(doc: "Doc[Any]") -> None:
        for marker, deleted in markers.items():
            doc.get("markers", type=Map)[marker] = Map({"tick": 0.0, "label": marker, "deleted": deleted})

    await edit(pool, project, None, "edit", change)


async def markers(pool: Pool, project: UUID) -> list[str]:
    doc, _, _ = await read(pool, project)
    return sorted(canonical(doc)["markers"])


async def test_only_what_is_old_by_the_servers_clock_goes(pool: Pool, project: UUID) -> None:
    """A client that says it was long ago changes nothing; the server's edit is in the journal like any other."""
    now = datetime.now(UTC)
    await wrote(pool, project, m_old=["u", 9.0], m_alive=None)
    await pool.execute(AGE_CHANGES, project, 31 * DAY)
    await wrote(pool, project, m_liar=["u", 1.0])
    done = await empty_trash(pool, project, now)
    assert (done.result, await markers(pool, project)) == (1, ["m_alive", "m_liar"])
    assert done.body
    assert (await Journal(pool).load(project)).head == done.seq
    assert not (await empty_trash(pool, project, now)).body
    assert (await empty_trash(pool, project, now + 31 * DAY)).result == 1


async def test_a_project_is_looked_through_when_something_is_due(pool: Pool, make_project: MakeProject) -> None:
    """A month after its beginning, then when its trash says, and not any more when nothing happened since."""
    project = await make_project()
    await wrote(pool, project, m_1=["u", 1.0])
    assert project not in await due(pool, EVERY)
    await pool.execute(AGE_DOCUMENT, project, 31 * DAY)
    await pool.execute(AGE_CHANGES, project, 20 * DAY)
    assert project in await due(pool, EVERY)
    now = datetime.now(UTC)
    assert (await empty_trash(pool, project, now)).result == 0
    due_at = await pool.fetchval("select due_at from document_trash where project_id = $1", project)
    assert timedelta(days=9) < due_at - now <= timedelta(days=10)
    assert project not in await due(pool, EVERY)
    await pool.execute(
        "update document_trash set due_at = now()",
    )
    assert project in await due(pool, EVERY)
    await pool.execute(SESSION, project)
    assert project not in await due(pool, EVERY)
    await pool.execute("update collaboration_sessions set ended_at = now()")
    await pool.execute(
        "update documents set updated_at = updated_at - interval '90 days' where project_id = $1", project
    )
    assert project not in await due(pool, EVERY)


async def test_what_came_deleted_with_the_seed_counts_from_then(pool: Pool, make_project: MakeProject) -> None:
    """No change names it: it has been deleted since the document began."""
    project = await make_project()
    doc: Doc[Any] = Doc(client_id=5)
    doc.apply_update(blank(str(project), "Song", "u", 0, 1))
    doc.get("markers", type=Map)["m_1"] = Map({"tick": 0.0, "deleted": ["u", 1.0]})
    await Journal(pool).compact(project, 1, 1, doc.get_update())
    now = datetime.now(UTC)
    assert (await empty_trash(pool, project, now + 29 * DAY)).result == 0
    assert (await empty_trash(pool, project, now + 31 * DAY)).result == 1


async def test_projects_go_thirty_days_after_they_were_deleted(pool: Pool, make_project: MakeProject) -> None:
    """With their journal and history; younger ones stay."""
    old, young = await make_project(), await make_project()
    await pool.execute("update projects set deleted_at = now() - interval '31 days' where id = $1", old)
    await pool.execute("update projects set deleted_at = now() - interval '29 days' where id = $1", young)
    assert await purge_projects(pool) == 1
    left = {row["id"] for row in await pool.fetch("select id from projects")}
    assert young in left
    assert old not in left
    assert await pool.fetchval("select count(*) from document_updates where project_id = $1", old) == 0


async def test_an_undelete_at_the_border_is_not_purged(pool: Pool, make_project: MakeProject) -> None:
    """Brought back while the purge waits for its row, the project stays."""
    project = await make_project()
    await pool.execute("update projects set deleted_at = now() - interval '31 days' where id = $1", project)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(UNDELETE, project)
        purge = asyncio.create_task(purge_projects(pool))
        await until(lambda: pool.fetchval(WAITING))
    assert await purge == 0
    assert await pool.fetchval("select count(*) from projects where id = $1", project) == 1
