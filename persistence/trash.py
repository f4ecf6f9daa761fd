"""Thirty days after something was deleted it goes for good: entities in documents, and whole projects.

When that was is what the history says; the time in the document is a client's. A project is looked through while
nobody has it open, when the oldest of its trash is due, or after thirty days: what is deleted meanwhile is not due
sooner.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pycrdt import Doc

from persistence.editing import Edited, edit_on, read
from persistence.lookback import SEQ_MAX, last_changes
from persistence.pool import Connection, Pool
from studio.canonical import canonical
from studio.edits import purge
from studio.schema import SOFT_DELETED
from studio.trash import Thrown, trash

TRASH_AGE: Final = timedelta(days=30)
PROJECTS_AT_ONCE: Final = 5

DUE = """
select d.project_id
  from documents d
  join projects p on p.id = d.project_id and p.deleted_at is null
  left join document_trash t on t.project_id = d.project_id
 where d.quarantined_at is null
   and coalesce(t.due_at, d.created_at + $1::interval) <= now()
   and d.updated_at >= coalesce(t.looked_at - $1::interval, '-infinity')
   and not exists (select from collaboration_sessions s where s.project_id = d.project_id and s.ended_at is null)
 order by coalesce(t.due_at, d.created_at + $1::interval)
 limit $2
"""
BEGAN_AT = "select created_at from documents where project_id = $1"
LOOKED = """
insert into document_trash (project_id, looked_at, due_at) values ($1, $2, $3)
    on conflict (project_id) do update set looked_at = excluded.looked_at, due_at = excluded.due_at
"""
# Said twice: an undelete that commits while we wait for its row is seen by the delete, not by the list it works off.
PURGE_PROJECTS = """
with gone as (
    delete from projects
     where id in (select p.id from projects p where p.deleted_at < now() - $1::interval order by p.deleted_at limit $2)
       and deleted_at < now() - $1::interval
    returning 1
)
select count(*) from gone
"""


async def due(pool: Pool, limit: int) -> list[UUID]:
    """Projects whose trash has to be looked through, the longest due first."""
    return [row["project_id"] for row in await pool.fetch(DUE, TRASH_AGE, limit)]


async def deleted_at(
    connection: Connection, project_id: UUID, thrown: Sequence[Thrown], since: datetime
) -> Mapping[tuple[str, str], datetime]:
    """When these were deleted, by root and id.

    What no change names, as in a fork, counts from when the document began; so may what was deleted before `since`.
    """
    if not thrown:
        return {}
    sides = {(one.root, one.id): sides_of(one) for one in thrown}
    last = await last_changes(connection, project_id, 0, SEQ_MAX, sides.values(), repairs=True, since=since)
    began: datetime = await connection.fetchval(BEGAN_AT, project_id)
    return {
        place: max((last[path].at for path in paths if path in last), default=began) for place, paths in sides.items()
    }


async def deleted_by(
    connection: Connection, project_id: UUID, thrown: Sequence[Thrown], since: datetime
) -> Mapping[tuple[str, str], UUID]:
    """Who deleted these, by root and id, as far as somebody did and it was not long before `since`."""
    sides = {(one.root, one.id): sides_of(one) for one in thrown}
    last = await last_changes(connection, project_id, 0, SEQ_MAX, sides.values(), since=since)
    newest = {
        place: max((last[path] for path in paths if path in last), key=lambda one: one.seq, default=None)
        for place, paths in sides.items()
    }
    return {place: one.author for place, one in newest.items() if one is not None and one.author is not None}


def sides_of(one: Thrown) -> tuple[str, str]:
    """The paths of the history that tell of its deletion: as a whole, or by its `deleted`."""
    return f"{one.root}/{one.id}", f"{one.root}/{one.id}/deleted"


async def empty_trash(pool: Pool, project_id: UUID, now: datetime) -> Edited[int]:
    """Removes what was deleted longer than thirty days before `now`, as an edit of the server's; how many entries went.

    The caller publishes `Grew` if the edit has a body. Raises NotFound, Quarantined, CorruptState.
    """
    doc, _, _ = await read(pool, project_id)
    thrown = await asyncio.to_thread(lambda: trash(canonical(doc, SOFT_DELETED)))
    async with pool.acquire() as connection, connection.transaction():
        times = await deleted_at(connection, project_id, thrown, now - TRASH_AGE)
        old = [one for one in thrown if times[one.root, one.id] <= now - TRASH_AGE]

        def change(doc: "Doc[Any]") -> int:
            return purge(doc, old)

        done = await edit_on(connection, project_id, None, "repair", change) if old else Edited(0, 0, 0, b"")
        rest = [at for at in times.values() if at > now - TRASH_AGE]
        await connection.execute(LOOKED, project_id, now, min([*rest, now]) + TRASH_AGE)
    return done


async def purge_projects(pool: Pool) -> int:
    """Removes some of the projects that were deleted more than thirty days ago, with everything; how many."""
    count: int = await pool.fetchval(PURGE_PROJECTS, TRASH_AGE, PROJECTS_AT_ONCE)
    return count
