"""The listening connection of the Redis bus.

redis-py would reconnect silently and lose what was published meanwhile; here a lost connection ends the listening
and a new one begins, subscribes to everything and, once all of it is confirmed, calls the gap callbacks. A channel
confirmed twice on one connection is a silent reconnect of the library and ends that connection too.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from presence.dispatch import Dispatch
from presence.errors import BadEvent
from presence.events import decode
from presence.settings import BusSettings

log = logging.getLogger(__name__)

AWAY: Final = (RedisError, OSError, TimeoutError, RuntimeError)
"""What redis-py raises when the line is gone; uvloop says it of a transport that is closed by a RuntimeError."""

CANCEL_SECONDS: Final = 0.05
CANCELLATIONS_MAX: Final = 10
"""How long a cancelled connection may take before it is cancelled again, and how often that is tried."""


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
        self._heard_at = 0.0
        self._loop = asyncio.get_running_loop()
        self._patience = 2 * settings.ping_seconds + 4 * settings.socket_timeout_seconds
        """For so long nothing may be heard, in seconds: time enough for the library to notice and to try again."""
        self._pubsub_now: PubSub | None = None
        """The line of the present life, whether it is subscribed already or not."""
        self._broken = asyncio.Event()
        self.healthy = False

    async def listen(self) -> None:
        """One connection's life; ends by raising one of AWAY.

        Whatever the library is waiting for, a life in which nothing is heard any more is given up: redis-py swallows a
        cancellation that comes while it connects, and can then wait for ever.
        """
        self._heard_at = self._loop.time()
        pubsub = self._pubsub_now = self._client.pubsub()
        life = asyncio.create_task(self._live(pubsub), name="bus listener's connection")
        life.add_done_callback(lambda life: life.cancelled() or life.exception())  # seen, even if it was given up
        try:
            while not life.done():
                await asyncio.wait([life], timeout=self._settings.ping_seconds)
                if self._loop.time() - self._heard_at > self._patience:
                    raise TimeoutError("the bus is silent, and the line is given up")
            await life
        finally:
            self._pubsub = self._pubsub_now = None
            self._let_wait_no_more()
            for _ in range(CANCELLATIONS_MAX):
                if life.done():
                    break
                life.cancel()
                await asyncio.wait([life], timeout=CANCEL_SECONDS)

    async def _live(self, pubsub: PubSub) -> None:
        try:
            channels = self._dispatch.channels()
            self._expected, self._confirmed, self._broken = set(channels), set(), asyncio.Event()
            await pubsub.subscribe(*channels)
            if pubsub is not self._pubsub_now:
                return  # given up meanwhile
            self._pubsub = pubsub
            await self._catch_up(channels)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._ping(pubsub))
                group.create_task(self._read(pubsub))
                group.create_task(self._fall(self._broken))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
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

    def _let_wait_no_more(self) -> None:
        """Whoever waits for a subscription goes on: the next connection makes it, and tells the gap."""
        waiting, self._waiting = self._waiting, {}
        for confirmed in waiting.values():
            if not confirmed.done():
                confirmed.set_result(None)

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
            if pubsub is not self._pubsub_now:
                return  # a line that was given up speaks again
            self._heard = True
            self._heard_at = self._loop.time()
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
