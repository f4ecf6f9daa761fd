"""The bus on Redis or Valkey pub/sub: one connection that listens, one that publishes, each mended on its own.

redis-py would reconnect silently and lose what was published meanwhile; here a lost connection ends the listening
and a new one begins, subscribes to everything and, once all of it is confirmed, calls the gap callbacks. A channel
confirmed twice on one connection is a silent reconnect of the library and ends that connection too.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from presence.dispatch import PROJECT_PREFIX, Dispatch, Gap, Handler
from presence.errors import BadEvent
from presence.events import Event, decode
from presence.pending import Entry, Pending
from presence.settings import BusSettings

log = logging.getLogger(__name__)

AWAY: Final = (RedisError, OSError, TimeoutError)


class RedisBus:
    """See `presence.bus.Bus`. An async context manager; the server need not be there yet."""

    def __init__(self, settings: BusSettings) -> None:
        self._settings = settings
        self._client = Redis.from_url(
            settings.url,
            retry=Retry(NoBackoff(), 1),
            socket_timeout=settings.socket_timeout_seconds,
            socket_connect_timeout=settings.socket_timeout_seconds,
        )
        self._dispatch = Dispatch()
        self._ears = Listener(self._client, self._dispatch, settings)
        self._mouth = Publisher(self._client, settings)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(_for_ever(self._ears.listen, self._ears.lost, self._settings), name="bus listener"),
            asyncio.create_task(_for_ever(self._mouth.send, self._mouth.lost, self._settings), name="bus publisher"),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.socket_timeout_seconds):
                await self._mouth.emptied()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    @property
    def healthy(self) -> bool:
        return self._ears.healthy and self._mouth.healthy

    @property
    def queued(self) -> int:
        return self._mouth.queued

    @property
    def dropped(self) -> int:
        return self._mouth.dropped

    def publish(self, event: Event) -> None:
        self._mouth.put(event)

    async def subscribe(self, project_id: UUID, handler: Handler) -> None:
        self._dispatch.add(project_id, handler)
        await self._ears.subscribe(f"{PROJECT_PREFIX}{project_id}")

    async def unsubscribe(self, project_id: UUID) -> None:
        self._dispatch.remove(project_id)
        await self._ears.unsubscribe(f"{PROJECT_PREFIX}{project_id}")

    def on_gap(self, callback: Gap) -> None:
        self._dispatch.on_gap(callback)


class Listener:
    """The listening connection. `healthy` from when every channel is confirmed until the connection is lost."""

    def __init__(self, client: "Redis", dispatch: Dispatch, settings: BusSettings) -> None:
        self._client = client
        self._dispatch = dispatch
        self._settings = settings
        self._pubsub: PubSub | None = None
        self._expected: set[str] = set()
        self._confirmed: set[str] = set()
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._missed = False
        self._heard = True
        self._broken = asyncio.Event()
        self.healthy = False

    async def listen(self) -> None:
        """One connection's life; ends by raising one of AWAY."""
        pubsub = self._client.pubsub()
        try:
            channels = self._dispatch.channels()
            self._expected, self._confirmed, self._broken = set(channels), set(), asyncio.Event()
            await pubsub.subscribe(*channels)
            self._pubsub = pubsub
            await self._catch_up(channels)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ping(pubsub))
                group.create_task(self._read(pubsub))
                group.create_task(self._fall(self._broken))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            self._pubsub = None
            with suppress(*AWAY):
                await pubsub.aclose()  # type: ignore[no-untyped-call]

    def lost(self) -> None:
        self._missed = True
        self.healthy = False

    async def subscribe(self, channel: str) -> None:
        if self._pubsub is None:
            self._missed = True
            return
        self._expected.add(channel)
        confirmed = self._waiting.setdefault(channel, asyncio.get_running_loop().create_future())
        try:
            async with asyncio.timeout(self._settings.subscribe_timeout_seconds):
                await self._pubsub.subscribe(channel)
                await asyncio.shield(confirmed)
        except AWAY:
            self._broken.set()

    async def unsubscribe(self, channel: str) -> None:
        self._expected.discard(channel)
        if self._pubsub is not None:
            with suppress(*AWAY):
                await self._pubsub.unsubscribe(channel)

    async def _catch_up(self, channels: list[str]) -> None:
        """Subscribes what was added while the first command was on its way."""
        added = [channel for channel in self._dispatch.channels() if channel not in channels]
        if added and self._pubsub is not None:
            self._expected.update(added)
            await self._pubsub.subscribe(*added)

    async def _read(self, pubsub: PubSub) -> None:
        while True:
            message = await pubsub.get_message(timeout=None)
            self._heard = True
            if message is None:
                continue
            if message["type"] == "message":
                self._hear(message["data"])
            elif message["type"] == "subscribe":
                self._confirm(message["channel"].decode())
            elif message["type"] == "unsubscribe":
                self._confirmed.discard(message["channel"].decode())

    async def _ping(self, pubsub: PubSub) -> None:
        """A server that answers nothing for two intervals is gone, whatever TCP believes."""
        while True:
            self._heard = False
            await pubsub.ping()
            await asyncio.sleep(self._settings.ping_seconds)
            if not self._heard:
                raise TimeoutError("the bus is silent")

    async def _fall(self, broken: asyncio.Event) -> None:
        await broken.wait()
        raise ConnectionError("a subscription was lost on the way")

    def _hear(self, data: bytes) -> None:
        try:
            event = decode(data)
        except BadEvent:
            log.warning("unreadable event on the bus", exc_info=True)
        else:
            self._dispatch.deliver(event)

    def _confirm(self, channel: str) -> None:
        if channel in self._confirmed:
            self._broken.set()
            return
        self._confirmed.add(channel)
        if (waiting := self._waiting.pop(channel, None)) and not waiting.done():
            waiting.set_result(None)
        if self._confirmed >= self._expected:
            self._all_confirmed()

    def _all_confirmed(self) -> None:
        self.healthy = True
        if self._missed:
            self._missed = False
            log.info("the bus is back: events may have been missed")
            self._dispatch.gap()


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


async def _for_ever(
    life: Callable[[], Coroutine[Any, Any, None]], lost: Callable[[], None], settings: BusSettings
) -> None:
    """Runs one connection after another; the pause doubles while they fail at once."""
    loop = asyncio.get_running_loop()
    pause = settings.retry_first_seconds
    while True:
        began = loop.time()
        try:
            await life()
        except AWAY as error:
            log.warning("the bus is away", extra={"error": str(error) or type(error).__name__})
        except Exception:
            log.exception("the bus connection failed in a way nobody thought of")
        lost()
        pause = settings.retry_first_seconds if loop.time() - began > settings.retry_max_seconds else pause * 2
        await asyncio.sleep(min(pause, settings.retry_max_seconds))
