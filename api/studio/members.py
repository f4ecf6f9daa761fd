"""Members of a project and their roles. The owner is fixed here; anybody else may leave.

What the owner decides about somebody is kept beside the membership, with its time: older links do not undo it.
"""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import asyncpg
from fastapi import APIRouter
from pydantic import Field

from api import cursor as cursors
from api.access import Manager, Reader, still
from api.errors import ApiError
from api.services import Unit
from api.shapes import PAGE_ITEMS, AnyRole, Body, Cursor, GivenRole, Limit, Page, Reference, Shape, User
from presence.events import AccessRevoked, RoleChanged
from studio.errors import Invalid
from studio.restriction import TRACKS_MAX, Restriction, restriction_of
from studio.roles import Action, Role

LIST_MEMBERS: Final = """
select u.id, u.kind, p.display_name as name, p.username, p.color, m.role, m.credited, m.restriction, m.joined_at
  from project_members m
  join users u on u.id = m.user_id
  join profiles p on p.id = m.user_id
 where m.project_id = $1 and ($2::timestamptz is null or (m.joined_at, m.user_id) > ($2, $3::uuid))
 order by m.joined_at, m.user_id
 limit $4
"""
LOCK_MEMBER: Final = """
select u.id, u.kind, p.display_name as name, p.username, p.color, m.role, m.credited, m.restriction, m.joined_at
  from project_members m
  join users u on u.id = m.user_id
  join profiles p on p.id = m.user_id
 where m.project_id = $1 and m.user_id = $2
   for update of m
"""
UPDATE_MEMBER: Final = """
update project_members set role = $3, credited = $4, restriction = $5, updated_at = now()
 where project_id = $1 and user_id = $2
"""
# By the clock, not by the transaction's begin: it may have waited for the member's row.
DECIDE: Final = """
insert into project_ceilings (project_id, user_id, role, restriction, decided_at)
values ($1, $2, $3, $4, clock_timestamp())
    on conflict (project_id, user_id)
    do update set role = excluded.role, restriction = excluded.restriction, decided_at = excluded.decided_at
"""
DELETE_MEMBER: Final = "delete from project_members where project_id = $1 and user_id = $2"

router = APIRouter(prefix="/api/projects/{project_id}/members", tags=["members"])


class Narrowing(Body):
    """What an editor may change, if not everything: the mix, the markers, or the tracks of `tracks`. Notes always."""

    only: Literal["mix", "markers", "tracks"]
    tracks: Annotated[list[Reference], Field(min_length=1, max_length=TRACKS_MAX)] | None = None


class Member(Shape):
    """Somebody in a project; `credited` members are named on what comes out of it.

    `restriction`: what an editor may change, null for everything.
    """

    user: User
    role: AnyRole
    credited: bool
    restriction: Narrowing | None
    joined_at: datetime


class MemberChange(Body):
    """A field left out stays; a `restriction` of null lifts it, and it ends when its editor becomes something else."""

    role: GivenRole | None = None
    credited: bool | None = None
    restriction: Narrowing | None = None


@router.get("")
async def list_members(standing: Reader, work: Unit, cursor: Cursor = None, limit: Limit = PAGE_ITEMS) -> Page[Member]:
    """Everybody in the project, the longest standing first."""
    after = cursors.decode(cursor, cursors.moment, UUID) if cursor else (None, None)
    rows = await work.connection.fetch(LIST_MEMBERS, standing.project_id, *after, limit + 1)
    page, more = cursors.paged(rows, limit, lambda row: cursors.encode(row["joined_at"], row["id"]))
    return Page(items=[_shape(row) for row in page], next_cursor=more)


@router.patch("/{user_id}")
async def change_member(user_id: UUID, body: MemberChange, standing: Manager, work: Unit) -> Member:
    """Changes a member's role or restriction, acted on by their open studio within a second, or their credit."""
    row = await work.connection.fetchrow(LOCK_MEMBER, standing.project_id, user_id)
    await still(work.connection, standing)
    if row is None:
        raise ApiError("not_found")
    if body.role is not None and row["role"] == Role.OWNER:
        raise ApiError("owner_is_fixed")
    member = _shape(row)
    role = body.role or member.role
    restriction = body.restriction if "restriction" in body.model_fields_set else member.restriction
    if role != "editor":
        _require_none(body.restriction)
        restriction = None
    stored = None if restriction is None else _checked(restriction)
    credited = member.credited if body.credited is None else body.credited
    await work.connection.execute(UPDATE_MEMBER, standing.project_id, user_id, role, credited, stored)
    if role != "owner" and body.model_fields_set & {"role", "restriction"}:
        await work.connection.execute(DECIDE, standing.project_id, user_id, role, stored)
    if (role, restriction) != (member.role, member.restriction):
        work.announce(RoleChanged(standing.project_id, user_id, Role(role)))
    return member.model_copy(update={"role": role, "credited": credited, "restriction": restriction})


@router.delete("/{user_id}", status_code=204)
async def remove_member(user_id: UUID, standing: Reader, work: Unit) -> None:
    """Removes a member, whose open studio is closed within a second; removing oneself is leaving."""
    if user_id != standing.caller.id:
        standing.require(Action.MANAGE)
    row = await work.connection.fetchrow(LOCK_MEMBER, standing.project_id, user_id)
    await still(work.connection, standing)
    if row is None:
        raise ApiError("not_found")
    if row["role"] == Role.OWNER:
        raise ApiError("owner_is_fixed")
    await work.connection.execute(DELETE_MEMBER, standing.project_id, user_id)
    if user_id != standing.caller.id:
        await work.connection.execute(DECIDE, standing.project_id, user_id, None, None)
    work.announce(AccessRevoked(standing.project_id, user_id))


def narrowing(restriction: Restriction | None) -> Narrowing | None:
    """The restriction as it is told."""
    return None if restriction is None else Narrowing.model_validate(restriction.stored())


def _require_none(restriction: Narrowing | None) -> None:
    if restriction is not None:
        raise Invalid("restriction", "only an editor can be restricted")


def _checked(restriction: Narrowing) -> dict[str, object] | None:
    """The restriction as it is stored. Raises Invalid."""
    found = restriction_of(restriction.model_dump(exclude_none=True))
    return None if found is None else found.stored()


def _shape(row: asyncpg.Record) -> Member:
    user = User(**{name: row[name] for name in ("id", "kind", "name", "username", "color")})
    names = ("role", "credited", "restriction", "joined_at")
    return Member(user=user, **{name: row[name] for name in names})
