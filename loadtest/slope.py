"""Does memory grow? The Theil-Sen slope: the median of the slopes of all pairs, which a few outliers do not move."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

WARM_UP = 0.3  # of the run: caches fill, the first garbage is collected
POINTS = 120  # medians of stretches, so that the pairs stay few
LEAST = 3  # points
NOISE_MIB = 4.0
NOISE_SHARE = 0.03
HOURLY_FROM = 60.0  # seconds


@dataclass(slots=True, frozen=True)
class Slope:
    """MiB an hour, what it added during the time looked at, and the verdict in words."""

    mib_per_hour: float
    grown_mib: float
    seconds: float
    words: str

    def __str__(self) -> str:
        """In words; a rate an hour only where the run was long enough to speak of hours."""
        if self.seconds < HOURLY_FROM:
            return f"{self.words}: {self.grown_mib:+.1f} MiB in {self.seconds:.0f} s"
        return f"{self.words}: {self.mib_per_hour:+,.1f} MiB/h over {self.seconds:.0f} s ({self.grown_mib:+.1f} MiB)"

    @property
    def grows(self) -> bool:
        """Whether the growth is more than noise."""
        return self.words == "grows"


def slope(points: Sequence[tuple[float, float]]) -> Slope | None:
    """The slope of (second, MiB) after the warm-up; None of too little."""
    if not points:
        return None
    first, last = points[0][0], points[-1][0]
    kept = [point for point in points if point[0] >= first + (last - first) * WARM_UP]
    if len(kept) < LEAST:
        return None
    thin = _thinned(kept)
    per_second = median((b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(thin, 2) if b[0] > a[0])
    seconds = kept[-1][0] - kept[0][0]
    grown = per_second * seconds
    noise = max(NOISE_MIB, NOISE_SHARE * median(height for _, height in kept))
    return Slope(per_second * 3600, grown, seconds, "grows" if grown > noise else "flat")


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    width = -(-len(points) // POINTS)
    stretches = [points[at : at + width] for at in range(0, len(points), width)]
    return [(median(at for at, _ in part), median(height for _, height in part)) for part in stretches]
