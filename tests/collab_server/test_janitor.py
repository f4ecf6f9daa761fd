"""A round clears what is over, rings for open rooms, and one document that cannot be opened stops nothing."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from collab_server.janitor import Janitor
from persistence.pool import Pool
from persistence.settings import RetentionSettings
from presence.bus import open_bus
from presence.events import Event, Grew
from tests.collab_server.author import Author
from tests.collab_server.operate.songs import compact, mark
from tests.collab_server.peer import until
from tests.collab_server.world import User, World

AGES = (
    "update documents set created_at = created_at - interval '31 days' where project_id = any ($1)",
    "update document_changes set created_at = created_at - interval '31 days' where project_id = any ($1)",
    "update document_history set ended_at = ended_at - interval '1 year' where project_id = any ($1)",
    "update document_states set created_at = created_at - interval '1 year' where project_id = any ($1)",
)
DELETE = "update projects set deleted_at = now() - interval '31 days' where id = $1"


async def thrown_away(world: World, ada: User) -> UUID:
    """A project with a marker and one that was deleted."""
    author = Author(77)
    updates = [author.marker("m_1", 0, "stays"), author.marker("m_2", 0, "goes")]
    return await world.project(ada, *updates, author.field("markers", "m_2", "deleted", [str(ada.id), 5.0]))


async def test_a_round_clears_what_is_over(world: World, pool: Pool, ada: User) -> None:
    """Trash, history and a deleted project go; a corrupt document is left for an operator."""
    project, gone, corrupt = [await thrown_away(world, ada) for _ in range(3)]
    await mark(world, project, ada, "m_3")
    await compact(world, project)
    for sql in AGES:
        await pool.execute(sql, [project, corrupt])
    await pool.execute(DELETE, gone)
    await pool.execute("delete from document_updates where project_id = $1 and seq = 1", corrupt)
    heard: list[Event] = []
    async with open_bus("memory://") as bus:
        await bus.subscribe(project, heard.append)
        janitor = Janitor(pool, bus, lambda: datetime.now(UTC), RetentionSettings(history_age=timedelta(days=90)))
        await janitor.round(pause=0)
        await until(lambda: heard, "the doorbell")
    markers = (await world.stored(project))["markers"]
    assert isinstance(markers, dict)
    assert list(markers) == ["m_1", "m_3"]
    (rung,) = heard
    assert isinstance(rung, Grew)
    assert rung.seq == (await world.journal.load(project)).head
    assert await pool.fetchval("select count(*) from document_history where project_id = $1", project) == 0
    assert await pool.fetchval("select count(*) from projects where id = $1", gone) == 0
    assert await pool.fetchval("select count(*) from documents where project_id = $1", corrupt) == 1
