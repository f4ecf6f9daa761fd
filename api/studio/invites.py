"""Invitations: a secret link that makes whoever opens it a member. Only its hash is kept.

Accepting takes the invitation's row first, so the last use goes to exactly one of those who want it. Who is a member
with that role or a greater one already accepts for nothing; nobody's role ever becomes smaller. What the owner decided
about somebody after the invitation was made stands above it: it lets nobody back in who was removed since, and gives
nobody more than they were left with.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import asyncpg
from fastapi import APIRouter
from pydantic import Field

from api import cursor as cursors
from api.access import Manager
from api.auth import SignedIn, hashed, new_token
from api.errors import ApiError
from api.services import Given, Unit, Work
from api.shapes import PAGE_ITEMS, Body, Cursor, GivenRole, Limit, Page, Shape
from api.studio.projects import LOCK_PROJECT, Project, shown
from persistence.pool import Connection
from presence.events import RoleChanged
from studio.roles import Role

DAY_SECONDS: Final = 86_400
RANKS: Final = ("viewer", "commenter", "editor")

INSERT_INVITE: Final = """
insert into project_invites (project_id, token_sha256, role, max_uses, expires_at, created_by)
values ($1, $2, $3, $4, now() + $5::interval, $6)
returning id, role, max_uses, uses, expires_at, created_at
"""
LIST_INVITES: Final = """
select id, role, max_uses, uses, expires_at, created_at
  from project_invites
 where project_id = $1 and revoked_at is null
   and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid))
 order by created_at desc, id desc
 limit $4
"""
# Two that are made at once are made one after the other: the second sees the first.
COUNT_OPEN: Final = """
select count(*) from project_invites where project_id = $1 and revoked_at is null and expires_at > now()
"""
REVOKE_INVITE: Final = """
update project_invites set revoked_at = now()
 where project_id = $1 and id = $2 and revoked_at is null
returning id
"""
SELECT_INVITE: Final = """
select i.role, i.created_at, p.id as project_id, p.name as project_name, u.display_name, u.color,
       i.revoked_at is not null as revoked, i.expires_at <= now() as expired,
       i.max_uses is not null and i.uses >= i.max_uses as exhausted
  from project_invites i
  join projects p on p.id = i.project_id and p.deleted_at is null
  join profiles u on u.id = i.created_by
 where i.token_sha256 = $1
"""
LOCK_INVITE: Final = """
select i.id, i.project_id, i.role, i.created_by, i.created_at,
       i.revoked_at is not null as revoked, i.expires_at <= now() as expired
  from project_invites i
  join projects p on p.id = i.project_id and p.deleted_at is null
 where i.token_sha256 = $1
   for update of i
"""
# Whoever decides about a member holds this row until that is done: only then is it known what was decided.
LOCK_MEMBER: Final = "select role from project_members where project_id = $1 and user_id = $2 for update"
SELECT_CEILING: Final = """
select role, restriction from project_ceilings where project_id = $1 and user_id = $2 and decided_at >= $3
"""
JOIN_PROJECT: Final = """
insert into project_members as m (project_id, user_id, role, invited_by, restriction)
values ($1, $2, $3, $4, $5)
    on conflict (project_id, user_id)
    do update set role = excluded.role, restriction = excluded.restriction, updated_at = now()
 where array_position(array['viewer', 'commenter', 'editor', 'owner'], m.role)
     < array_position(array['viewer', 'commenter', 'editor', 'owner'], excluded.role)
returning true
"""
USE_INVITE: Final = "update project_invites set uses = uses + 1 where id = $1"

router = APIRouter(tags=["invites"])


class NewInvite(Body):
    """`max_uses` null: any number of people; `expires_in` in seconds, a week if left out."""

    role: GivenRole = "editor"
    max_uses: Annotated[int, Field(ge=1, le=1000)] | None = None
    expires_in: Annotated[int, Field(ge=60, le=90 * DAY_SECONDS)] = 7 * DAY_SECONDS


class Invite(Shape):
    """An invitation as its project's owner sees it later: without its secret."""

    id: UUID
    role: GivenRole
    max_uses: int | None
    uses: int
    expires_at: datetime
    created_at: datetime


class FreshInvite(Invite):
    """An invitation with its secret: shown this once."""

    token: str
    url: str


class InvitedTo(Shape):
    """The project behind an invitation, before one is its member."""

    id: UUID
    name: str


class Inviter(Shape):
    """Who invites."""

    name: str
    color: str


class Preview(Shape):
    """What an invitation offers."""

    project: InvitedTo
    role: GivenRole
    invited_by: Inviter


@dataclass(frozen=True, slots=True)
class Offer:
    """The role somebody gets by an invitation, and what restricts them in it."""

    role: GivenRole
    restriction: dict[str, Any] | None


class Accepted(Shape):
    """The project one is a member of now."""

    project: Project


@router.post("/api/projects/{project_id}/invites", status_code=201)
async def create_invite(body: NewInvite, standing: Manager, given: Given, work: Unit) -> FreshInvite:
    """A new link to share."""
    await given.made.spend(standing.caller.id)
    limit = given.settings.api.invites_per_project_max
    await work.connection.fetchval(LOCK_PROJECT, standing.project_id)
    if await work.connection.fetchval(COUNT_OPEN, standing.project_id) >= limit:
        raise ApiError("too_many_invites", limit=limit)
    token, lifetime = new_token(), timedelta(seconds=body.expires_in)
    arguments = (standing.project_id, hashed(token), body.role, body.max_uses, lifetime, standing.caller.id)
    row = await work.connection.fetchrow(INSERT_INVITE, *arguments)
    assert row is not None
    return FreshInvite(token=token, url=f"{given.settings.api.public_url}/join/{token}", **dict(row))


@router.get("/api/projects/{project_id}/invites")
async def list_invites(standing: Manager, work: Unit, cursor: Cursor = None, limit: Limit = PAGE_ITEMS) -> Page[Invite]:
    """Invitations that were not withdrawn, the newest first."""
    after = cursors.decode(cursor, cursors.moment, UUID) if cursor else (None, None)
    rows = await work.connection.fetch(LIST_INVITES, standing.project_id, *after, limit + 1)
    page, more = cursors.paged(rows, limit, lambda row: cursors.encode(row["created_at"], row["id"]))
    return Page(items=[Invite(**dict(row)) for row in page], next_cursor=more)


@router.delete("/api/projects/{project_id}/invites/{invite_id}", status_code=204)
async def revoke_invite(invite_id: UUID, standing: Manager, work: Unit) -> None:
    """Withdraws an invitation; who accepted it stays."""
    if await work.connection.fetchval(REVOKE_INVITE, standing.project_id, invite_id) is None:
        raise ApiError("not_found")


@router.get("/api/invites/{token}")
async def show_invite(token: str, caller: SignedIn, work: Unit) -> Preview:
    """What the link offers; 410 says why it offers nothing any more."""
    row = await work.connection.fetchrow(SELECT_INVITE, hashed(token))
    if row is None:
        raise ApiError("not_found")
    _check_open(row)
    if row["exhausted"]:
        raise ApiError("invite_exhausted")
    offer = await _offer(work.connection, row, caller.id)
    if offer is None:
        raise ApiError("invite_outdated")
    return Preview(
        project=InvitedTo(id=row["project_id"], name=row["project_name"]),
        role=offer.role,
        invited_by=Inviter(name=row["display_name"], color=row["color"]),
    )


@router.post("/api/invites/{token}/accept")
async def accept_invite(token: str, caller: SignedIn, work: Unit) -> Accepted:
    """Makes the caller a member. Doing it again changes nothing and uses nothing up."""
    invite = await work.connection.fetchrow(LOCK_INVITE, hashed(token))
    if invite is None:
        raise ApiError("not_found")
    project_id = invite["project_id"]
    present = await work.connection.fetchval(LOCK_MEMBER, project_id, caller.id)
    offer = await _offer(work.connection, invite, caller.id)
    if offer is None and present is None:
        _check_open(invite)
        raise ApiError("invite_outdated")
    if offer is not None and await _joined(work, invite, caller.id, offer):
        _check_open(invite)
        # The constraint project_invites_not_exhausted refuses one use too many, and takes the membership back.
        await work.connection.execute(USE_INVITE, invite["id"])
        work.announce(RoleChanged(project_id, caller.id, Role(offer.role)))
    return Accepted(project=await shown(work, project_id, caller))


async def _offer(connection: Connection, invite: asyncpg.Record, user_id: UUID) -> Offer | None:
    """What the invitation still gives this person; None if they were removed after it was made."""
    ceiling = await connection.fetchrow(SELECT_CEILING, invite["project_id"], user_id, invite["created_at"])
    if ceiling is None:
        return Offer(invite["role"], None)
    if ceiling["role"] is None:
        return None
    if RANKS.index(ceiling["role"]) > RANKS.index(invite["role"]):
        return Offer(invite["role"], None)
    return Offer(ceiling["role"], ceiling["restriction"])


async def _joined(work: Work, invite: asyncpg.Record, user_id: UUID, offer: Offer) -> bool:
    """False if the user has that role or a greater one already."""
    arguments = (invite["project_id"], user_id, offer.role, invite["created_by"], offer.restriction)
    return await work.connection.fetchval(JOIN_PROJECT, *arguments) is True


def _check_open(invite: asyncpg.Record) -> None:
    if invite["revoked"]:
        raise ApiError("invite_revoked")
    if invite["expired"]:
        raise ApiError("invite_expired")
