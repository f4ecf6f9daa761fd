"""The lease of a project's shared transport, its last state, and the way to its writer while the bus is away.

One node at a time holds the lease. Every write names the holder and its token, so that a node which slept through the
loss of its lease changes nothing. Expiry is by the database's clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from persistence.pool import Pool

LEASE = timedelta(seconds=5)
COMMAND_AGE_MAX = timedelta(seconds=5)
"""An older command is not carried out: nobody wants a "play" of a minute ago."""

# Whose lease it was makes no difference: a new reign has a new token, also for the same node.
ACQUIRE = """
insert into project_transports as t (project_id, holder, token, expires_at)
select p.id, $2, 1, clock_timestamp() + $3 from projects p where p.id = $1 and p.deleted_at is null
    on conflict (project_id) do update
   set holder = excluded.holder, token = t.token + 1, expires_at = clock_timestamp() + $3, updated_at = now()
 where t.holder is null or t.expires_at < clock_timestamp() or t.holder = excluded.holder
returning token, position, state
"""
SAVE = """
update project_transports
   set epoch = $4, seq = $5, state = $6, tempo = $7, position = $8, expires_at = clock_timestamp() + $9,
       updated_at = now()
 where project_id = $1 and holder = $2 and token = $3
returning token
"""
RENEW = """
update project_transports t
   set position = r.position, expires_at = clock_timestamp() + $5
  from unnest($2::uuid[], $3::bigint[], $4::float8[]) as r (project_id, token, position)
 where t.project_id = r.project_id and t.token = r.token and t.holder = $1
returning t.project_id
"""
RELEASE = """
update project_transports
   set holder = null, expires_at = '-infinity', position = $4
 where project_id = $1 and holder = $2 and token = $3
"""
# What is known already is not read again: the state only where it is another one.
PEEK = """
select t.project_id, t.holder, t.token, t.seq, t.expires_at < clock_timestamp() or t.holder is null as free,
       case when (t.token, t.seq) <> (k.token, k.seq) then t.state end as state,
       case when (t.token, t.seq) <> (k.token, k.seq) then t.tempo end as tempo
  from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as k (project_id, token, seq)
  join project_transports t on t.project_id = k.project_id
"""
POST = "insert into transport_commands (project_id, node_id, command) values ($1, $2, $3)"
WAITING = """
select id, project_id, command from transport_commands
 where project_id = any ($1) and answer is null and sent_at > clock_timestamp() - $2::interval
 order by id
"""
ANSWER = "update transport_commands set answer = $2 where id = $1"
ANSWERS = """
delete from transport_commands
 where node_id = $1 and (answer is not null or sent_at < clock_timestamp() - $2::interval)
returning project_id, command, answer
"""
CLOCK = "select extract(epoch from clock_timestamp())::float8 * 1000"


@dataclass(frozen=True, slots=True)
class Reign:
    """A lease that was just taken: its token, and what the writer before left: position (ticks) and state."""

    token: int
    position: float
    state: Mapping[str, Any]


class Standing(NamedTuple):
    """The row of a project: who holds it, whether it is to be had, and its state where that was news."""

    holder: UUID | None
    token: int
    seq: int
    free: bool
    state: Mapping[str, Any] | None
    tempo: Mapping[str, Any] | None


class Held(NamedTuple):
    """A lease of ours, with the position to be kept."""

    project_id: UUID
    token: int
    position: float


class Posted(NamedTuple):
    """A command of another node that came by the database."""

    id: int
    project_id: UUID
    command: Mapping[str, Any]


class Transports:
    """Leases and states on one pool, for one node. Raises what the driver raises while the database is away."""

    def __init__(self, pool: Pool, node_id: UUID) -> None:
        self._pool = pool
        self._node_id = node_id

    async def acquire(self, project_id: UUID) -> Reign | None:
        """Take the lease; None if another node holds it (or there is no such project)."""
        row = await self._pool.fetchrow(ACQUIRE, project_id, self._node_id, LEASE)
        return None if row is None else Reign(row["token"], row["position"], row["state"])

    async def save(self, held: Held, epoch: str, seq: int, state: Mapping[str, Any], tempo: Mapping[str, Any]) -> bool:
        """Write a state and renew the lease; False if it is lost, and then nothing was written."""
        token = await self._pool.fetchval(
            SAVE, held.project_id, self._node_id, held.token, epoch, seq, state, tempo, held.position, LEASE
        )
        return token is not None

    async def renew(self, held: Sequence[Held]) -> set[UUID]:
        """Renew many leases at once; returns the projects whose lease is still ours."""
        rows = await self._pool.fetch(
            RENEW,
            self._node_id,
            [lease.project_id for lease in held],
            [lease.token for lease in held],
            [lease.position for lease in held],
            LEASE,
        )
        return {row["project_id"] for row in rows}

    async def release(self, held: Held) -> None:
        """Give the lease back, at once to be had by others."""
        await self._pool.execute(RELEASE, held.project_id, self._node_id, held.token, held.position)

    async def peek(self, known: Mapping[UUID, tuple[int, int]]) -> dict[UUID, Standing]:
        """How projects stand, of which one knows a state of this token and seq."""
        rows = await self._pool.fetch(
            PEEK, list(known), [token for token, _ in known.values()], [seq for _, seq in known.values()]
        )
        return {row["project_id"]: Standing(*tuple(row)[1:]) for row in rows}

    async def post(self, project_id: UUID, command: Mapping[str, Any]) -> None:
        """Leave a command for whoever holds the lease."""
        await self._pool.execute(POST, project_id, self._node_id, command)

    async def waiting(self, project_ids: Sequence[UUID]) -> list[Posted]:
        """Commands for these projects that are not answered yet, in the order in which they came."""
        rows = await self._pool.fetch(WAITING, project_ids, COMMAND_AGE_MAX)
        return [Posted(*row) for row in rows]

    async def answer(self, posted_id: int, answer: Mapping[str, Any]) -> None:
        """Answer a command that came by the database."""
        await self._pool.execute(ANSWER, posted_id, answer)

    async def answers(self) -> list[tuple[UUID, Mapping[str, Any], Mapping[str, Any] | None]]:
        """The answers to what this node has posted, each once: project, command, answer (None: too late)."""
        rows = await self._pool.fetch(ANSWERS, self._node_id, COMMAND_AGE_MAX)
        return [(row["project_id"], row["command"], row["answer"]) for row in rows]

    async def clock(self) -> float:
        """The database's time, in milliseconds since 1970."""
        now: float = await self._pool.fetchval(CLOCK)
        return now
