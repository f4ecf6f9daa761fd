"""The servers' shared clock: this process's own, led by the database's, so that all nodes name a moment alike.

It runs on while the database is away. Small differences are slewed away; only a database that is suddenly more than
50 ms elsewhere (another host has taken over) sets it anew.
"""

import asyncio
import time

import structlog

from persistence.errors import TRANSIENT
from persistence.transport import Transports
from studio.clock import BURST, INTERVAL_MS, Clock, sample


def monotonic_ms() -> float:
    """This machine's own clock."""
    return time.monotonic() * 1000


class SharedClock:
    """Milliseconds since 1970, as the database believes."""

    def __init__(self, transports: Transports) -> None:
        self._transports = transports
        self._clock = Clock()
        self._log = structlog.get_logger("clock")

    def now(self) -> float:
        """The shared time."""
        return self._clock.now(monotonic_ms())

    async def set(self) -> None:
        """The first burst. Raises what the driver raises while the database is away."""
        for _ in range(BURST):
            await self._ask()

    async def run(self) -> None:
        """Keep it right for ever."""
        while True:
            await asyncio.sleep(INTERVAL_MS / 1000)
            try:
                jump = await self._ask()
            except TRANSIENT as error:
                self._log.warning("the database's clock was not read", error=f"{type(error).__name__}: {error}")
                continue
            if jump:
                self._log.warning("the shared clock was set", milliseconds=round(jump, 3))

    async def _ask(self) -> float:
        sent = monotonic_ms()
        there = await self._transports.clock()
        return self._clock.hear(sample(sent, there, there, monotonic_ms()))
