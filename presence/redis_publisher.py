"""The publishing connection of the Redis bus: a bounded queue in front, batches in one write, nothing lost by a cut."""

import asyncio
import logging
from contextlib import suppress

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from presence.events import Event
from presence.pending import Entry, Pending
from presence.redis_listener import AWAY
from presence.settings import BusSettings

log = logging.getLogger(__name__)


class Publisher:
    """The publishing connection. What was sent but not answered is sent again on the next connection."""

    def __init__(self, client: "Redis", settings: BusSettings) -> None:
        self._client = client
        self._settings = settings
        self._pending = Pending(settings.queue_events_max, settings.queue_bytes_max)
        self._batch: list[Entry] = []
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self.healthy = True

    @property
    def queued(self) -> int:
        return len(self._pending) + len(self._batch)

    @property
    def dropped(self) -> int:
        return self._pending.dropped

    def put(self, event: Event) -> None:
        self._pending.put(event)
        self._empty.clear()
        self._wake.set()

    async def emptied(self) -> None:
        await self._empty.wait()

    def lost(self) -> None:
        self.healthy = False

    async def send(self) -> None:
        """One connection's life; ends by raising one of AWAY."""
        connection: AbstractConnection = self._client.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            self.healthy = True
            while True:
                await self._send_batch(connection)
        finally:
            with suppress(*AWAY):
                await connection.disconnect(nowait=True)

    async def _send_batch(self, connection: AbstractConnection) -> None:
        if not self._batch:
            self._batch = self._pending.take(self._settings.batch_events_max)
        if not self._batch:
            self._empty.set()
            self._wake.clear()
            await self._wake.wait()
            return
        commands = [("PUBLISH", entry.channel, entry.data) for entry in self._batch]
        await connection.send_packed_command(connection.pack_commands(commands))
        for _ in self._batch:
            try:
                await connection.read_response()
            except ResponseError as error:
                log.error("the bus refused an event", extra={"error": str(error)})
        self._batch = []
