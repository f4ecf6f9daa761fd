"""The second doorbell, PostgreSQL's own: memberships have changed, or edits may have been missed.

A node whose bus is away can't tell the others what it commits. It asks them, again and again, to look for themselves:
they may be in the best of health, and would wait for a message that never comes.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from collab_server.hub import Hub
from persistence.errors import TRANSIENT

CHANNEL = "backline_members"
HEADS_CHANNEL = "backline_heads"
RETRY_SECONDS = 0.5
RING_SECONDS = 0.5
"""How late an edit of a node without a bus may come to the others."""
ALIVE_SECONDS = 5.0
PATIENCE_SECONDS = 10.0
"""A connection that answers nothing for so long is dead, whatever TCP believes."""
ALIVE = "SELECT 1"
RING = "SELECT pg_notify('backline_heads', '')"


async def listen(dsn: str, hub: Hub, changed: Callable[[UUID | None], None]) -> None:
    """Listen for ever. After every (re)connection each room asks anew, as what was said meanwhile is lost.

    `changed` hears of each project whose memberships have changed; None when it may be any.
    """
    log = structlog.get_logger("memberships")
    while True:
        try:
            await _listen(dsn, hub, changed)
        except TRANSIENT as error:
            log.warning("not listening", error=f"{type(error).__name__}: {error}")
        await asyncio.sleep(RETRY_SECONDS)


async def _listen(dsn: str, hub: Hub, changed: Callable[[UUID | None], None]) -> None:
    connection = await asyncpg.connect(dsn, timeout=PATIENCE_SECONDS, command_timeout=PATIENCE_SECONDS)
    us = connection.get_server_pid()
    tasks: set[asyncio.Task[None]] = set()
    comparing: set[asyncio.Task[None]] = set()

    def start(work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        among.add(task)
        task.add_done_callback(among.discard)

    def heard(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        project_id = UUID(str(payload))
        changed(project_id)
        hosted = hub.rooms.get(project_id)
        if hosted is not None:
            start(hub.news.check_memberships(hosted), tasks)

    def asked(_connection: object, pid: int, _channel: str, _payload: object) -> None:
        """Who has no bus either compares all the time, and one comparison answers everybody who asked."""
        if pid != us and hub.rooms and hub.bus.healthy and not comparing:
            start(hub.news.compare(hub.care.heads), comparing)

    try:
        await connection.add_listener(CHANNEL, heard)
        await connection.add_listener(HEADS_CHANNEL, asked)
        changed(None)
        await hub.news.check_all_memberships()
        await _keep(connection, hub)
    finally:
        connection.terminate()


async def _keep(connection: "asyncpg.Connection[asyncpg.Record]", hub: Hub) -> None:
    """Ring while the bus is away, and look now and then whether anybody is there. Raises TRANSIENT at the end."""
    loop = asyncio.get_running_loop()
    spoke = loop.time()
    while True:
        await asyncio.sleep(RING_SECONDS)
        if connection.is_closed():
            raise ConnectionError("the database has hung up")
        ringing = bool(hub.rooms) and not hub.bus.healthy
        if ringing or loop.time() - spoke >= ALIVE_SECONDS:
            spoke = loop.time()
            await connection.execute(RING if ringing else ALIVE)
