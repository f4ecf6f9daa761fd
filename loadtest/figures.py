"""Which charts a page shows, made from the record of a run."""

from collections.abc import Callable, Sequence

from loadtest.chart import Chart, Curve, Points
from loadtest.outcome import Outcome
from loadtest.record import Reading, Record, Second
from loadtest.verdict import BUSY

SHARES = ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"))
MIB = 2**20


def charts(outcome: Outcome) -> list[Chart]:
    """Those that have something to show, in reading order."""
    record, bounds, length = outcome.record, outcome.options.bounds, _length(outcome)

    def waiting(title: str, name: str, bound: str) -> Chart:
        return Chart(title, "ms", _percentiles(record, name), length, bounds.get(bound), log=True)

    people = Curve("connected", record.line(lambda second: second.connected), 1, filled=True)
    drawn = [
        waiting("Edit to the other members", "delivery", "p99_ms"),
        waiting("Edit to its acknowledgement", "ack", "ack_p99_ms"),
        waiting("Edit to members behind another address", "across", "across_p99_ms"),
        Chart("Throughput", "per second", _counts(record, ("edits", "deliveries")), length),
        waiting("Cursors to the other members", "presence", "presence_p99_ms"),
        waiting("Websocket to whole document", "join", "join_p99_ms"),
        Chart("People inside", "connections", [people], length),
        Chart("Joins, errors, unsaved edits", "count", _troubles(record), length),
        Chart("CPU of the server", "cores", _readings(record, "cores"), length, bounds.get("cpu")),
        Chart("Memory of the server", "MiB", _readings(record, "memory"), length, bounds.get("memory_mib")),
        Chart("Save lag and commits", "ms", _saving(record), length),
        Chart("The harness itself", "cores", _workers(record), length, BUSY),
    ]
    return [chart for chart in drawn if not chart.empty]


def _length(outcome: Outcome) -> float:
    return max([outcome.played, *(at + 1 for at in outcome.record.seconds)])


def _percentiles(record: Record, name: str) -> list[Curve]:
    def line(share: float) -> Points:
        return record.line(lambda second: second.times[name].percentile(share))

    return [Curve(title, line(share), tone + 1) for tone, (share, title) in enumerate(SHARES)]


def _counts(record: Record, names: Sequence[str]) -> list[Curve]:
    def counted(name: str) -> Callable[[Second], float]:
        return lambda second: second.counts[name]

    return [Curve(name, record.line(counted(name)), tone + 1) for tone, name in enumerate(names)]


def _troubles(record: Record) -> list[Curve]:
    errors = Curve("errors", record.line(lambda second: second.errors.total()), 3)
    unsaved = Curve("unsaved", record.line(lambda second: second.unsaved), 2)
    return [Curve("joins", record.line(lambda second: second.counts["joins"]), 1), unsaved, errors]


def _readings(record: Record, what: str) -> list[Curve]:
    def shown(reading: Reading) -> dict[str, float]:
        return reading.cores if what == "cores" else reading.memory

    names = sorted({name for reading in record.readings for name in shown(reading)})
    lines = {name: [(r.at, shown(r)[name]) for r in record.readings if name in shown(r)] for name in names}
    return [Curve(name, lines[name], tone % 6 + 1, len(names) == 1) for tone, name in enumerate(names)]


def _saving(record: Record) -> list[Curve]:
    def figure(name: str) -> Points:
        return [(r.at, r.figures[name] * 1000) for r in record.readings if name in r.figures]

    curves = [Curve("save lag", figure("backline_save_lag_seconds"), 3, True)]
    return [*curves, Curve("commit p99 (bucket)", figure("commit_p99_seconds"), 1)]


def _workers(record: Record) -> list[Curve]:
    def busy(worker: int) -> Callable[[Second], float | None]:
        return lambda second: second.busy.get(worker)

    workers = sorted({worker for second in record.seconds.values() for worker in second.busy})
    return [Curve(f"worker {worker + 1}", record.line(busy(worker)), worker % 6 + 1) for worker in workers]
