"""The trash: what was deleted comes back for thirty days, in a project and whole projects."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends
from pycrdt import Doc, Map
from pydantic import ConfigDict

from api import cursor as cursors
from api.access import Manager, Standing, allowed
from api.auth import SignedIn
from api.edits import annotated
from api.errors import ApiError
from api.going_back import courteous
from api.past import persons
from api.services import Given, Unit
from api.shapes import PAGE_ITEMS, Cursor, Limit, Page, Person, Reference, Shape
from api.studio.document import ReaderAtOnce, committed
from api.studio.projects import Project, shown
from persistence.pool import Connection
from persistence.trash import TRASH_AGE, deleted_at, deleted_by
from studio.canonical import canonical
from studio.edits import purge, undelete
from studio.errors import NotFound
from studio.roles import Action
from studio.trash import Thrown, trash

LIST_PROJECTS: Final = """
select p.id, p.name, p.deleted_at
  from projects p
 where p.owner_id = $1 and p.deleted_at > now() - $2::interval
   and ($3::timestamptz is null or (p.deleted_at, p.id) < ($3, $4::uuid))
 order by p.deleted_at desc, p.id desc
 limit $5
"""
UNDELETE_PROJECT: Final = """
update projects set deleted_at = null, updated_at = now()
 where id = $1 and owner_id = $2 and deleted_at > now() - $3::interval
returning id
"""
SELECT_DELETED: Final = """
select p.deleted_at, m.role from projects p join project_members m on m.project_id = p.id and m.user_id = $2
 where p.id = $1
"""

NOBODY: Final = UUID(int=0)

router = APIRouter(tags=["trash"])

Restorer = Annotated[Standing, Depends(allowed(Action.RESTORE))]


class InTrash(Shape):
    """A deleted track, clip, marker, note or effect; from `purge_at` on it goes for good.

    `content` counts what lies on a track and is hidden with it. `hidden_with` is the deleted track it lies on itself:
    brought back alone it would still not be seen.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "root": "tracks",
                "id": "t_Kk29sQe0RtYx",
                "name": "“Bass”",
                "track": None,
                "hidden_with": None,
                "content": {"clips": 3},
                "deleted_at": "2026-03-01T20:15:40Z",
                "deleted_by": {"id": "8a1d2c3e-0b5f-4d6a-8c7e-1f2a3b4c5d6e", "name": "Ben", "color": "#7fb54a"},
                "purge_at": "2026-03-31T20:15:40Z",
            }
        }
    )

    root: str
    id: str
    name: str
    track: str | None
    hidden_with: str | None
    content: dict[str, int]
    deleted_at: datetime
    deleted_by: Person | None
    purge_at: datetime


class BroughtBack(Shape):
    """An entity with its fields as it is now; `hidden_with` is the deleted track that still hides it."""

    root: str
    id: str
    fields: dict[str, Any]
    hidden_with: str | None


class DeletedProject(Shape):
    """A project of the caller's that can still be brought back, until `purge_at`."""

    id: UUID
    name: str
    deleted_at: datetime
    purge_at: datetime


@router.get("/api/projects/{project_id}/trash")
async def list_trash(
    standing: ReaderAtOnce, given: Given, cursor: Cursor = None, limit: Limit = PAGE_ITEMS
) -> Page[InTrash]:
    """What was deleted in this project, the latest first."""
    after = cursors.decode(cursor, cursors.moment, cursors.short) if cursor else None
    thrown = await asyncio.to_thread(trash, await committed(given.pool, standing))
    async with given.pool.acquire() as connection:
        since = datetime.now(UTC) - TRASH_AGE
        times = await deleted_at(connection, standing.project_id, thrown, since)
        keyed = sorted(
            ((times[one.root, one.id], f"{one.root}/{one.id}", one) for one in thrown), key=_key, reverse=True
        )
        rest = [entry for entry in keyed if after is None or _key(entry) < after]
        page, more = cursors.paged(rest, limit, lambda entry: cursors.encode(*_key(entry)))
        by = await deleted_by(connection, standing.project_id, [one for _, _, one in page], since)
        people = await persons(connection, set(by.values()))
    items = [_in_trash(at, one, people.get(by.get((one.root, one.id), NOBODY))) for at, _, one in page]
    return Page(items=items, next_cursor=more)


def _key(entry: tuple[datetime, str, Thrown]) -> tuple[datetime, str]:
    return entry[:2]


def _in_trash(at: datetime, one: Thrown, by: Person | None) -> InTrash:
    names = ("root", "id", "name", "track", "hidden_with")
    facts = {name: getattr(one, name) for name in names}
    return InTrash(**facts, content=dict(one.content), deleted_at=at, deleted_by=by, purge_at=at + TRASH_AGE)


@router.post("/api/projects/{project_id}/trash/{root}/{entity_id}/restore")
async def restore_from_trash(root: Reference, entity_id: Reference, standing: Restorer, work: Unit) -> BroughtBack:
    """Brings it back with everything it had, at once for everybody; 409 `track_locked` if its track is held."""
    change = courteous(standing, lambda doc: _undeleted(doc, root, entity_id))
    fields = await annotated(work, standing, "restore", change)
    hidden_with = fields.pop("hidden_with")
    return BroughtBack(root=root, id=fields.pop("id"), fields=fields, hidden_with=hidden_with)


@router.delete("/api/projects/{project_id}/trash/{root}/{entity_id}", status_code=204)
async def purge_from_trash(root: Reference, entity_id: Reference, standing: Manager, work: Unit) -> None:
    """Removes it for good, with all that lies on it; an earlier moment or snapshot still knows it."""

    def change(doc: "Doc[Any]") -> None:
        found = [one for one in trash(canonical(doc)) if (one.root, one.id) == (root, entity_id)]
        if not found:
            raise NotFound(root, entity_id)
        purge(doc, found)

    await annotated(work, standing, "edit", change)


def _undeleted(doc: "Doc[Any]", root: str, entity_id: str) -> dict[str, Any]:
    fields = undelete(doc, root, entity_id)
    track = fields.get("track")
    held = doc.get("tracks", type=Map).get(track) if isinstance(track, str) else None
    return {**fields, "hidden_with": track if held is not None and held.get("deleted") is not None else None}


@router.get("/api/trash")
async def list_deleted_projects(
    caller: SignedIn, work: Unit, cursor: Cursor = None, limit: Limit = PAGE_ITEMS
) -> Page[DeletedProject]:
    """The caller's own deleted projects, the latest first."""
    after = cursors.decode(cursor, cursors.moment, UUID) if cursor else (None, None)
    rows = await work.connection.fetch(LIST_PROJECTS, caller.id, TRASH_AGE, *after, limit + 1)
    page, more = cursors.paged(rows, limit, lambda row: cursors.encode(row["deleted_at"], row["id"]))
    return Page(items=[_deleted_project(row) for row in page], next_cursor=more)


def _deleted_project(row: asyncpg.Record) -> DeletedProject:
    return DeletedProject(**dict(row), purge_at=row["deleted_at"] + TRASH_AGE)


@router.post("/api/projects/{project_id}/undelete")
async def undelete_project(project_id: UUID, caller: SignedIn, work: Unit) -> Project:
    """Brings a deleted project back with everything in it, by its owner, within thirty days."""
    if await work.connection.fetchval(UNDELETE_PROJECT, project_id, caller.id, TRASH_AGE) is None:
        await _refuse(work.connection, project_id, caller.id)
    return await shown(work, project_id, caller)


async def _refuse(connection: Connection, project_id: UUID, caller: UUID) -> None:
    """Raises not_found for who has no part in it or when it is gone, forbidden for who does not own it, and nothing
    for an owner whose project is there."""
    row = await connection.fetchrow(SELECT_DELETED, project_id, caller)
    if row is None or (row["deleted_at"] is not None):
        raise ApiError("not_found")
    if row["role"] != "owner":
        raise ApiError("forbidden", role=row["role"], action=Action.MANAGE.value)
