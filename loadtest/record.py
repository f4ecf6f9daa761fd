"""Everything a run has shown so far: seconds of all workers added up, and readings of the server."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from loadtest.histogram import Histogram, merged
from loadtest.meter import TIMES, Sample


@dataclass(slots=True)
class Second:
    """One second of the run over all workers; `busy` is each worker's share of a core in it."""

    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    times: dict[str, Histogram] = field(default_factory=lambda: {name: Histogram() for name in TIMES})
    busy: dict[int, float] = field(default_factory=dict)
    connected: int = 0
    unsaved: int = 0
    lag_ms: float = 0.0


@dataclass(slots=True, frozen=True)
class Reading:
    """What the server's machine says at second `at`: cores and MiB by process tree, and figures of /metrics."""

    at: float
    cores: dict[str, float]
    memory: dict[str, float]
    figures: dict[str, float]


@dataclass(slots=True)
class Record:
    """By second since the start."""

    seconds: dict[int, Second] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)

    def add(self, worker: int, sample: Sample) -> None:
        """A second of a worker."""
        second = self.seconds.setdefault(sample["second"], Second())
        second.counts.update(sample["counts"])
        second.errors.update(sample["errors"])
        for name, buckets in sample["times"].items():
            second.times[name].buckets.update(Histogram.load(buckets).buckets)
        second.connected += sample["connected"]
        second.unsaved += sample["unsaved"]
        second.lag_ms = max(second.lag_ms, sample["lag_ms"])
        second.busy[worker] = sample["cpu"]

    def newest(self) -> int:
        """The newest second that all workers have told about; -1 if there is none."""
        most = max((len(second.busy) for second in self.seconds.values()), default=0)
        return max((at for at, second in self.seconds.items() if len(second.busy) == most), default=-1)

    def total(self, name: str) -> int:
        """A count over the whole run."""
        return sum(second.counts[name] for second in self.seconds.values())

    def errors(self) -> Counter[str]:
        """All errors by their words."""
        return sum((second.errors for second in self.seconds.values()), Counter())

    def times(self, name: str, seconds: Iterable[int] | None = None) -> Histogram:
        """A time over the whole run, or over some seconds of it."""
        chosen = self.seconds if seconds is None else [at for at in seconds if at in self.seconds]
        return merged(self.seconds[at].times[name] for at in chosen)

    def busiest(self, last: int = 0) -> dict[int, float]:
        """Each worker's share of its core: its busiest stretch of five seconds, or the mean of the last `last`."""
        shares: dict[int, list[float]] = {}
        for at in sorted(self.seconds):
            for worker, share in self.seconds[at].busy.items():
                shares.setdefault(worker, []).append(share)
        if last:
            return {worker: _mean(run[-last:]) for worker, run in shares.items()}
        return {worker: _highest_stretch(run) for worker, run in shares.items()}

    def line(self, value: Callable[[Second], float | None]) -> list[tuple[float, float]]:
        """A curve over the seconds, without those that have no value."""
        points = ((at + 0.5, value(self.seconds[at])) for at in sorted(self.seconds))
        return [(at, height) for at, height in points if height is not None]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _highest_stretch(values: list[float], width: int = 5) -> float:
    return max((_mean(values[at : at + width]) for at in range(max(1, len(values) - width + 1))), default=0.0)
