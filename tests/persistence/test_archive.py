"""What is kept of a document, as it stands."""

from uuid import UUID, uuid4

import pytest

from persistence.archive import Kept, kept, seq_at
from persistence.editing import edit, open_stored, read
from persistence.errors import NotFound
from persistence.journal import Journal
from persistence.pool import Pool
from studio.canonical import canonical
from studio.edits import rename


async def found(pool: Pool, project: UUID) -> Kept:
    """The document as kept."""
    async with pool.acquire() as connection:
        return await kept(connection, project)


async def renamed(pool: Pool, project: UUID, *names: str) -> None:
    """One row for each name."""
    for name in names:
        await edit(pool, project, None, "rename", lambda doc, name=name: rename(doc, name))  # type: ignore[misc]


async def test_it_is_what_a_load_would_find_at_every_row(pool: Pool, project: UUID) -> None:
    """Before and after compaction; below the state there is nothing."""
    await renamed(pool, project, "2", "3")
    doc, seq, epoch = await read(pool, project)
    await Journal(pool).compact(project, epoch, seq, doc.get_update())
    await renamed(pool, project, "4", "5")
    document = await found(pool, project)
    assert (document.floor, document.head) == (3, 5)
    assert document.state_problem() == document.rows_problem() == ""
    for row in (3, 4, 5):
        assert canonical(open_stored(project, document.until(row)))["meta"]["name"] == str(row)
    for row in (2, 6):
        with pytest.raises(ValueError, match="between 3 and 5"):
            document.until(row)


async def test_damage_does_not_keep_it_from_being_read(pool: Pool, project: UUID) -> None:
    """Quarantined, with a hole in its rows: read, and the hole is named."""
    await renamed(pool, project, "2", "3", "4")
    await Journal(pool).quarantine(project, "looked odd")
    await pool.execute("delete from document_updates where project_id = $1 and seq = 2", project)
    document = await found(pool, project)
    assert document.quarantine_reason == "looked odd"
    assert document.rows_problem() == "1 of the rows 1 to 4 are missing, the first is 2"


async def test_a_deleted_project_is_kept_and_an_unknown_one_is_not(pool: Pool, project: UUID) -> None:
    """Deletion is a mark; who was never there raises NotFound."""
    await pool.execute("update projects set deleted_at = now() where id = $1", project)
    assert (await found(pool, project)).deleted_at is not None
    with pytest.raises(NotFound):
        await found(pool, uuid4())


async def test_a_time_finds_the_last_row_written_by_then(pool: Pool, project: UUID) -> None:
    """The moment of the row itself counts; before the first row there is none."""
    await renamed(pool, project, "2", "3")
    times = "select created_at from document_changes where project_id = $1 and seq = $2"
    first, second = [await pool.fetchval(times, project, row) for row in (1, 2)]
    async with pool.acquire() as connection:
        assert await seq_at(connection, project, second) == 2
        assert await seq_at(connection, project, first.replace(year=2001)) is None
