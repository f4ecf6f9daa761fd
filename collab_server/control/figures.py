"""Figures of the control sockets for operators. The clock's path adds to plain numbers; Prometheus reads them later."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client import Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

ACKNOWLEDGED: Final = "ack"
OUTCOMES: Final = (ACKNOWLEDGED, "stale", "forbidden", "invalid", "rate", "unavailable")
OTHER: Final = "other"
"""What a newer node may answer that this one does not know."""
BUCKETS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Figures(Collector):
    """Counters of one process; `lines` and `leases` are asked for what there is now."""

    def __init__(self, lines: Callable[[], int], leases: Callable[[], int]) -> None:
        self.pings = 0
        self.ping_ms = 0.0
        """What lay between reading all of them and answering."""
        self._outcomes: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        self._lines = lines
        self._leases = leases
        self._seconds = Histogram(
            "backline_control_command_seconds",
            "From reading a command to answering it, by way of another node if that one decides",
            buckets=BUCKETS,
            registry=None,
        )

    def answered(self, answer: Mapping[str, object], seconds: float) -> None:
        """A command was answered, so long after it was read."""
        outcome = answer.get("code", ACKNOWLEDGED)
        self._outcomes[outcome if isinstance(outcome, str) and outcome in self._outcomes else OTHER] += 1
        self._seconds.observe(seconds)

    def collect(self) -> Iterator[Metric]:
        """Prometheus' side."""
        yield GaugeMetricFamily("backline_control_lines", "Open control sockets", value=self._lines())
        yield GaugeMetricFamily("backline_control_leases", "Shared transports led by this node", value=self._leases())
        yield CounterMetricFamily("backline_control_pings", "Questions for the time answered", value=self.pings)
        spent = CounterMetricFamily("backline_control_ping_seconds", "From reading these questions to answering them")
        spent.add_metric([], self.ping_ms / 1000)
        yield spent
        outcomes = CounterMetricFamily("backline_control_commands", "Transport commands answered", labels=["outcome"])
        for outcome, count in self._outcomes.items():
            outcomes.add_metric([outcome], count)
        yield outcomes
        yield from self._seconds.collect()
