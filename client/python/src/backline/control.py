"""Keeps a control socket connected: a ticket, a websocket, the time; and again, until it is over for good."""

import asyncio
import json
import math
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from backline.clock import BURST, BURST_SECONDS, INTERVAL_SECONDS, Clock, Report, sample
from backline.closing import ComeBack, Ending, Over, RenewTicket, ending, pause
from backline.errors import BacklineError, Refused, TicketRefused
from backline.session import ABNORMAL, CONNECT_SECONDS, GOOD_SECONDS, STALE_TICKETS_MAX
from backline.tickets import Tickets

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
        self.last_trouble = "no attempt was made"
        self._tickets, self._told, self._lost, self._follow = tickets, told, lost, follow
        self._outgoing: asyncio.Queue[str] | None = None
        self._failures = self._stale = 0
        self._begun_at = math.inf
        self._pings = 0

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
        try:
            while self.failure is None:
                await self._settle(await self._attempt())
        except Exception as error:
            self.failure = BacklineError(f"the control connection broke down: {error!r}")
            self.failure.__cause__ = error
        self._lost()

    async def _settle(self, end: Ending) -> None:
        self._lost()
        match end:
            case Over(error):
                self.failure = error
            case RenewTicket(reason) if not self._tickets.renewable or self._stale >= STALE_TICKETS_MAX:
                self.failure = TicketRefused(reason, 4401)
            case RenewTicket():
                self._stale += 1
                await self._rest(slow=False)
            case ComeBack(slow):
                await self._rest(slow)

    async def _rest(self, slow: bool) -> None:
        if time.monotonic() - self._begun_at > GOOD_SECONDS:
            self._failures = 0
        self._begun_at = math.inf
        await asyncio.sleep(pause(self._failures, slow, random.random()))  # noqa: S311 - no secret
        self._failures += 1

    # ------------------------------------------------------------------ one connection

    async def _attempt(self) -> Ending:
        try:
            address = (await self._tickets.fetch()).control
            async with connect(
                address, open_timeout=CONNECT_SECONDS, max_size=None, compression=None, close_timeout=2
            ) as socket:
                return await self._converse(socket)
        except Refused as refusal:
            return Over(refusal)
        except (OSError, InvalidHandshake, TimeoutError) as error:
            self.last_trouble = str(error) or type(error).__name__
            return ComeBack(slow=False)

    async def _converse(self, socket: ClientConnection) -> Ending:
        async with self._speaking(socket):
            with suppress(ConnectionClosed):
                while True:
                    message = await socket.recv()
                    self._heard(json.loads(message), local_ms())
        code, reason = socket.close_code or ABNORMAL, socket.close_reason or ""
        self.last_trouble = f"{reason or 'the connection was closed'} ({code})"
        return ending(code, reason)

    @asynccontextmanager
    async def _speaking(self, socket: ClientConnection) -> AsyncIterator[None]:
        outgoing = self._outgoing = asyncio.Queue()
        self.clock.restart()
        if self._follow:
            self.say({"t": "follow", "room": True})
        speaking = [asyncio.create_task(_speak(socket, outgoing)), asyncio.create_task(self._ask_the_time())]
        try:
            yield
        finally:
            self._outgoing = None
            for task in speaking:
                task.cancel()
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
            self._stale, self._begun_at = 0, time.monotonic()
        self._told(told)


async def _speak(socket: ClientConnection, outgoing: "asyncio.Queue[str]") -> None:
    with suppress(ConnectionClosed):
        while True:
            await socket.send(await outgoing.get())
