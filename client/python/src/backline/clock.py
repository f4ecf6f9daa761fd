"""The servers' clock, as well as round trips can tell it. The same rules as the server's and the page's; times in ms.

    rtt = (d - c) - (s - r)        off = ((r - c) + (s - d)) / 2

The sample with the shortest way is nearest to the truth; an old one has drifted away from it. The reading follows
gently: it never goes backwards, but for a jump that is told.
"""

from collections import deque
from statistics import median
from typing import Final, NamedTuple

BURST: Final = 16
BURST_SECONDS: Final = 0.05
INTERVAL_SECONDS: Final = 5.0
WINDOW: Final = 32
TRUSTED: Final = 4
"""After a break nothing is believed before so many samples."""
NEAR_MS: Final = 1.0
"""Samples whose error may be so much larger than the best one's are as good: their median is taken."""
DRIFT: Final = 1e-4
"""How fast a sample loses its worth: twice the drift of ordinary clocks (50 ppm)."""
SLEW: Final = 5e-4
STEP_MS: Final = 50.0
STALE_MS: Final = 20_000.0


class Sample(NamedTuple):
    """One round trip: the offset it shows, how long it took, and when (local) it came back."""

    offset: float
    rtt: float
    at: float


class Report(NamedTuple):
    """How good the clock is, in ms: offset from ours, its error at most (half the shortest way), age of the newest."""

    offset: float
    bound: float
    age: float

    @property
    def stale(self) -> bool:
        """Whether nothing was heard for so long that it should not be trusted."""
        return self.age > STALE_MS


def sample(c: float, r: float, s: float, d: float) -> Sample:
    """Sent at `c` (local), read at `r` and answered at `s` (the server's), back at `d` (local)."""
    return Sample(((r - c) + (s - d)) / 2, (d - c) - (s - r), d)


class Clock:
    """Reads the server's time from our own. Local times must not go backwards."""

    def __init__(self) -> None:
        self.heard = 0
        """How many samples there were."""
        self._samples: deque[Sample] = deque(maxlen=WINDOW)
        self._applied = self._applied_at = self._target = 0.0

    def restart(self) -> None:
        """After a sleep or on another connection: old samples say nothing any more. The reading goes on meanwhile."""
        self._samples.clear()

    def hear(self, told: Sample) -> float:
        """Take a sample; returns by how much the reading has jumped, 0.0 as a rule."""
        self._samples.append(told)
        first = self.heard < BURST
        self.heard += 1
        if not first and len(self._samples) < TRUSTED:
            return 0.0
        before = self._offset(told.at)
        estimate = self._estimate(told.at)
        jump = estimate - before
        jumps = first or abs(jump) > STEP_MS
        self._applied, self._applied_at, self._target = estimate if jumps else before, told.at, estimate
        return jump if jumps else 0.0

    def now(self, local: float) -> float:
        """The server's time at a local time, not before that of the newest sample."""
        return local + self._offset(local)

    def report(self, local: float) -> Report:
        """How good it is."""
        best = min((held.rtt for held in self._samples), default=float("inf"))
        newest = self._samples[-1].at if self._samples else float("-inf")
        return Report(self._offset(local), best / 2, local - newest)

    def _offset(self, local: float) -> float:
        reach = max(0.0, local - self._applied_at) * SLEW
        return self._applied + max(-reach, min(reach, self._target - self._applied))

    def _estimate(self, now: float) -> float:
        errors = [held.rtt / 2 + (now - held.at) * DRIFT for held in self._samples]
        limit = min(errors) + NEAR_MS
        return median(held.offset for held, error in zip(self._samples, errors, strict=True) if error <= limit)
