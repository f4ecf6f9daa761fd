"""What a worker counts in a second, and the second's form on its way to the coordinator."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TypedDict

from loadtest.histogram import Histogram

TIMES = ("delivery", "near", "across", "ack", "presence", "join", "http")
"""Edit to another member (of those: `near` behind the same of several addresses, `across` behind another), edit to its
acknowledgement, presence to another member, websocket to whole document, an API request."""


class Sample(TypedDict):
    """A second of a worker: `second` since the start; `counts` and `times` of this second alone; `cpu` is the worker's
    share of a core, `lag_ms` the worst lateness of its event loop."""

    second: int
    counts: dict[str, int]
    errors: dict[str, int]
    times: dict[str, dict[str, int]]
    connected: int
    unsaved: int
    cpu: float
    lag_ms: float


@dataclass(slots=True)
class Meter:
    """Counts until it is taken."""

    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    times: dict[str, Histogram] = field(default_factory=lambda: {name: Histogram() for name in TIMES})

    def error(self, what: str) -> None:
        """Something went wrong that should not have."""
        self.errors[what[:90]] += 1

    def take(self, second: int, connected: int, unsaved: int, cpu: float, lag_ms: float) -> Sample:
        """This second; counting starts again."""
        sample: Sample = {
            "second": second,
            "counts": dict(self.counts),
            "errors": dict(self.errors),
            "times": {name: times.dump() for name, times in self.times.items() if times.buckets},
            "connected": connected,
            "unsaved": unsaved,
            "cpu": cpu,
            "lag_ms": lag_ms,
        }
        self.counts.clear()
        self.errors.clear()
        for times in self.times.values():
            times.buckets.clear()
        return sample
