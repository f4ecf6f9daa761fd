"""Snapshots: full states of a document with a name, kept until retention or a person deletes them."""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from persistence.errors import CorruptState, NameTaken
from persistence.pool import Database
from persistence.settings import RetentionSettings
from studio.canonical_json import written
from studio.fields import shortened

NAME_MAX = 120
VARIANTS_MAX = 100

INSERT = """
insert into studio_snapshots
       (project_id, kind, reason, name, author_id, parent_id, epoch, seq, state, canonical, sha256)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::json, $11)
    on conflict (project_id, name) where kind = 'named' do nothing
returning id
"""
TAKEN = "select name from studio_snapshots where project_id = $1 and kind = 'named' and name = any ($2)"
"""A content may be large: it is sent under a name that is free."""
SELECT = """
select id, project_id, kind, reason, name, author_id, parent_id, epoch, seq, created_at, state, canonical, sha256
  from studio_snapshots
 where project_id = $1 and id = $2
"""
RESTORES_KEPT = 100
"""States before a restore, of a project: each is a whole document, and whoever restores makes one more."""
TRIM = """
delete from studio_snapshots
 where id in (select id from studio_snapshots where project_id = $1 and reason = 'before_restore'
               order by created_at desc, id desc offset $2)
"""
LIST = """
select id, project_id, kind, reason, name, author_id, parent_id, epoch, seq, created_at
  from studio_snapshots
 where project_id = $1 and kind = any ($5::text[])
   and ($2::timestamptz is null or (created_at, id) < ($2, $3::uuid))
 order by created_at desc, id desc
 limit $4
"""
DELETE = "delete from studio_snapshots where project_id = $1 and id = $2 returning id"
PRUNE = """
with ranked as (
    select id, kind, created_at,
           row_number() over (partition by project_id, kind order by created_at desc, id desc) as place
      from studio_snapshots
     where kind in ('automatic', 'draft')
), gone as (
    delete from studio_snapshots s
     using ranked r
     where r.id = s.id
       and (   r.kind = 'automatic' and r.place > $1 and r.created_at < now() - $2::interval
            or r.kind = 'draft' and r.created_at < now() - $3::interval)
    returning s.id
)
select count(*) from gone
"""


class Cursor(NamedTuple):
    """The last entry of a page: the next page lists what is older."""

    created_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Listed:
    """A snapshot without its content. `kind`: named, automatic, draft; `reason`: why it was taken."""

    id: UUID
    project_id: UUID
    kind: str
    reason: str
    name: str
    author_id: UUID | None
    parent_id: UUID | None
    epoch: int
    seq: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot(Listed):
    """A snapshot with its full Yjs state and its canonical form, None if that was not worked out or there is none."""

    state: bytes
    canonical: dict[str, Any] | None


class Snapshots:
    """The snapshots of all projects, on a pool or inside a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(
        self,
        project_id: UUID,
        *,
        kind: str,
        reason: str,
        name: str,
        author: UUID | None,
        parent: UUID | None,
        epoch: int,
        seq: int,
        state: bytes,
        canonical: dict[str, Any] | str | None,
    ) -> UUID:
        """Stores a snapshot and returns its id. A named one whose name is taken gets the first free "name (n)".

        `canonical` may be written out already: who holds a transaction open keeps it short. Raises NameTaken after 100
        variants.
        """
        sha256 = hashlib.sha256(state).digest()
        text = await asyncio.to_thread(written, canonical) if isinstance(canonical, dict) else canonical
        variants = list(_variants(name))
        taken = (
            {row["name"] for row in await self._database.fetch(TAKEN, project_id, variants)} if kind == "named" else ()
        )
        for variant in variants:
            if variant in taken:
                continue
            saved: UUID | None = await self._database.fetchval(
                INSERT, project_id, kind, reason, variant, author, parent, epoch, seq, state, text, sha256
            )
            if saved is not None:
                return saved
        raise NameTaken(project_id, name)

    async def list(
        self,
        project_id: UUID,
        after: Cursor | None = None,
        limit: int = 50,
        kinds: tuple[str, ...] = ("named", "automatic"),
    ) -> "list[Listed]":
        """Newest first, at most `limit`; `after` is the last entry of the page before."""
        at, last = after or (None, None)
        rows = await self._database.fetch(LIST, project_id, at, last, limit, kinds)
        return [Listed(**dict(row)) for row in rows]

    async def get(self, project_id: UUID, snapshot_id: UUID) -> Snapshot | None:
        """One snapshot with its content, None if there is none. Raises CorruptState when its hash is wrong."""
        row = await self._database.fetchrow(SELECT, project_id, snapshot_id)
        return None if row is None else _checked(row)

    async def delete(self, project_id: UUID, snapshot_id: UUID) -> bool:
        """Deletes one; False if there was none."""
        return await self._database.fetchval(DELETE, project_id, snapshot_id) is not None

    async def prune(self, settings: RetentionSettings) -> int:
        """Deletes what retention no longer keeps, in all projects; named snapshots never. Returns how many."""
        count: int = await self._database.fetchval(
            PRUNE, settings.automatic_newest, settings.automatic_age, settings.draft_age
        )
        return count


def _checked(row: asyncpg.Record) -> Snapshot:
    fields = dict(row)
    sha256 = fields.pop("sha256")
    if hashlib.sha256(fields["state"]).digest() != sha256:
        raise CorruptState(fields["project_id"], f"the sha256 of snapshot {fields['id']} does not match")
    return Snapshot(**fields)


def _variants(name: str) -> Iterator[str]:
    """ "Version 3", "Version 3 (2)", "Version 3 (3)" ... each a name that may be given, in UTF-16 units."""
    clean = shortened(name.replace("\0", "").strip(), NAME_MAX) or "Untitled"
    yield clean
    for number in range(2, VARIANTS_MAX + 1):
        suffix = f" ({number})"
        yield shortened(clean, NAME_MAX - len(suffix)) + suffix
