"""One connection pool per process, with JSON as Python values and no work at release."""

import asyncio
import json
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Database: TypeAlias = "Pool | Connection"  # whatever a statement can be run on

STATEMENTS_MAX = 1_000
"""So often a kept connection is used before the pool may replace it, as it does with old ones."""
IDLE_SECONDS = 300.0
"""A connection that was not used for longer may have been forgotten on its way; the pool gives up its own as soon."""

# A statement of ours is planned once: the journal's append costs a millisecond to plan and a fraction to run.
SERVER_SETTINGS = (
    ("application_name", "backline"),
    ("jit", "off"),
    ("plan_cache_mode", "force_generic_plan"),
    ("idle_in_transaction_session_timeout", "30s"),  # a process that was stopped must not hold a document's row
)


async def open_pool(
    dsn: str, min_size: int = 1, max_size: int = 8, *, connect_timeout: float = 10, command_timeout: float = 30
) -> Pool:
    """Connects `min_size` connections (timeouts in seconds) and returns the pool; the caller closes it.

    Raises what asyncpg raises, `errors.TRANSIENT` while the server is not there.
    """
    pool: Pool = await asyncpg.create_pool(
        dsn,
        min_size=min_size,
        max_size=max_size,
        timeout=connect_timeout,
        command_timeout=command_timeout,
        max_cached_statement_lifetime=0,
        server_settings=dict(SERVER_SETTINGS),
        init=_init,
        reset=_reset,
    )
    return pool


async def _init(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, encoder=_dump, decoder=json.loads, schema="pg_catalog")


async def _reset(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Nothing: asyncpg rolls an open transaction back by itself, and no code of ours changes a session's settings.

    Its default would cost a second round trip after every statement.
    """


class Kept:
    """One connection of a pool that stays, for whoever runs one statement after the other, never two at a time.

    Lending and giving back costs a task, a dozen calls and another turn of the event loop each time. Whoever keeps one
    lets it go before the pool is closed.
    """

    def __init__(self, pool: Pool, idle_seconds: float = IDLE_SECONDS) -> None:
        self._pool = pool
        self._idle_seconds = idle_seconds
        self._connection: PoolConnectionProxy[asyncpg.Record] | None = None
        self._statements = 0
        self._used_at = 0.0

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """As `Pool.fetch`. After an error, or many statements, the pool decides which connection is the next."""
        now = asyncio.get_running_loop().time()
        if self._connection is not None and now - self._used_at > self._idle_seconds:
            self._connection.terminate()
        self._used_at = now
        if self._connection is None or self._statements >= STATEMENTS_MAX or _has_ended(self._connection):
            await self.let_go()
            self._connection = await self._pool.acquire()
        self._statements += 1
        try:
            return await self._connection.fetch(sql, *arguments)
        except BaseException:
            await self.let_go()
            raise

    async def let_go(self) -> None:
        """Give the connection back, if there is one."""
        connection, self._connection, self._statements = self._connection, None, 0
        if connection is not None:
            await self._pool.release(connection)


def _has_ended(connection: "PoolConnectionProxy[asyncpg.Record]") -> bool:
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:  # it went back to the pool by itself when it was cut
        return True


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
