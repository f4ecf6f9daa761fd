"""What operators ask about stored documents and do to them: facts, quarantine, lineage, new projects."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from persistence.journal import Journal
from persistence.pool import Connection, Pool

HISTORY = """
select c.seq, c.created_at, c.origin, c.edits, c.paths, c.author_id, f.display_name
  from document_changes c left join profiles f on f.id = c.author_id
 where c.project_id = $1
 order by c.id desc
 limit $2
"""
AUTHORS = """
select c.author_id, f.display_name, sum(c.edits)::bigint as edits, max(c.created_at) as last_at
  from document_changes c left join profiles f on f.id = c.author_id
 where c.project_id = $1
 group by c.author_id, f.display_name
 order by edits desc, c.author_id
"""
SNAPSHOTS = """
select kind, count(*) as number, sum(octet_length(state))::bigint as bytes, max(created_at) as last_at
  from studio_snapshots where project_id = $1 group by kind order by kind
"""
DAMAGED_SNAPSHOTS = """
select id from studio_snapshots where project_id = $1 and sha256(state) <> sha256 order by created_at
"""
PRESENT = """
select t.connection_id, t.user_id, f.display_name, t.role, t.node_id, t.joined_at, t.seen_at
  from collaboration_sessions s
  join collaboration_participants t on t.session_id = s.id and t.left_at is null
  left join profiles f on f.id = t.user_id
 where s.project_id = $1 and s.ended_at is null
 order by t.joined_at
"""
PROJECTED = "select seq from studio_projections where project_id = $1"
MARKERS = """
select id, tick, end_tick, label, color, kind, author_id from studio_markers where project_id = $1 order by id
"""
NOTES = """
select id, anchor, track_id, parent_id, body, author_id, resolved_by, at from studio_notes where project_id = $1
 order by id
"""
COUNT_PROJECTS = """
select count(*) from documents d join projects p on p.id = d.project_id and p.deleted_at is null
"""
PROJECTS = """
select d.project_id from documents d join projects p on p.id = d.project_id and p.deleted_at is null
 where $1::uuid is null or d.project_id > $1
 order by d.project_id
 limit $2
"""
SET_ASIDE = """
update documents set quarantined_at = now(), quarantine_reason = $2
 where project_id = $1 and quarantined_at is null
returning project_id
"""
RELEASE = """
update documents set quarantined_at = null, quarantine_reason = null
 where project_id = $1 and quarantined_at is not null
returning project_id
"""
# A compaction under way would store a state of the old epoch after we have looked for states to move: it is let finish,
# and the next one takes its view of the epoch after us.
NO_COMPACTION = "lock table document_states in share row exclusive mode"
NEW_EPOCH = """
with grown as (
    update documents d set epoch = d.epoch + 1, updated_at = now()
     where $1::uuid is null or d.project_id = $1
    returning d.project_id, d.epoch, d.head
), moved as (
    update document_states s set epoch = g.epoch from grown g where s.project_id = g.project_id
)
select g.project_id, g.epoch, g.head,
       exists (select from collaboration_sessions c where c.project_id = g.project_id and c.ended_at is null) as open
  from grown g
 order by g.project_id
"""
FIND_USER = """
select u.id from users u left join profiles f on f.id = u.id
 where u.deleted_at is null and (u.id::text = $1 or f.username = $1 or lower(u.email) = lower($1))
"""
INSERT_PROJECT = """
with made as (
    insert into projects (id, owner_id, name) values ($1, $2, $3) returning id
)
insert into project_members (project_id, user_id, role) select id, $2, 'owner' from made
"""
PROJECTS_PAGE = 500


class Done(NamedTuple):
    """One entry of the history."""

    seq: int
    at: datetime
    origin: str
    edits: int
    paths: list[str]
    author_id: UUID | None
    author_name: str | None


class AuthorTotal(NamedTuple):
    """What one person (None: the server) has done in all."""

    author_id: UUID | None
    name: str | None
    edits: int
    last_at: datetime


class SnapshotTotal(NamedTuple):
    """The snapshots of one kind."""

    kind: str
    number: int
    bytes: int
    last_at: datetime


class Present(NamedTuple):
    """A connection that is open by the database's books."""

    connection_id: UUID
    user_id: UUID
    name: str | None
    role: str
    node_id: UUID
    joined_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What the tables around a document say."""

    history: list[Done]
    authors: list[AuthorTotal]
    snapshots: list[SnapshotTotal]
    present: list[Present]
    projected: int | None


class Lineage(NamedTuple):
    """A document's new epoch; `open` when somebody has it open by the database's books."""

    project_id: UUID
    epoch: int
    head: int
    open: bool


async def facts(connection: Connection, project_id: UUID, history: int) -> Facts:
    """The newest `history` entries, and totals."""
    return Facts(
        history=[Done(*row) for row in await connection.fetch(HISTORY, project_id, history)],
        authors=[AuthorTotal(*row) for row in await connection.fetch(AUTHORS, project_id)],
        snapshots=[SnapshotTotal(*row) for row in await connection.fetch(SNAPSHOTS, project_id)],
        present=[Present(*row) for row in await connection.fetch(PRESENT, project_id)],
        projected=await connection.fetchval(PROJECTED, project_id),
    )


async def damaged_snapshots(connection: Connection, project_id: UUID) -> list[UUID]:
    """The snapshots whose bytes are not what was stored."""
    return [row["id"] for row in await connection.fetch(DAMAGED_SNAPSHOTS, project_id)]


async def projected_rows(
    connection: Connection, project_id: UUID
) -> tuple[int | None, list[tuple[object, ...]], list[tuple[object, ...]]]:
    """The row of the journal they show (None: never projected), then studio_markers' and studio_notes' rows."""
    shown: int | None = await connection.fetchval(PROJECTED, project_id)
    markers = [tuple(row) for row in await connection.fetch(MARKERS, project_id)]
    return shown, markers, [tuple(row) for row in await connection.fetch(NOTES, project_id)]


async def count_projects(pool: Pool) -> int:
    """How many documents there are, without deleted ones."""
    count: int = await pool.fetchval(COUNT_PROJECTS)
    return count


async def every_project(pool: Pool) -> AsyncIterator[UUID]:
    """The ids of all documents that are not deleted, in order, read a page at a time."""
    last: UUID | None = None
    while page := await pool.fetch(PROJECTS, last, PROJECTS_PAGE):
        for row in page:
            yield row["project_id"]
        last = page[-1]["project_id"]


async def set_aside(pool: Pool, project_id: UUID, reason: str) -> bool:
    """Quarantines a document; False if it was already, or there is none."""
    return await pool.fetchval(SET_ASIDE, project_id, reason[:2000]) is not None


async def release(pool: Pool, project_id: UUID) -> bool:
    """Lifts the quarantine; False if there was none."""
    return await pool.fetchval(RELEASE, project_id) is not None


async def new_epoch(pool: Pool, project_id: UUID | None) -> list[Lineage]:
    """The next epoch for one document, or for all of them (None), in one transaction."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(NO_COMPACTION)
        return [Lineage(*row) for row in await connection.fetch(NEW_EPOCH, project_id)]


async def find_user(pool: Pool, name: str) -> UUID | None:
    """Somebody by id, user name or e-mail address."""
    found: UUID | None = await pool.fetchval(FIND_USER, name)
    return found


async def create_project(pool: Pool, project_id: UUID, owner: UUID, name: str, seed: bytes) -> None:
    """A new project of `owner` whose journal begins with `seed`."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(INSERT_PROJECT, project_id, owner, name)
        await Journal.create(connection, project_id, seed, owner)
