"""Projects: created with their document, listed newest membership first, renamed in the row and in the document."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID, uuid4

import asyncpg
from fastapi import APIRouter, Depends
from pydantic import Field

from api import cursor as cursors
from api.access import Manager, Reader, Standing, allowed, still
from api.auth import Caller, SignedIn
from api.edits import edited, now_ms
from api.errors import ApiError
from api.services import Given, Services, Unit, Work
from api.shapes import PAGE_ITEMS, AnyRole, Body, Cursor, Limit, Page, Person, Shape, Title
from persistence.editing import SERVER_CLIENT
from persistence.journal import Journal
from persistence.pool import Connection
from presence.events import ProjectDeleted, ProjectRenamed, RoleChanged
from studio.blank import blank
from studio.edits import rename
from studio.roles import Action, Role

UNTITLED: Final = "Untitled"

INSERT_PROJECT: Final = """
with made as (
    insert into projects (id, owner_id, name, parent_project_id, parent_snapshot_id)
    values ($1, $2, $3, $4, $5) returning id
)
insert into project_members (project_id, user_id, role) select id, $2, 'owner' from made
"""
# Who makes two at once makes one after the other: the second sees the first.
LOCK_OWNER: Final = "select id from users where id = $1 for no key update"
COUNT_OWNED: Final = "select count(*) from projects where owner_id = $1"
SELECT_PROJECT: Final = """
select p.id, p.name, m.role, p.owner_id, o.display_name as owner_name, o.color as owner_color,
       (select count(*) from project_members c where c.project_id = p.id) as member_count,
       d.epoch, p.created_at, p.updated_at
  from project_members m
  join projects p on p.id = m.project_id and p.deleted_at is null
  join documents d on d.project_id = p.id
  join profiles o on o.id = p.owner_id
 where m.project_id = $1 and m.user_id = $2
"""
LIST_PROJECTS: Final = """
select p.id, p.name, m.role, p.owner_id, o.display_name as owner_name, o.color as owner_color,
       (select count(*) from project_members c where c.project_id = p.id) as member_count,
       d.epoch, p.created_at, p.updated_at, m.joined_at
  from project_members m
  join projects p on p.id = m.project_id and p.deleted_at is null
  join documents d on d.project_id = p.id
  join profiles o on o.id = p.owner_id
 where m.user_id = $1 and ($2::timestamptz is null or (m.joined_at, p.id) < ($2, $3::uuid))
 order by m.joined_at desc, p.id desc
 limit $4
"""
RENAME_PROJECT: Final = "update projects set name = $2, updated_at = now() where id = $1 and deleted_at is null"
LOCK_PROJECT: Final = "select id from projects where id = $1 for no key update"
LOCK_PAIR: Final = """
select user_id, role from project_members where project_id = $1 and user_id in ($2, $3) order by user_id for update
"""
# One after the other: there is never more than one owner, not even within the transaction.
STEP_DOWN: Final = """
update project_members set role = 'editor', updated_at = now() where project_id = $1 and user_id = $2
"""
STEP_UP: Final = """
update project_members set role = 'owner', restriction = null, updated_at = now() where project_id = $1 and user_id = $2
"""
SET_OWNER: Final = "update projects set owner_id = $2, updated_at = now() where id = $1"
# Its owner's, as the row is when its turn comes: a transfer may have been waited for.
DELETE_PROJECT: Final = """
update projects set deleted_at = now() where id = $1 and owner_id = $2 and deleted_at is null returning id
"""

router = APIRouter(tags=["projects"])

Renamer = Annotated[Standing, Depends(allowed(Action.RENAME))]


class Project(Shape):
    """A project as one of its members sees it; `role` is theirs."""

    id: UUID
    name: str
    role: AnyRole
    owner: Person
    member_count: int
    epoch: int
    created_at: datetime
    updated_at: datetime


class NewProject(Body):
    """A project without a name is "Untitled"."""

    name: Title | None = None


class Heir(Body):
    """Who is to own the project: one of its members."""

    user_id: Annotated[UUID, Field(strict=False)]


class ProjectName(Body):
    """The new name."""

    name: Title


@router.post("/api/projects", status_code=201)
async def create_project(caller: SignedIn, given: Given, work: Unit, body: NewProject | None = None) -> Project:
    """A new project with its blank document; the caller owns it."""
    await given.made.spend(caller.id)
    await require_room(given, work.connection, caller)
    name = (body.name if body else None) or UNTITLED
    project_id = uuid4()
    await work.connection.execute(INSERT_PROJECT, project_id, caller.id, name, None, None)
    seed = blank(str(project_id), name, str(caller.id), now_ms(), SERVER_CLIENT)
    await Journal.create(work.connection, project_id, seed, caller.id)
    return await shown(work, project_id, caller)


@router.get("/api/projects")
async def list_projects(
    caller: SignedIn, work: Unit, cursor: Cursor = None, limit: Limit = PAGE_ITEMS
) -> Page[Project]:
    """The projects the caller is a member of, the latest joined first."""
    after = cursors.decode(cursor, cursors.moment, UUID) if cursor else (None, None)
    rows = await work.connection.fetch(LIST_PROJECTS, caller.id, *after, limit + 1)
    page, more = cursors.paged(rows, limit, lambda row: cursors.encode(row["joined_at"], row["id"]))
    return Page(items=[_shape(row) for row in page], next_cursor=more)


@router.get("/api/projects/{project_id}")
async def show_project(standing: Reader, work: Unit) -> Project:
    """One project."""
    return await shown(work, standing.project_id, standing.caller)


@router.patch("/api/projects/{project_id}")
async def rename_project(body: ProjectName, standing: Renamer, work: Unit) -> Project:
    """Renames the project, in its row and in its document, at once for everybody."""
    await edited(work, standing, "rename", lambda doc: rename(doc, body.name))
    await work.connection.execute(RENAME_PROJECT, standing.project_id, body.name)
    work.announce(ProjectRenamed(standing.project_id, body.name))
    return await shown(work, standing.project_id, standing.caller)


@router.delete("/api/projects/{project_id}", status_code=204)
async def delete_project(standing: Manager, work: Unit) -> None:
    """Deletes the project: nobody finds it any more, open studios are closed."""
    project_id, owner = standing.project_id, standing.caller.id
    if await work.connection.fetchval(DELETE_PROJECT, project_id, owner) is None:
        await still(work.connection, standing)
        raise ApiError("not_found")
    work.announce(ProjectDeleted(project_id))


@router.post("/api/projects/{project_id}/transfer")
async def transfer_project(body: Heir, standing: Manager, work: Unit) -> Project:
    """Gives the project to another member; who owned it is an editor from now on, and may leave."""
    project_id, giver = standing.project_id, standing.caller.id
    rows = await work.connection.fetch(LOCK_PAIR, project_id, giver, body.user_id)
    roles = {row["user_id"]: row["role"] for row in rows}
    if body.user_id not in roles:
        raise ApiError("not_found")
    if roles.get(giver) != Role.OWNER:  # somebody was faster
        raise ApiError("conflict")
    if body.user_id != giver:
        await work.connection.execute(STEP_DOWN, project_id, giver)
        await work.connection.execute(STEP_UP, project_id, body.user_id)
        await work.connection.execute(SET_OWNER, project_id, body.user_id)
        work.announce(RoleChanged(project_id, giver, Role.EDITOR))
        work.announce(RoleChanged(project_id, body.user_id, Role.OWNER))
    return await shown(work, project_id, standing.caller)


async def require_room(given: Services, connection: Connection, caller: Caller) -> None:
    """Raises too_many_projects if the caller may own no more of them. Holds until the end of the transaction."""
    limit = given.settings.api.projects_per_owner_max
    await connection.fetchval(LOCK_OWNER, caller.id)
    if await connection.fetchval(COUNT_OWNED, caller.id) >= limit:
        raise ApiError("too_many_projects", limit=limit)


async def shown(work: Work, project_id: UUID, caller: Caller) -> Project:
    """The project as the caller sees it. Raises not_found."""
    row = await work.connection.fetchrow(SELECT_PROJECT, project_id, caller.id)
    if row is None:
        raise ApiError("not_found")
    return _shape(row)


def _shape(row: asyncpg.Record) -> Project:
    owner = Person(id=row["owner_id"], name=row["owner_name"], color=row["owner_color"])
    names = ("id", "name", "role", "member_count", "epoch", "created_at", "updated_at")
    return Project(owner=owner, **{name: row[name] for name in names})
