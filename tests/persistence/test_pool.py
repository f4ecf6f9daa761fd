"""The pool mends itself, hands out clean connections and speaks JSON."""

import asyncio
from uuid import UUID

import asyncpg
import pytest

from persistence.errors import TRANSIENT
from persistence.journal import Batch, Journal
from persistence.pool import STATEMENTS_MAX, Kept, Pool, open_pool
from tests.collab_server.peer import until

CUT = "select pg_terminate_backend($1)"
SLEEPING = """
select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()
"""
ROUND_TRIP = "select $1::jsonb as b, $2::json as t"


async def test_json_is_python_values(pool: Pool) -> None:
    """Lists, maps, texts beyond ASCII and null go in and come out; NaN, which is no JSON, does not go in."""
    value = {"a": [1, 2.5, None, True, "é😀"], "b": {}}
    row = await pool.fetchrow(ROUND_TRIP, value, value)
    assert row is not None
    assert (row["b"], row["t"]) == (value, value)
    with pytest.raises(Exception, match="Out of range"):
        await pool.fetchrow(ROUND_TRIP, float("nan"), None)


async def test_cut_connections_are_replaced(database: str, project: UUID) -> None:
    """After the server cut one in mid-statement, a call fails at most with TRANSIENT and the next ones succeed."""
    own = await open_pool(database, 1, 2)
    journal = Journal(own)
    for round_ in range(3):
        async with own.acquire() as first, own.acquire() as second:
            # Both have ended before the connections go back: one that is released in mid-answer fails again.
            line = await second.fetchval("select pg_backend_pid()")
            calls = first.fetch(CUT, line), second.execute("select pg_sleep(30)")
            _, cut = await asyncio.gather(*calls, return_exceptions=True)
            assert isinstance(cut, TRANSIENT)
        for attempt in range(3):
            try:
                answer = await journal.append([Batch(project, 1, b"x", 1, ())])
            except TRANSIENT:
                assert attempt < 2
            else:
                assert answer == {project: 2 + round_}
                break
    await own.close()


async def test_a_transaction_left_open_ends_with_the_loan(pool: Pool, database: str, project: UUID) -> None:
    """A cancelled holder's transaction is rolled back before the connection is lent again: no lock stays behind."""
    own = await open_pool(database, 1, 1)

    async def hold() -> None:
        async with own.acquire() as connection, connection.transaction():
            await connection.execute("update documents set head = 99 where project_id = $1", project)
            await connection.execute("select pg_sleep(30)")

    task = asyncio.create_task(hold())
    await until(lambda: pool.fetchval(SLEEPING))  # a statement that has not begun cannot be cancelled
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await Journal(own).append([Batch(project, 1, b"x", 1, ())]) == {project: 2}
    await own.close()


async def test_a_statement_that_never_ends_is_given_up(database: str) -> None:
    """After the command timeout the caller gets TRANSIENT, and the pool goes on."""
    own = await open_pool(database, 1, 1, command_timeout=0.1)
    with pytest.raises(TRANSIENT):
        await own.execute("select pg_sleep(30)")
    assert await own.fetchval("select 1") == 1
    await own.close()


OURS = "select pg_backend_pid() as pid"


async def pid(kept: Kept) -> int:
    """Which server process answers."""
    (row,) = await kept.fetch(OURS)
    return int(row["pid"])


async def test_a_kept_connection_stays_until_it_is_let_go(database: str) -> None:
    """The same one answers until it was used often; while it is kept nobody else gets it, and then the pool has it."""
    own = await open_pool(database, 1, 2)
    kept = Kept(own)
    ours = await pid(kept)
    assert {await pid(kept) for _ in range(STATEMENTS_MAX - 1)} == {ours}
    assert await own.fetchval(OURS) != ours
    assert own.get_idle_size() == 1
    await pid(kept)  # the pool has had it in between
    await kept.let_go()
    await kept.let_go()
    assert own.get_idle_size() == 2
    await asyncio.wait_for(own.close(), 10)


async def test_a_kept_connection_is_replaced_when_it_was_cut(database: str) -> None:
    """Statements fail with TRANSIENT until that is known; the next succeed, also after a wrong or a cancelled one."""
    own = await open_pool(database, 1, 2)
    kept = Kept(own)
    first = await pid(kept)
    sleeping = asyncio.create_task(kept.fetch("select pg_sleep(30)"))
    await until(lambda: own.fetchval(SLEEPING))
    await own.fetch(CUT, first)
    with pytest.raises(TRANSIENT):
        await sleeping
    second = await pid(kept)
    assert second != first
    await own.fetch(CUT, second)
    for attempt in range(3):  # whether we, and then the pool, have heard of the end already is a matter of luck
        try:
            third = await pid(kept)
        except TRANSIENT:
            assert attempt < 2
        else:
            assert third not in {first, second}
            break
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await kept.fetch("selekt")
    assert await pid(kept) > 0
    cancelled = asyncio.create_task(kept.fetch("select pg_sleep(30)"))
    await until(lambda: own.fetchval(SLEEPING))
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert await pid(kept) > 0
    await kept.let_go()
    await asyncio.wait_for(own.close(), 10)


async def test_a_kept_connection_is_not_trusted_after_a_long_silence(database: str) -> None:
    """A firewall may have forgotten it, and a statement on it would wait for nothing: another one is opened."""
    own = await open_pool(database, 1, 2)
    kept = Kept(own, idle_seconds=-1.0)  # every silence is longer
    pids = [await pid(kept) for _ in range(3)]
    assert len(set(pids)) == 3
    await kept.let_go()
    await asyncio.wait_for(own.close(), 10)
