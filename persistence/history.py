"""A document as it was: rebuilt from the nearest older state that is kept and the rows after it.

yrs collects what was deleted, so the live document does not know its past. Compaction therefore hands its rows on to
the history: packs of consecutive rows, each row as its length (4 bytes, big endian) and its body, and now and then a
state to start from. All of it is pruned after a time that the settings name.
"""

import asyncio
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
from pycrdt import Doc

from persistence.editing import open_stored
from persistence.errors import CorruptState, MomentGone, NotFound
from persistence.journal import Loaded, Row
from persistence.pool import Database, Pool

LENGTH_BYTES: Final = 4
PRUNE_AT_ONCE: Final = 200

# Snapshots that were taken of the committed document show exactly their row; a live room's may be a moment ahead.
PAST = """
select d.epoch, d.head, b.seq as base_seq, b.state, b.sha256,
       h.firsts, h.lasts, h.packs, t.seqs, t.bodies
  from documents d
  left join lateral (
       select n.seq, n.state, n.sha256
         from ((select s.seq, s.state, s.sha256 from document_states s
                 where s.project_id = d.project_id and s.seq <= $3)
               union all
               (select c.seq, c.state, c.sha256 from document_checkpoints c
                 where c.project_id = d.project_id and c.seq <= $3 order by c.seq desc limit 1)
               union all
               (select p.seq, p.state, p.sha256 from studio_snapshots p
                 where p.project_id = d.project_id and p.seq <= $3 and p.reason in ('named', 'before_restore')
                 order by p.seq desc limit 1)) n
        order by n.seq desc
        limit 1
       ) b on true
 cross join lateral (
       select coalesce(array_agg(o.first order by o.last), '{}') as firsts,
              coalesce(array_agg(o.last order by o.last), '{}') as lasts,
              coalesce(array_agg(o.rows order by o.last), '{}') as packs
         from document_history o
        where o.project_id = d.project_id and o.last > coalesce(b.seq, 0) and o.first <= $2
       ) h
 cross join lateral (
       select coalesce(array_agg(u.seq order by u.seq), '{}') as seqs,
              coalesce(array_agg(u.body order by u.seq), '{}') as bodies
         from document_updates u where u.project_id = d.project_id and u.seq > coalesce(b.seq, 0) and u.seq <= $2
       ) t
 where d.project_id = $1
"""
BETWEEN = """
select h.firsts, h.lasts, h.packs, t.seqs, t.bodies
  from (select coalesce(array_agg(o.first order by o.last), '{}') as firsts,
               coalesce(array_agg(o.last order by o.last), '{}') as lasts,
               coalesce(array_agg(o.rows order by o.last), '{}') as packs
          from document_history o
         where o.project_id = $1 and o.last >= $2 and o.first <= $3) h
 cross join (select coalesce(array_agg(u.seq order by u.seq), '{}') as seqs,
                    coalesce(array_agg(u.body order by u.seq), '{}') as bodies
               from document_updates u
              where u.project_id = $1 and u.seq between $2 and $3) t
"""
# Below it rows are missing: they were pruned, or compacted when there was no history yet.
SINCE = """
select case when exists (select from document_history o where o.project_id = d.project_id and o.first = 1)
              or exists (select from document_updates u where u.project_id = d.project_id and u.seq = 1)
            then 1
            else least((select min(c.seq) from document_checkpoints c where c.project_id = d.project_id),
                       (select s.seq from document_states s where s.project_id = d.project_id))
       end
  from documents d
 where d.project_id = $1
"""
# What nobody needs who looks back no further than $1: rows and states below the newest state that is older than that.
PRUNE = """
with old as (
    select h.project_id, h.last
      from document_history h
     where h.ended_at < now() - $1::interval
       and (   exists (select from document_checkpoints c
                        where c.project_id = h.project_id and c.seq >= h.last and c.made_at < now() - $1::interval)
            or exists (select from document_states s
                        where s.project_id = h.project_id and s.seq >= h.last and s.created_at < now() - $1::interval))
     order by h.ended_at
     limit $2
), gone as (
    delete from document_history h using old
     where h.project_id = old.project_id and h.last = old.last
    returning 1
)
select count(*) from gone
"""
PRUNE_STATES = """
with gone as (
    delete from document_checkpoints c
     where c.made_at < now() - $1::interval
       and (   exists (select from document_checkpoints n
                        where n.project_id = c.project_id and n.seq > c.seq and n.made_at < now() - $1::interval)
            or exists (select from document_states s
                        where s.project_id = c.project_id and s.seq > c.seq and s.created_at < now() - $1::interval))
       and not exists (select from document_history h where h.project_id = c.project_id and h.first <= c.seq)
    returning 1
)
select count(*) from gone
"""


@dataclass(frozen=True, slots=True)
class Past:
    """What a load would have found when row `seq` was the last, and what it starts from: 0 is the empty document.

    `base` is the row of the state it starts from, `sha256` that state's hash.
    """

    project_id: UUID
    base: int
    sha256: bytes | None
    loaded: Loaded

    @property
    def seq(self) -> int:
        return self.loaded.head

    def open(self) -> "Doc[Any]":
        """The document: for a thread, a large one takes seconds. Raises CorruptState."""
        state = self.loaded.state
        if state is not None and hashlib.sha256(state).digest() != self.sha256:
            raise CorruptState(self.project_id, f"the sha256 of its state at row {self.base} does not match")
        return open_stored(self.project_id, self.loaded)


async def past(database: Database, project_id: UUID, seq: int, base_max: int | None = None) -> Past:
    """What leads to the moment after row `seq`, from no later state than that of row `base_max`.

    Raises NotFound, MomentGone, CorruptState.
    """
    record = await database.fetchrow(PAST, project_id, seq, seq if base_max is None else base_max)
    if record is None:
        raise NotFound(project_id)
    base: int = record["base_seq"] or 0
    tail = [row for row in _rows(project_id, record) if base < row.seq <= seq]
    if not 1 <= seq <= record["head"] or [row.seq for row in tail] != list(range(base + 1, seq + 1)):
        raise MomentGone(project_id, seq, await kept_since(database, project_id))
    return Past(project_id, base, record["sha256"], Loaded(record["epoch"], seq, record["state"], tail, {}))


async def rebuilt(database: Database, project_id: UUID, seq: int) -> "Doc[Any]":
    """The document after row `seq`. Raises NotFound, MomentGone, CorruptState."""
    found = await past(database, project_id, seq)
    return await asyncio.to_thread(found.open)


async def rows_between(database: Database, project_id: UUID, first: int, last: int) -> list[Row]:
    """The rows `first` to `last`, as far as they are kept, in order. Raises CorruptState."""
    record = await database.fetchrow(BETWEEN, project_id, first, last)
    assert record is not None
    return [row for row in _rows(project_id, record) if first <= row.seq <= last]


async def kept_since(database: Database, project_id: UUID) -> int | None:
    """The first row from which on every moment can be rebuilt; None if there is none."""
    seq: int | None = await database.fetchval(SINCE, project_id)
    return seq


async def prune_history(pool: Pool, age: timedelta) -> int:
    """Lets go what only moments longer ago than `age` need, some at a time; returns how many packs and states went."""
    total = gone = int(await pool.fetchval(PRUNE, age, PRUNE_AT_ONCE))
    while gone == PRUNE_AT_ONCE:
        gone = int(await pool.fetchval(PRUNE, age, PRUNE_AT_ONCE))
        total += gone
    return total + int(await pool.fetchval(PRUNE_STATES, age))


def _rows(project_id: UUID, record: asyncpg.Record) -> Iterator[Row]:
    for first, last, pack in zip(record["firsts"], record["lasts"], record["packs"], strict=True):
        bodies = list(unpacked(pack))
        if len(bodies) != last - first + 1:
            raise CorruptState(project_id, f"the rows {first} to {last} of its history cannot be read")
        yield from (Row(first + place, body) for place, body in enumerate(bodies))
    yield from map(Row, record["seqs"], record["bodies"])


def unpacked(pack: bytes) -> Iterator[bytes]:
    """The bodies in a pack; what is cut is left out, so their number tells."""
    at = 0
    while at + LENGTH_BYTES <= len(pack):
        length = int.from_bytes(pack[at : at + LENGTH_BYTES])
        at += LENGTH_BYTES
        if length > len(pack) - at:
            return
        yield pack[at : at + length]
        at += length
