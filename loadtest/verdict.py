"""Green or not: the verification, which always counts, and the thresholds that were asked for."""

from dataclasses import dataclass
from typing import Any

from loadtest.options import BOUNDS, Options
from loadtest.record import Reading, Record
from loadtest.slope import Slope, slope

BUSY = 0.85  # of a core: from there on a worker may be what is slow
DATABASE_NAMES = ("postgres", "postgresql", "valkey", "redis")


@dataclass(slots=True, frozen=True)
class Check:
    """One condition; `measured` is None where there was nothing to measure, which breaks a threshold too."""

    name: str
    measured: float | None
    bound: float
    unit: str

    @property
    def holds(self) -> bool:
        """Whether it is kept."""
        return self.measured is not None and self.measured <= self.bound


JUDGED = (
    ("missing", "acknowledged edits missing for a newcomer"),
    ("different", "members that differ from a newcomer"),
    ("unsaved", "edits never confirmed"),
    ("outside", "people who never got back in"),
    ("unverified", "rooms that could not be verified"),
)


def verification(found: dict[str, Any]) -> list[Check]:
    """The findings that must be zero."""
    return [Check(words, float(found[name]), 0.0, "") for name, words in JUDGED]


def thresholds(options: Options, record: Record) -> list[Check]:
    """The thresholds of the command line."""
    measured = measures(record)
    units = {name: unit for name, unit, _ in BOUNDS}
    return [
        Check(f"--max-{name.replace('_', '-')}", measured.get(name), bound, units[name])
        for name, bound in options.bounds.items()
        if not (options.scenario.name == "find-limit" and name == "p99_ms")
    ]


def measures(record: Record) -> dict[str, float]:
    """What thresholds are held against, by name; without those that were not measured."""
    found: dict[str, float | None] = {
        "p99_ms": record.times("delivery").percentile(0.99),
        "ack_p99_ms": record.times("ack").percentile(0.99),
        "across_p99_ms": record.times("across").percentile(0.99),
        "join_p99_ms": record.times("join").percentile(0.99),
        "presence_p99_ms": record.times("presence").percentile(0.99),
        "errors": float(record.errors().total()),
        "disconnects": float(record.total("disconnects")),
        "save_lag_s": _highest(record, "backline_save_lag_seconds"),
    }
    cores = [sum(reading.cores.values()) for reading in record.readings if reading.cores]
    memory = [sum(reading.memory.values()) for reading in record.readings if reading.memory]
    found["cpu"] = sum(cores) / len(cores) if cores else None
    found["memory_mib"] = max(memory, default=None)
    trend = memory_slope(record)
    # what stays within the noise is no slope: a short run would extrapolate it to anything
    found["memory_slope"] = None if trend is None else trend.mib_per_hour if trend.grows else 0.0
    return {name: value for name, value in found.items() if value is not None}


def memory_slope(record: Record) -> Slope | None:
    """The slope of the servers' memory, databases left aside: they fill their caches by design."""
    points = [(reading.at, _servers(reading)) for reading in record.readings if reading.memory]
    return slope([point for point in points if point[1] > 0])


def _servers(reading: Reading) -> float:
    return sum(held for name, held in reading.memory.items() if name not in DATABASE_NAMES)


def _highest(record: Record, figure: str) -> float | None:
    return max((reading.figures[figure] for reading in record.readings if figure in reading.figures), default=None)


def bottleneck(record: Record) -> str:
    """A sentence if the harness itself was at its limit."""
    busy = {worker: share for worker, share in record.busiest().items() if share >= BUSY}
    if not busy:
        return ""
    names = ", ".join(f"worker {worker + 1} at {share:.0%}" for worker, share in sorted(busy.items()))
    return f"The harness itself was busy ({names} of a core): give it more --processes or another machine."
