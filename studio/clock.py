"""Another machine's clock, as well as round trips can tell it (transport design §4.2).

    rtt = (d - c) - (s - r)        off = ((r - c) + (s - d)) / 2

The sample with the shortest way is nearest to the truth; an old one has drifted away from it. The estimate is applied
gently: the clock that is read never goes backwards, but for a jump that is told. Pure; all times in milliseconds.
"""

from collections import deque
from statistics import median
from typing import Final, NamedTuple

BURST: Final = 16
BURST_INTERVAL_MS: Final = 50
INTERVAL_MS: Final = 5_000
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
    """Offset of the other clock; how far that may be off by asymmetry, at most; age of the newest sample."""

    offset: float
    bound: float
    age: float

    @property
    def stale(self) -> bool:
        return self.age > STALE_MS


def sample(c: float, r: float, s: float, d: float) -> Sample:
    """Sent at `c` (local), read at `r` and answered at `s` (the other's), back at `d` (local)."""
    return Sample(((r - c) + (s - d)) / 2, (d - c) - (s - r), d)


class Clock:
    """Reads the other's time from one's own. Local times must not go backwards."""

    __slots__ = ("_applied", "_applied_at", "_heard", "_samples", "_target")

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=WINDOW)
        self._heard = 0
        self._applied = 0.0
        self._applied_at = 0.0
        self._target = 0.0

    @property
    def known(self) -> bool:
        """Whether there has been any sample."""
        return self._heard > 0

    def restart(self) -> None:
        """After a sleep or another server: old samples say nothing any more. The reading goes on meanwhile."""
        self._samples.clear()

    def hear(self, told: Sample) -> float:
        """Take a sample; returns by how much the reading has jumped, 0.0 as a rule."""
        self._samples.append(told)
        first = self._heard < BURST
        self._heard += 1
        if not first and len(self._samples) < TRUSTED:
            return 0.0
        before = self._offset(told.at)
        estimate = self._estimate(told.at)
        jump = estimate - before
        jumps = first or abs(jump) > STEP_MS
        self._applied = estimate if jumps else before
        self._applied_at = told.at
        self._target = estimate
        return jump if jumps else 0.0

    def now(self, local: float) -> float:
        """The other's time at a local time, not before that of the newest sample."""
        return local + self._offset(local)

    def report(self, local: float) -> Report:
        """How good it is."""
        best = min(self._samples, key=lambda held: held.rtt, default=Sample(0.0, float("inf"), float("-inf")))
        newest = self._samples[-1].at if self._samples else float("-inf")
        return Report(self._offset(local), best.rtt / 2, local - newest)

    def _offset(self, local: float) -> float:
        reach = max(0.0, local - self._applied_at) * SLEW
        return self._applied + max(-reach, min(reach, self._target - self._applied))

    def _estimate(self, now: float) -> float:
        errors = [held.rtt / 2 + (now - held.at) * DRIFT for held in self._samples]
        limit = min(errors) + NEAR_MS
        return median(held.offset for held, error in zip(self._samples, errors, strict=True) if error <= limit)
