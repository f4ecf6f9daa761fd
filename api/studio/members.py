"""Members of a project and their roles. The owner is fixed here; anybody else may leave."""

from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
from fastapi import APIRouter

from api import cursor as cursors
from api.access import Manager, Reader
from api.errors import ApiError
from api.services import Unit
from api.shapes import PAGE_ITEMS, AnyRole, Body, Cursor, GivenRole, Limit, Page, Shape, User
from presence.events import AccessRevoked, RoleChanged
from studio.roles import Action, Role

LIST_MEMBERS: Final = """
select u.id, u.kind, p.display_name as name, p.username, p.color, m.role, m.credited, m.joined_at
  from project_members m
  join users u on u.id = m.user_id
  join profiles p on p.id = m.user_id
 where m.project_id = $1 and ($2::timestamptz is null or (m.joined_at, m.user_id) > ($2, $3::uuid))
 order by m.joined_at, m.user_id
 limit $4
"""
LOCK_MEMBER: Final = """
select u.id, u.kind, p.display_name as name, p.username, p.color, m.role, m.credited, m.joined_at
  from project_members m
  join users u on u.id = m.user_id
  join profiles p on p.id = m.user_id
 where m.project_id = $1 and m.user_id = $2
   for update of m
"""
UPDATE_MEMBER: Final = """
update project_members set role = $3, credited = $4, updated_at = now() where project_id = $1 and user_id = $2
"""
DELETE_MEMBER: Final = "delete from project_members where project_id = $1 and user_id = $2"

router = APIRouter(prefix="/api/projects/{project_id}/members", tags=["members"])


class Member(Shape):
    """Somebody in a project; `credited` members are named on what comes out of it."""

    user: User
    role: AnyRole
    credited: bool
    joined_at: datetime


class MemberChange(Body):
    """A field left out stays."""

    role: GivenRole | None = None
    credited: bool | None = None


@router.get("")
async def list_members(standing: Reader, work: Unit, cursor: Cursor = None, limit: Limit = PAGE_ITEMS) -> Page[Member]:
    """Everybody in the project, the longest standing first."""
    after = cursors.decode(cursor, cursors.moment, UUID) if cursor else (None, None)
    rows = await work.connection.fetch(LIST_MEMBERS, standing.project_id, *after, limit + 1)
    page, more = cursors.paged(rows, limit, lambda row: cursors.encode(row["joined_at"], row["id"]))
    return Page(items=[_shape(row) for row in page], next_cursor=more)


@router.patch("/{user_id}")
async def change_member(user_id: UUID, body: MemberChange, standing: Manager, work: Unit) -> Member:
    """Changes a member's role, acted on by their open studio within a second, or whether they are credited."""
    row = await work.connection.fetchrow(LOCK_MEMBER, standing.project_id, user_id)
    if row is None:
        raise ApiError("not_found")
    if body.role is not None and row["role"] == Role.OWNER:
        raise ApiError("owner_is_fixed")
    member = _shape(row)
    changed = member.model_copy(update=body.model_dump(exclude_none=True))
    await work.connection.execute(UPDATE_MEMBER, standing.project_id, user_id, changed.role, changed.credited)
    if changed.role != member.role:
        work.announce(RoleChanged(standing.project_id, user_id, Role(changed.role)))
    return changed


@router.delete("/{user_id}", status_code=204)
async def remove_member(user_id: UUID, standing: Reader, work: Unit) -> None:
    """Removes a member, whose open studio is closed within a second; removing oneself is leaving."""
    if user_id != standing.caller.id:
        standing.require(Action.MANAGE)
    row = await work.connection.fetchrow(LOCK_MEMBER, standing.project_id, user_id)
    if row is None:
        raise ApiError("not_found")
    if row["role"] == Role.OWNER:
        raise ApiError("owner_is_fixed")
    await work.connection.execute(DELETE_MEMBER, standing.project_id, user_id)
    work.announce(AccessRevoked(standing.project_id, user_id))


def _shape(row: asyncpg.Record) -> Member:
    user = User(**{name: row[name] for name in ("id", "kind", "name", "username", "color")})
    return Member(user=user, role=row["role"], credited=row["credited"], joined_at=row["joined_at"])
