"""Figures for operators. The hot path adds to plain integers; Prometheus reads them when it asks."""

from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

COMMIT_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LOOP_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class Metrics(Collector):
    """Counters of one process. Gauges are asked for through `gauges`, name → (help, value now)."""

    def __init__(self) -> None:
        self.updates = 0
        self.deliveries = 0
        self.commits = 0
        self.committed_updates = 0
        self.presence_messages = 0
        self.resyncs = 0
        self.commit_failures = 0
        self.opened = 0
        self.quarantines = 0
        self.refusals: Counter[str] = Counter()
        self.loop_lag_max = 0.0
        self.gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self._registry = CollectorRegistry()
        self.commit_seconds = Histogram(
            "backline_commit_seconds", "Time of one journal commit", buckets=COMMIT_BUCKETS, registry=self._registry
        )
        self.loop_lag_seconds = Histogram(
            "backline_loop_lag_seconds",
            "How late the event loop ran a timer",
            buckets=LOOP_BUCKETS,
            registry=self._registry,
        )
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def add(self, collector: Collector) -> None:
        """Tell the figures of another part of the process too."""
        self._registry.register(collector)

    def refused(self, reason: str) -> None:
        """A connection was refused or closed for a reason of the server's."""
        self.refusals[reason] += 1

    def lagged(self, seconds: float) -> None:
        """The event loop ran a timer this late."""
        self.loop_lag_seconds.observe(seconds)
        self.loop_lag_max = max(self.loop_lag_max, seconds)

    def text(self) -> bytes:
        """The Prometheus text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """Prometheus' side of the plain integers."""
        for name, help, value in (
            ("backline_updates", "Document updates accepted from clients", self.updates),
            ("backline_deliveries", "Document updates written to other members", self.deliveries),
            ("backline_commits", "Journal commits", self.commits),
            ("backline_committed_updates", "Document updates committed", self.committed_updates),
            ("backline_commit_failures", "Journal commits that failed and were tried again", self.commit_failures),
            ("backline_presence_messages", "Awareness messages from clients", self.presence_messages),
            ("backline_outbox_resyncs", "Slow readers that were served one diff", self.resyncs),
            ("backline_quarantines", "Documents set aside for an operator", self.quarantines),
            ("backline_connections_opened", "Websockets that reached a room", self.opened),
        ):
            yield CounterMetricFamily(name, help, value=value)
        refusals = CounterMetricFamily(
            "backline_refusals", "Connections refused or closed by the server", labels=["reason"]
        )
        for reason, count in self.refusals.items():
            refusals.add_metric([reason], count)
        yield refusals
        yield GaugeMetricFamily("backline_loop_lag_max_seconds", "Worst event-loop lag so far", value=self.loop_lag_max)
        for name, (help, value_now) in self.gauges.items():
            yield GaugeMetricFamily(name, help, value=value_now())
