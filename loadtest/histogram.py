"""Times in logarithmic buckets: they add up over seconds and processes, and a percentile is right to about 2 %."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

FINENESS = 1 / math.log(1.04)  # a bucket is 4 % wide


class Histogram:
    """Counts by bucket, of times in microseconds."""

    __slots__ = ("buckets",)

    def __init__(self, buckets: Mapping[int, int] | None = None) -> None:
        self.buckets: Counter[int] = Counter(buckets or {})

    def record(self, micros: float) -> None:
        """One more time; what is below a microsecond counts as one."""
        self.buckets[int(math.log(micros) * FINENESS) if micros > 1 else 0] += 1

    def __len__(self) -> int:
        return sum(self.buckets.values())

    def percentile(self, share: float) -> float | None:
        """The time (ms) that `share` (0-1) of all do not exceed; None of nothing."""
        total = len(self)
        if not total:
            return None
        rank, seen, last = max(1, math.ceil(share * total)), 0, 0
        for last in sorted(self.buckets):
            seen += self.buckets[last]
            if seen >= rank:
                break
        return math.exp((last + 0.5) / FINENESS) / 1000

    def dump(self) -> dict[str, int]:
        """JSON-ready."""
        return {str(bucket): count for bucket, count in self.buckets.items()}

    @classmethod
    def load(cls, data: Mapping[str, int]) -> "Histogram":
        """The inverse of `dump`."""
        return cls({int(bucket): count for bucket, count in data.items()})


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """All of them in one."""
    total = Histogram()
    for histogram in histograms:
        total.buckets.update(histogram.buckets)
    return total
