"""Hears from PostgreSQL that memberships changed, so that a role counts within a second even while the bus is away."""

import asyncio
from uuid import UUID

import asyncpg
import structlog

from collab_server.hub import Hub
from persistence.errors import TRANSIENT

CHANNEL = "backline_members"
RETRY_SECONDS = 0.5
ALIVE_SECONDS = 5.0
ALIVE = "SELECT 1"


async def listen(dsn: str, hub: Hub) -> None:
    """Listen for ever. After every (re)connection each room asks anew, as what was said meanwhile is lost."""
    log = structlog.get_logger("memberships")
    while True:
        try:
            await _listen(dsn, hub)
        except TRANSIENT as error:
            log.warning("not listening", error=f"{type(error).__name__}: {error}")
        await asyncio.sleep(RETRY_SECONDS)


async def _listen(dsn: str, hub: Hub) -> None:
    connection = await asyncpg.connect(dsn, timeout=10)
    checks: set[asyncio.Task[None]] = set()

    def heard(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        hosted = hub.rooms.get(UUID(str(payload)))
        if hosted is not None:
            task = asyncio.get_running_loop().create_task(hub.news.check_memberships(hosted))
            checks.add(task)
            task.add_done_callback(checks.discard)

    try:
        await connection.add_listener(CHANNEL, heard)
        for hosted in list(hub.rooms.values()):
            await hub.news.check_memberships(hosted)
        while True:
            await asyncio.sleep(ALIVE_SECONDS)
            await connection.execute(ALIVE)
    finally:
        connection.terminate()
