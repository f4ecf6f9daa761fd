"""When a room tells its presence: what is new at once, but not too often; who is only still there, together."""

import asyncio
from collections.abc import Callable
from typing import Final

RENEWAL_SECONDS: Final = 4.0
"""For so long it is gathered who is still there as they were. A client of y-protocols says so every 15 to 18 s, and is
forgotten by the others after 30: there is time for this wait on two nodes, one after the other."""


class PresenceTimer:
    """Calls `tell` soon after it was asked for, at most every `gather_seconds`; until it is cancelled."""

    __slots__ = ("_due", "_gather_seconds", "_loop", "_tell", "_timer", "_told_at")

    def __init__(self, loop: asyncio.AbstractEventLoop, gather_seconds: float, tell: Callable[[], None]) -> None:
        self._loop = loop
        self._gather_seconds = gather_seconds
        self._tell: Callable[[], None] | None = tell
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._told_at = 0.0

    def ask(self, *, late: bool) -> None:
        """Something is to be told: with what is told anyway, in RENEWAL_SECONDS if it may come `late`."""
        now = self._loop.time()
        at = now + RENEWAL_SECONDS if late else max(now, self._told_at + self._gather_seconds)
        if self._timer is not None:
            if self._due <= at:
                return
            self._timer.cancel()
        self._due = at
        self._timer = self._loop.call_at(at, self._ring)

    def cancel(self) -> None:
        """Nothing will be told any more."""
        self._tell = None  # whose it is holds this: nobody waits for the garbage collector
        if self._timer is not None:
            self._timer.cancel()

    def _ring(self) -> None:
        self._timer = None
        self._told_at = self._loop.time()
        if self._tell is not None:
            self._tell()
