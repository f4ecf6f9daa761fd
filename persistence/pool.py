"""One connection pool per process, with JSON as Python values and no work at release."""

import json
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Database: TypeAlias = "Pool | Connection"  # whatever a statement can be run on

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


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
