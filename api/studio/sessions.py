"""Live sessions of a project: who worked together, from when to when, and how much."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
from fastapi import APIRouter
from pydantic import TypeAdapter

from api import cursor as cursors
from api.access import Reader
from api.services import Unit
from api.shapes import PAGE_ITEMS, Cursor, Limit, Page, Person, Shape

LIST_SESSIONS: Final = """
select s.id, s.started_at, s.ended_at,
       coalesce(
           (select jsonb_agg(
                       jsonb_build_object(
                           'user', jsonb_build_object('id', a.id, 'name', a.display_name, 'color', a.color),
                           'role', p.role, 'joined_at', p.joined_at, 'left_at', p.left_at, 'edits', p.edits)
                       order by p.joined_at, p.connection_id)
              from collaboration_participants p
              join profiles a on a.id = p.user_id
             where p.session_id = s.id),
           '[]') as participants
  from collaboration_sessions s
 where s.project_id = $1 and ($2::timestamptz is null or (s.started_at, s.id) < ($2, $3::uuid))
 order by s.started_at desc, s.id desc
 limit $4
"""

router = APIRouter(tags=["history"])


class Participant(Shape):
    """One connection's part in a session."""

    user: Person
    role: str
    joined_at: datetime
    left_at: datetime | None
    edits: int


class Session(Shape):
    """From the first join to the last leave; `ended_at` null: somebody is there now."""

    id: UUID
    started_at: datetime
    ended_at: datetime | None
    participants: list[Participant]


PARTICIPANTS: Final[TypeAdapter[list[Participant]]] = TypeAdapter(list[Participant])


@router.get("/api/projects/{project_id}/sessions")
async def list_sessions(
    standing: Reader, work: Unit, cursor: Cursor = None, limit: Limit = PAGE_ITEMS
) -> Page[Session]:
    """Sessions, the newest first."""
    after = cursors.decode(cursor, cursors.moment, UUID) if cursor else (None, None)
    rows = await work.connection.fetch(LIST_SESSIONS, standing.project_id, *after, limit + 1)
    page, more = cursors.paged(rows, limit, lambda row: cursors.encode(row["started_at"], row["id"]))
    return Page(items=[_shape(row) for row in page], next_cursor=more)


def _shape(row: asyncpg.Record) -> Session:
    facts: dict[str, Any] = {name: row[name] for name in ("id", "started_at", "ended_at")}
    return Session(participants=PARTICIPANTS.validate_python(row["participants"]), **facts)
