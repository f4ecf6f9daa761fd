"""The conversation about the shared transport: commands, states, and the time."""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from backline.clock import BURST, BURST_SECONDS, INTERVAL_SECONDS, Clock, Report, sample
from backline.errors import BacklineError, Refused
from backline.reconnect import Line, speaking
from backline.tickets import Pass, Tickets

ASLEEP_SECONDS: Final = 15.0
"""A timer that fires so much too late has slept: the clock is measured anew."""


def local_ms() -> float:
    """Our own clock."""
    return time.monotonic() * 1000


class Control:
    """`run()` lives as long as the block. `told` hears every message, `lost` every end of a connection."""

    def __init__(
        self, tickets: Tickets, told: Callable[[Mapping[str, Any]], None], lost: Callable[[], None], *, follow: bool
    ) -> None:
        self.clock = Clock()
        self.failure: BacklineError | None = None
        """Why the server refuses us for good."""
        self._told, self._lost, self._follow = told, lost, follow
        self._line = Line(tickets, "control connection")
        self._outgoing: asyncio.Queue[str] | None = None
        self._pings = 0

    @property
    def last_trouble(self) -> str:
        """Why there is no connection, in words."""
        return self._line.last_trouble

    def now(self) -> float:
        """The servers' time, ms."""
        return self.clock.now(local_ms())

    def report(self) -> Report:
        """How well it is known."""
        return self.clock.report(local_ms())

    def say(self, message: Mapping[str, Any]) -> None:
        """Send a message, if there is a connection."""
        if self._outgoing is not None:
            self._outgoing.put_nowait(json.dumps(message))

    async def run(self) -> None:
        """Connect, talk, come back. Returns when the server refuses us for good: `failure` then says why."""
        self.failure = await self._line.run(self)
        self._lost()

    # ------------------------------------------------------------------ one connection

    def address(self, allowed: Pass) -> str:
        """Where the control socket is."""
        return allowed.control

    async def converse(self, socket: ClientConnection) -> Refused | None:
        """Say and hear until the socket is closed."""
        async with self._speaking(socket):
            with suppress(ConnectionClosed):
                while True:
                    message = await socket.recv()
                    self._heard(json.loads(message), local_ms())
        self._lost()
        return None

    @asynccontextmanager
    async def _speaking(self, socket: ClientConnection) -> AsyncIterator[None]:
        outgoing = self._outgoing = asyncio.Queue()
        self.clock.restart()
        if self._follow:
            self.say({"t": "follow", "room": True})
        try:
            async with speaking(socket, outgoing, self._ask_the_time()):
                yield
        finally:
            self._outgoing = None
            await socket.close()

    async def _ask_the_time(self) -> None:
        """A burst, then now and then; after a sleep a burst again."""
        left = BURST
        while True:
            self._ping()
            left = max(0, left - 1)
            wait, before = BURST_SECONDS if left else INTERVAL_SECONDS, time.monotonic()
            await asyncio.sleep(wait)
            if time.monotonic() - before > wait + ASLEEP_SECONDS:
                self.clock.restart()
                left = BURST

    def _ping(self) -> None:
        self._pings += 1
        now = local_ms()
        shortest = self.clock.report(now).bound * 2
        known = {"rtt": shortest} if math.isfinite(shortest) else {}
        self.say({"t": "ping", "n": self._pings, "c": now, **known})

    def _heard(self, told: Mapping[str, Any], arrived: float) -> None:
        if told["t"] == "pong":
            self.clock.hear(sample(told["c"], told["r"], told["s"], arrived))
        elif told["t"] == "hello":
            self._line.good()
        self._told(told)
