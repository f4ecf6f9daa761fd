"""Live sessions: from the first join of a project to its last leave, with each connection's times and edits.

A session is shared by all nodes, one open one per project. A node that dies leaves its connections open; `sweep`
closes what has not been seen for a while, at the moment it was last seen.

Nobody waits for the disk at the door: coming and going is committed without a flush (synchronous_commit). A crash of
the database may forget the last moments of it; the next heartbeat puts those who are there back into the book.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from persistence.pool import Connection, Pool
from studio.plans import PLACES, Plan

# The no-op update locks the session that is open already, so that nobody closes it meanwhile.
JOIN = """
with session as (
    insert into collaboration_sessions as s (project_id) values ($1)
        on conflict (project_id) where ended_at is null do update set project_id = s.project_id
    returning id
)
insert into collaboration_participants as p (connection_id, session_id, user_id, role, node_id)
select $2, session.id, $3, $4, $5 from session
    on conflict (connection_id) do update
   set session_id = excluded.session_id, role = excluded.role, node_id = excluded.node_id, seen_at = now(),
       left_at = null, lost = false
returning session_id
"""
# Permission and book in one: whoever has no membership of a living project gets no row, here or there. With a plan
# whoever plays has to be counted first ($6 false): those are not in the book yet.
ADMIT = """
with admitted as (
    select a.connection_id, a.project_id, a.user_id, m.role, m.credited, m.restriction, m.could_write,
           coalesce(o.plan, $5) as plan
      from (select set_config('synchronous_commit', 'off', true)) unflushed
     cross join unnest($1::uuid[], $2::uuid[], $3::uuid[]) as a (connection_id, project_id, user_id)
      join project_members m on m.project_id = a.project_id and m.user_id = a.user_id
      join projects p on p.id = a.project_id and p.deleted_at is null
      join users o on o.id = p.owner_id
), booked as (
    select * from admitted where $6 or plan is null or role = 'viewer'
), session as (
    insert into collaboration_sessions as s (project_id) select distinct project_id from booked order by project_id
        on conflict (project_id) where ended_at is null do update set project_id = s.project_id
    returning id, project_id
), participant as (
    insert into collaboration_participants (connection_id, session_id, user_id, role, node_id)
    select b.connection_id, session.id, b.user_id, b.role, $4 from booked b join session using (project_id)
        on conflict (connection_id) do nothing
)
select connection_id, role, credited, restriction, could_write, plan from admitted
"""
# Two nodes never count at the same moment.
LOCK_PROJECTS = "select id from projects where id = any ($1) order by id for no key update"
PLAYING = """
select distinct s.project_id, p.user_id
  from collaboration_sessions s
  join collaboration_participants p on p.session_id = s.id and p.left_at is null and p.role <> 'viewer'
 where s.project_id = any ($1) and s.ended_at is null
"""
LEAVE_MANY = """
update collaboration_participants p
   set left_at = now(), seen_at = now(), edits = greatest(p.edits, l.edits)
  from (select set_config('synchronous_commit', 'off', true)) unflushed
 cross join unnest($1::uuid[], $2::bigint[]) as l (connection_id, edits)
 where p.connection_id = l.connection_id and p.left_at is null
returning p.session_id
"""
LEAVE = """
update collaboration_participants
   set left_at = now(), seen_at = now(), edits = greatest(edits, $2)
 where connection_id = $1 and left_at is null
returning session_id
"""
SEEN = """
update collaboration_participants p
   set seen_at = now(), edits = greatest(p.edits, s.edits)
  from unnest($1::uuid[], $2::bigint[]) as s (connection_id, edits)
 where p.connection_id = s.connection_id and p.left_at is null
returning p.connection_id
"""
SWEEP = """
update collaboration_participants
   set left_at = seen_at, lost = true
 where connection_id in (
       select connection_id from collaboration_participants
        where left_at is null and seen_at < now() - $1::interval
        order by connection_id
          for update skip locked
       )
returning connection_id
"""
# Nodes that had people here and did not see them leave: they may be gone, and with them what they had told.
LOST = """
select distinct p.node_id
  from collaboration_sessions s
  join collaboration_participants p on p.session_id = s.id
 where s.project_id = $1 and (s.ended_at is null or s.ended_at > now() - $3::interval)
   and p.node_id <> $2 and (p.left_at is null or p.lost) and p.seen_at > now() - $3::interval
"""
# What has no participant left: also sessions whose last leave was cut off by a crash.
EMPTY = """
select s.id from collaboration_sessions s
 where s.ended_at is null
   and not exists (select from collaboration_participants p where p.session_id = s.id and p.left_at is null)
 order by s.id
"""
LOCK_SESSIONS = "select id from collaboration_sessions where id = any ($1) order by id for update"
# A statement after the lock: its snapshot shows whoever joined before the lock was ours.
CLOSE = """
update collaboration_sessions s
   set ended_at = greatest(s.started_at, coalesce(
       (select max(p.left_at) from collaboration_participants p where p.session_id = s.id), s.started_at))
 where s.id = any ($1) and s.ended_at is null
   and not exists (select from collaboration_participants p where p.session_id = s.id and p.left_at is null)
returning s.id
"""


class Arrival(NamedTuple):
    """A connection that asks to be let in."""

    connection_id: UUID
    project_id: UUID
    user_id: UUID


class Admitted(NamedTuple):
    """A membership as it is now. `restriction` is as stored; `could_write`: its role allows it, or once did.

    `full`: the plan has no place left, so nobody came in.
    """

    role: str
    credited: bool = True
    restriction: object = None
    could_write: bool = False
    full: str = ""


class Sessions:
    """Sessions on one pool, as one node of the collab server tells of them.

    `plan`: what holds for owners who have none.
    """

    def __init__(self, pool: Pool, node_id: UUID, plan: Plan | None = None) -> None:
        self._pool = pool
        self._node_id = node_id
        self._plan = plan

    async def joined(self, project_id: UUID, connection_id: UUID, user_id: UUID, role: str) -> UUID:
        """Records a join in the project's open session, opening one if there is none; returns the session's id.

        Telling of the same connection again (after `seen` did not know it) reopens it.
        """
        session: UUID = await self._pool.fetchval(JOIN, project_id, connection_id, user_id, role, self._node_id)
        return session

    async def admit(self, arrivals: Sequence[Arrival]) -> dict[UUID, Admitted]:
        """Those who are members, by connection; each of them is recorded as `joined` does it, if there is a place."""
        rows = await self._pool.fetch(ADMIT, *_columns(arrivals), self._node_id, self._plan, False)
        admitted = {
            row["connection_id"]: Admitted(row["role"], row["credited"], row["restriction"], row["could_write"])
            for row in rows
        }
        plans = {row["connection_id"]: row["plan"] for row in rows if row["plan"] and row["role"] != "viewer"}
        if plans:
            counted = [arrival for arrival in arrivals if arrival.connection_id in plans]
            for connection_id in await self._admit_counted(counted, plans):
                refused = admitted[connection_id]
                admitted[connection_id] = refused._replace(full=plans[connection_id])
        return admitted

    async def _admit_counted(self, arrivals: Sequence[Arrival], plans: Mapping[UUID, str]) -> list[UUID]:
        """Records arrivals as far as there are places, in order; those of them for whom there is none.

        Somebody who is in already may come in again: people are counted, not their windows.
        """
        projects = sorted({arrival.project_id for arrival in arrivals})
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LOCK_PROJECTS, projects)
            playing: dict[UUID, set[UUID]] = {project: set() for project in projects}
            for row in await connection.fetch(PLAYING, projects):
                playing[row["project_id"]].add(row["user_id"])
            placed: list[Arrival] = []
            for arrival in arrivals:
                people = playing[arrival.project_id]
                if arrival.user_id in people or len(people) < PLACES[plans[arrival.connection_id]]:
                    people.add(arrival.user_id)
                    placed.append(arrival)
            if placed:
                await connection.execute(ADMIT, *_columns(placed), self._node_id, self._plan, True)
        return [arrival.connection_id for arrival in arrivals if arrival not in placed]

    async def left_many(self, connection_edits: Mapping[UUID, int]) -> None:
        """Many leaves at once, each with the connection's total of edits; sessions that are empty now are closed."""
        ids = list(connection_edits)
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(LEAVE_MANY, ids, [connection_edits[id_] for id_ in ids])
            sessions = {row["session_id"] for row in rows}
            if sessions:
                await _close(connection, sorted(sessions))

    async def left(self, connection_id: UUID, edits: int) -> None:
        """Records a leave with the connection's total of edits; the last leave closes the session."""
        async with self._pool.acquire() as connection, connection.transaction():
            session = await connection.fetchval(LEAVE, connection_id, edits)
            if session is not None:
                await _close(connection, [session])

    async def seen(self, connection_edits: Mapping[UUID, int]) -> set[UUID]:
        """The heartbeat of this node's connections, each with its total of edits so far.

        Returns those that were swept meanwhile (or never joined): call `joined` for them again.
        """
        ids = list(connection_edits)
        rows = await self._pool.fetch(SEEN, ids, [connection_edits[id_] for id_ in ids])
        return set(ids) - {row["connection_id"] for row in rows}

    async def lost(self, project_id: UUID, within: timedelta) -> set[UUID]:
        """The other nodes that had people in this project lately whom they did not see leave: alive, or gone."""
        return {row["node_id"] for row in await self._pool.fetch(LOST, project_id, self._node_id, within)}

    async def sweep(self, stale_after: timedelta) -> int:
        """Closes the connections not seen for `stale_after`, of any node, and the sessions left empty.

        Returns how many connections were closed. Any node may call it at any time.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            swept = await connection.fetch(SWEEP, stale_after)
        async with self._pool.acquire() as connection, connection.transaction():
            empty = [row["id"] for row in await connection.fetch(EMPTY)]
            if empty:
                await _close(connection, empty)
        return len(swept)


def _columns(arrivals: Sequence[Arrival]) -> tuple[list[UUID], list[UUID], list[UUID]]:
    return (
        [arrival.connection_id for arrival in arrivals],
        [arrival.project_id for arrival in arrivals],
        [arrival.user_id for arrival in arrivals],
    )


async def _close(connection: Connection, sessions: list[UUID]) -> None:
    await connection.execute(LOCK_SESSIONS, sessions)
    await connection.execute(CLOSE, sessions)
