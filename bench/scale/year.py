"""A year of a busy project: millions of history rows, and a journal that is written and compacted all the time."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from bench.scale.crew import Crew, place
from bench.scale.findings import Findings, median
from bench.scale.projects import Catalogue, fill
from bench.scale.songs import Stored, large, small
from bench.scale.stage import Stage
from persistence.journal import Batch, Change, Journal
from persistence.pool import Pool, open_pool
from persistence.sessions import Arrival, Sessions

HISTORY: Final = """
insert into document_changes (project_id, seq, author_id, origin, edits, paths, created_at)
select $1, n, $2, 'edit', 1 + n % 7, array['clips/c_' || lpad((n % 900)::text, 12, '0') || '/pos', 'transport//bpm'],
       now() - (($3 - n) * interval '15 seconds')
  from generate_series(1, $3::bigint) as n
"""
STATE_AT: Final = """
with s as (update document_states set seq = $2 where project_id = $1), d as (
    update documents set head = $2 where project_id = $1)
delete from document_updates where project_id = $1
"""
ROWS_OF_OTHERS: Final = """
insert into document_updates (project_id, seq, body, edits)
select p, 1000000 + n, $3, 1 from unnest($1::uuid[]) as p, generate_series(1, $2::int) as n
"""
PAGE: Final = """
select seq, author_id, origin, edits, paths, created_at from document_changes
 where project_id = $1 and id < coalesce($2::bigint, 9223372036854775807) order by id desc limit 50
"""
ID_OF: Final = "select id from document_changes where project_id = $1 and seq = $2"
STATISTICS: Final = """
select c.relname, pg_table_size(c.oid) as bytes, pg_indexes_size(c.oid) as index_bytes,
       s.n_tup_upd, s.n_tup_hot_upd, s.n_live_tup, s.n_dead_tup, s.autovacuum_count
  from pg_class c join pg_stat_user_tables s on s.relid = c.oid
 where c.relname = any ($1)
"""
FORCE_STATISTICS: Final = "select pg_stat_force_next_flush()"
WAL: Final = "select pg_current_wal_lsn() - '0/0'::pg_lsn"
VACUUM: Final = "vacuum"
TIDY: Final = "vacuum (analyze)"
TABLES: Final = ("documents", "document_updates", "document_states", "document_changes", "collaboration_participants")
COMPACT_AFTER: Final = 1000
BODY_BYTES: Final = 400
HEARTBEAT_BATCH: Final = 20_000


@dataclass(slots=True, frozen=True)
class Size:
    """History rows, commits, rooms in each commit, rows of the journal of other projects (each), connections of a node,
    their heartbeats, opens to time.
    """

    history: int = 2_000_000
    commits: int = 20_000
    rooms: int = 4
    projects: int = 2_000
    other_rows: int = 500
    connections: int = 20_000
    heartbeats: int = 10
    opens: int = 40


async def measure(stage: Stage, say: Callable[[str], None], client_core: int | None, size: Size = Size()) -> Findings:
    """Open it, write its year, open it again."""
    found = Findings("year", f"a busy project after {size.history:,} history rows and {size.commits:,} more commits")
    rng = random.Random(7)
    await stage.fresh()
    song = large(rng, 100_000, clips=300, points=500)
    busy = await fill(stage.dsn, 1, 1, [song])
    others = await fill(stage.dsn, size.projects, 2, [small(rng, uuid4()) for _ in range(50)])
    pool = await open_pool(stage.dsn)
    try:
        await _opens(stage, busy, found, "new", client_core, size)
        say(f"writing {size.history:,} history rows")
        await pool.execute(HISTORY, busy.projects[0], busy.people[0], size.history, timeout=300)
        await pool.execute(
            ROWS_OF_OTHERS, others.projects[size.rooms :], size.other_rows, bytes(BODY_BYTES), timeout=300
        )
        await pool.execute(STATE_AT, busy.projects[0], size.history)
        await pool.execute(VACUUM, timeout=300)
        say(f"{size.commits:,} commits")
        await _churn(stage, pool, [busy.projects[0], *others.projects[: size.rooms - 1]], song, found, size)
        say("heartbeats")
        await _heartbeats(stage, pool, others, found, size)
        await _sizes(pool, found)
        # What was written in a minute here is tidied all the year long: nobody opens a project just when all of it is.
        await pool.execute(TIDY, timeout=300)
        await _opens(stage, busy, found, "after a year", client_core, size)
        middle = await pool.fetchval(ID_OF, busy.projects[0], size.history // 2)
        for where, before in (("the first", None), ("in the middle", middle)):
            began = time.perf_counter()
            await pool.fetch(PAGE, busy.projects[0], before)
            found.add(f"a page of history, {where}", (time.perf_counter() - began) * 1e3, "ms")
    finally:
        await pool.close()
    return found


async def _opens(
    stage: Stage, busy: Catalogue, found: Findings, when: str, client_core: int | None, size: Size
) -> None:
    node = await stage.start()
    places = [place(stage, node, busy.projects[0], busy.people[0])] * size.opens
    async with Crew(client_core) as crew:
        await crew.visit(places, 2, 3, 0.05)
        before = stage.cpu()
        answer = await crew.visit(places, 4, size.opens / 4, 0.05)
        after = stage.cpu()
    await stage.clear()
    found.add(f"cold open, {when}, p50", answer["open_p50_ms"], "ms")
    found.add(f"cold open, {when}, p99", answer["open_p99_ms"], "ms", 50)
    spent = (after["postgresql"] - before["postgresql"]) / size.opens
    found.add(f"cold open, {when}, PostgreSQL's CPU", spent * 1e3, "ms")


async def _churn(stage: Stage, pool: Pool, projects: list[UUID], song: Stored, found: Findings, size: Size) -> None:
    journal, author = Journal(pool), uuid4()
    body, changes = bytes(BODY_BYTES), (Change(author, "edit", 3, ("clips/c_000000000001/pos",)),)
    batches = [Batch(project, 1, body, 3, changes) for project in projects]
    before, wal, began = stage.cpu(), await pool.fetchval(WAL), time.monotonic()
    walls: list[float] = []
    for index in range(1, size.commits + 1):
        at = time.perf_counter()
        heads = await journal.append(batches)
        walls.append((time.perf_counter() - at) * 1e3)
        if index % COMPACT_AFTER == 0:
            for project, head in heads.items():
                assert isinstance(head, int)
                await journal.compact(project, 1, head, song.state)
    wall, after, written = time.monotonic() - began, stage.cpu(), await pool.fetchval(WAL) - wal
    found.add("commits a second, one after the other", size.commits / wall)
    found.add("commit, p50, first thousand", median(walls[:1000]), "ms")
    found.add("commit, p50, last thousand", median(walls[-1000:]), "ms")
    spent = after["postgresql"] - before["postgresql"]
    found.add(f"PostgreSQL's CPU per commit of {len(projects)} rooms", spent / size.commits * 1e3, "ms")
    found.add("WAL per commit", int(written) / size.commits / 1024, "KiB")


async def _heartbeats(stage: Stage, pool: Pool, others: Catalogue, found: Findings, size: Size) -> None:
    """What a node writes for its connections while all of them are silent."""
    sessions = Sessions(pool, uuid4())
    arrivals = [
        Arrival(uuid4(), others.projects[index % len(others.projects)], others.people[index % 2])
        for index in range(size.connections)
    ]
    for begin in range(0, len(arrivals), 500):
        await sessions.admit(arrivals[begin : begin + 500])
    edits = {arrival.connection_id: 0 for arrival in arrivals}
    await pool.execute(VACUUM, timeout=300)
    before, wal, walls = stage.cpu(), await pool.fetchval(WAL), list[float]()
    for _ in range(size.heartbeats):
        began = time.perf_counter()
        await sessions.seen(edits)
        await sessions.sweep(timedelta(seconds=90))
        walls.append((time.perf_counter() - began) * 1e3)
    after, written = stage.cpu(), await pool.fetchval(WAL) - wal
    await sessions.left_many(edits)  # nobody has to sweep them while what follows is measured
    found.add(f"heartbeat of {size.connections:,} connections", median(walls), "ms")
    found.add("· PostgreSQL's CPU", (after["postgresql"] - before["postgresql"]) / size.heartbeats * 1e3, "ms")
    found.add("· WAL", int(written) / size.heartbeats / 2**20, "MiB")


async def _sizes(pool: Pool, found: Findings) -> None:
    async with pool.acquire() as connection:
        await connection.execute(FORCE_STATISTICS)
    rows = {row["relname"]: row for row in await pool.fetch(STATISTICS, list(TABLES))}
    for table in TABLES:
        _size(table, rows[table], found)


def _size(table: str, row: "asyncpg.Record | Mapping[str, int]", found: Findings) -> None:
    found.add(f"{table}: table", row["bytes"] / 2**20, "MiB")
    found.add(f"{table}: indexes", row["index_bytes"] / 2**20, "MiB")
    found.add(f"{table}: dead rows", row["n_dead_tup"])
    if row["n_tup_upd"]:
        found.add(f"{table}: heap-only updates", row["n_tup_hot_upd"] / row["n_tup_upd"] * 100, "%")
