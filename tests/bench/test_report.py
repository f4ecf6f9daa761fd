"""The tables say what was measured: medians, paired ratios, and no rate that the client set."""

from pathlib import Path

from bench.contest import Results
from bench.report import Column, Report, Table
from bench.servers import Peer
from bench.wire import Dialect

OURS = Peer("ours", "Ours", Dialect.Y_WEBSOCKET, [], Path(), 0)
OTHER = Peer("other", "Other", Dialect.Y_WEBSOCKET, [], Path(), 0)
COLUMN = Column("CPU", "s", "cpu_server_per_mdel", 1)


def report(ours: list[dict[str, float | str]], other: list[dict[str, float | str]]) -> Report:
    """A report on two contenders in one scenario."""
    results = Results()
    for name, runs in (("ours", ours), ("other", other)):
        for index, run in enumerate(runs):
            results.add("s", name, index, run)
    return Report(results, [OURS, OTHER])


def test_ratios_are_medians_of_pairs_and_not_ratios_of_medians() -> None:
    """Rounds that ran close together are compared with each other."""
    made = report(
        [{"cpu_server_per_mdel": value} for value in (1.0, 10.0, 2.0)],
        [{"cpu_server_per_mdel": value} for value in (5.0, 10.0, 4.0)],
    )
    assert made.rows(Table("T", (COLUMN,))) == [
        ["", "CPU"],
        ["Ours", "2.0"],
        ["Other", "5.0"],
        ["Other ÷ Ours", "× 2.0"],
    ]


def test_the_cpu_of_the_database_stands_below_ours() -> None:
    """A durable server's database is a row of its own; who has none has no such row."""
    made = report([{"cpu_server_per_mdel": 1.0, "cpu_postgresql_per_mdel": 0.5}], [{"cpu_server_per_mdel": 3.0}])
    rows = made.rows(Table("T", (COLUMN,), ("postgresql",)))
    assert rows[1:4] == [["Ours", "1.0"], ["· its PostgreSQL", "0.5"], ["Other", "3.0"]]


def test_a_rate_that_the_client_set_is_marked() -> None:
    """Throughput counts only where the client had more than a tenth of its core left."""
    made = report([{"edits_s": 9.0, "client_share": 0.95}], [{"edits_s": 5.0, "client_share": 0.5}])
    table = Table("T", (Column("edits/s", "s", "edits_s", 0, rate=True),), ratio=False)
    assert made.rows(table)[1:] == [["Ours", "(≥ 9: the client was the limit)"], ["Other", "5"]]


def test_a_failed_run_is_told_and_spoils_no_median() -> None:
    """The other rounds count, the failure is named, and the exit code knows."""
    results = Results()
    results.add("s", "ours", 0, {"error": "closed with 4429"})
    results.add("s", "ours", 1, {"cpu_server_per_mdel": 2.0})
    made = Report(results, [OURS])
    assert made.median(OURS, COLUMN) == 2.0
    assert results.failures() == 1
    assert "Ours failed in 1 of 2 runs of s: closed with 4429" in made.text(markdown=False)
