"""Puts the collab server together: `async with running(settings)` serves until it is left."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import structlog

from collab_server.control.clock import SharedClock
from collab_server.control.control import Control
from collab_server.control.rounds import Rounds
from collab_server.door import Door
from collab_server.draining import drain
from collab_server.hub import Hub
from collab_server.janitor import Janitor
from collab_server.keeper import Keeper
from collab_server.memberships import listen
from collab_server.metrics import Metrics
from collab_server.register import Register
from collab_server.safekeeping import Safe
from collab_server.settings import Settings
from collab_server.sockets import serve
from collab_server.watchman import Watchman
from persistence.journal import Journal
from persistence.pool import Kept, open_pool
from persistence.sessions import Sessions
from persistence.transport import Transports
from persistence.voices import Voices
from presence.bus import open_bus
from presence.party_line import PartyLine


@asynccontextmanager
async def running(settings: Settings, failed: Callable[[], None]) -> AsyncIterator[Hub]:
    """Serve. On leaving: stop accepting, commit, tell everybody 1012, close what was opened.

    `failed` is called when a part has ended that must not end: what is left would serve people without saving.

    Raises what the database, the bus and the port raise when they can't be had.
    """
    collab, limits = settings.collab, settings.collab.limits
    loop = asyncio.get_running_loop()
    node_id = uuid4()
    metrics = Metrics()
    database = settings.database
    pool = await open_pool(
        database.url,
        database.connections_min,
        database.connections_max,
        connect_timeout=database.connect_timeout_seconds,
        command_timeout=database.command_timeout_seconds,
    )
    appending = Kept(pool) if database.connections_max > 1 else None
    try:
        async with open_bus(settings.bus) as bus:
            party = PartyLine(bus)
            journal = Journal(pool, appending)
            sessions = Sessions(pool, node_id, settings.plans.default)
            register = Register(sessions)
            keeper = Keeper(pool, journal, sessions, lambda: datetime.now(UTC), settings.retention)
            hub = Hub(collab, node_id, journal, keeper, Safe(pool), register, party.line(), metrics)
            _gauges(metrics, hub)
            transports = Transports(pool, node_id)
            clock = SharedClock(transports)
            await clock.set()
            control = Control(hub, transports, clock, party.line(), Voices(pool))
            operator_token = settings.operator.token.get_secret_value()
            door = Door(hub, control, settings.tickets.secret.get_secret_value(), operator_token, loop)
            server = await serve(
                door,
                host=collab.host,
                port=collab.port,
                message_bytes_max=limits.frame_bytes_max,
                outbox_bytes=limits.outbox_bytes_max,
                handshake_seconds=limits.handshake_seconds_max,
            )
            janitor = Janitor(pool, bus, lambda: datetime.now(UTC), settings.retention)
            work = [
                loop.create_task(hub.writer.run()),
                loop.create_task(register.run()),
                loop.create_task(Watchman(hub).run()),
                loop.create_task(janitor.run()),
                loop.create_task(listen(database.url, hub, control.memberships_changed)),
                loop.create_task(clock.run()),
                loop.create_task(Rounds(control).run()),
            ]
            for task in work:
                task.add_done_callback(lambda ended: _watch_over(ended, failed))
            try:
                yield hub
            finally:
                server.close()
                await control.drain()
                await drain(hub)
                for task in work:
                    task.cancel()
                await asyncio.gather(*work, return_exceptions=True)
    finally:
        try:
            if appending is not None:
                await appending.let_go()
        finally:
            await pool.close()


def _watch_over(ended: "asyncio.Task[None]", failed: Callable[[], None]) -> None:
    error = None if ended.cancelled() else ended.exception()
    if error is not None:
        structlog.get_logger("server").critical("a part has failed", exc_info=error)
        failed()


def _gauges(metrics: Metrics, hub: Hub) -> None:
    metrics.gauges = {
        "backline_rooms": ("Open rooms", lambda: len(hub.rooms)),
        "backline_connections": ("Open websockets", lambda: len(hub.connections)),
        "backline_unsaved_bytes": ("Applied but not yet committed", lambda: hub.writer.unsaved_bytes),
        "backline_bus_healthy": ("Whether events go out and come in: 1 or 0", lambda: float(hub.bus.healthy)),
        "backline_save_lag_seconds": ("For how long commits have been failing", lambda: hub.writer.lag_seconds),
        "backline_outbox_bytes": (
            "Written but not yet taken by the system, all connections",
            lambda: sum(c.socket.buffered() for c in hub.connections.values() if c.socket is not None),
        ),
    }
