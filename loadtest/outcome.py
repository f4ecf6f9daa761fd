"""What a run ends with: everything a report needs, and the exit code."""

from dataclasses import asdict, dataclass
from typing import Any

from loadtest.find_limit import Search
from loadtest.meter import TIMES
from loadtest.options import Options
from loadtest.record import Record
from loadtest.slope import Slope
from loadtest.verdict import Check, bottleneck, measures, memory_slope, thresholds, verification

SHARES = (0.5, 0.9, 0.99, 0.999)
COUNTS = (
    "edits",
    "acks",
    "deliveries",
    "presence_sent",
    "presence_heard",
    "joins",
    "leaves",
    "disconnects",
    "bytes_in",
)


@dataclass(slots=True, frozen=True)
class Outcome:
    """A finished run. `played` is its length in seconds, `found` the sum of all workers' findings."""

    options: Options
    record: Record
    found: dict[str, Any]
    played: float
    started: str
    search: Search | None = None
    failures: tuple[str, ...] = ()

    @property
    def checks(self) -> list[Check]:
        """Verification first, then thresholds."""
        return verification(self.found) + thresholds(self.options, self.record)

    @property
    def code(self) -> int:
        """0 green, 1 not."""
        return int(bool(self.failures) or not all(check.holds for check in self.checks))

    @property
    def slope(self) -> Slope | None:
        """The trend of the server's memory."""
        return memory_slope(self.record)

    @property
    def remarks(self) -> list[str]:
        """What a reader must know to believe the figures."""
        remarks = list(self.failures)
        if told := bottleneck(self.record):
            remarks.append(told)
        if self.record.total("edits") and not self.record.total("acks"):
            remarks.append("This server acknowledges nothing: instead every edit that was made had to be there.")
        left = self.record.total("left_unsaved")
        if left:
            remarks.append(f"{left} edits were not yet confirmed when their authors left.")
        return remarks

    def percentiles(self, name: str) -> list[float | None]:
        """A time's percentiles (ms) over the whole run, as in SHARES."""
        histogram = self.record.times(name)
        return [histogram.percentile(share) for share in SHARES]

    def json(self) -> dict[str, Any]:
        """Every number."""
        trend = self.slope
        return {
            "scenario": self.options.scenario.name,
            "started": self.started,
            "green": self.code == 0,
            "settings": _settings(self.options),
            "seconds": self.played,
            "totals": {name: self.record.total(name) for name in COUNTS},
            "errors": dict(self.record.errors()),
            "measures": measures(self.record),
            "percentiles_ms": {
                name: dict(zip(map(str, SHARES), self.percentiles(name), strict=True))
                for name in TIMES
                if self.record.times(name)
            },
            "verification": self.found,
            "checks": [asdict(check) | {"holds": check.holds} for check in self.checks],
            "remarks": self.remarks,
            "memory": asdict(trend) if trend else None,
            "search": [asdict(step) for step in self.search.steps] if self.search else None,
            "timeline": _timeline(self.record),
            "server": [asdict(reading) for reading in self.record.readings],
        }


def _settings(options: Options) -> dict[str, Any]:
    names = ("protocol", "http", "ws", "rooms", "people", "duration", "processes", "pace", "rate", "seed", "accounts")
    return {name: getattr(options, name) for name in names}


def _timeline(record: Record) -> list[dict[str, Any]]:
    return [
        {
            "second": at,
            "counts": dict(second.counts),
            "errors": dict(second.errors),
            "connected": second.connected,
            "unsaved": second.unsaved,
            "workers": second.busy,
            "lag_ms": second.lag_ms,
            "p99_ms": {name: times.percentile(0.99) for name, times in second.times.items() if times},
        }
        for at, second in sorted(record.seconds.items())
    ]
