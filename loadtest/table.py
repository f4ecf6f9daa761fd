"""The result on a terminal: plain text, columns aligned."""

from collections.abc import Mapping, Sequence
from typing import Final

from loadtest.outcome import COUNTS, Outcome
from loadtest.verdict import Check

NAMES: Final[Mapping[str, str]] = {
    "delivery": "edit → other members",
    "near": "  behind the same address",
    "across": "  behind another address",
    "ack": "edit → acknowledgement",
    "presence": "cursor → other members",
    "join": "websocket → whole document",
    "http": "ticket by HTTP",
}
LABELS: Final[Mapping[str, str]] = {
    "presence_sent": "cursors sent",
    "presence_heard": "cursors heard",
    "bytes_in": "bytes received",
}

UNSEEN = "server: its processes are not to be seen from here (--pid, --metrics)"


def number(value: float | None) -> str:
    """A figure with about three digits that matter."""
    if value is None:
        return "–"
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}"


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines; the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]


def times(outcome: Outcome) -> list[list[str]]:
    """Percentiles in milliseconds, a row for each time that was measured."""
    rows = [["milliseconds", "p50", "p90", "p99", "p99.9", "count"]]
    for name, title in NAMES.items():
        if count := len(outcome.record.times(name)):
            rows.append([title, *map(number, outcome.percentiles(name)), f"{count:,}"])
    return rows


def totals(outcome: Outcome) -> list[list[str]]:
    """Counts of the run, and by second."""
    rows = [["", "total", "per second"]]
    for name in COUNTS:
        if total := outcome.record.total(name):
            rows.append([LABELS.get(name, name), f"{total:,}", number(total / max(0.1, outcome.played))])
    return rows


def judged(check: Check) -> str:
    """One condition in a line."""
    sign = "ok  " if check.holds else "FAIL"
    unit = f" {check.unit}" if check.unit else ""
    if check.name.startswith("--"):
        measured = "not measured" if check.measured is None else f"{number(check.measured)}{unit}"
        return f"  {sign} {check.name} {number(check.bound)}{unit}: {measured}"
    return f"  {sign} {number(check.measured)} {check.name}"


def text(outcome: Outcome) -> str:
    """The whole result."""
    options, found = outcome.options, outcome.found
    title = f"{options.scenario.name}: {options.rooms} rooms × {options.people} people, {outcome.played:.0f} s"
    parts = ["", title, "", *aligned(times(outcome)), "", *aligned(totals(outcome))]
    parts += ["", *_server(outcome)]
    if errors := outcome.record.errors():
        parts += ["", "errors", *(f"  {count:>6}  {words}" for words, count in errors.most_common(8))]
    if outcome.search is not None:
        parts += ["", *limit(outcome)]
    parts += ["", f"verified {found['checked']:,} edits, {found['members']:,} members, {found['rooms']:,} rooms"]
    parts += [judged(check) for check in outcome.checks]
    parts += [f"  · {problem}" for problem in found["problems"][:5]]
    parts += [f"  ! {remark}" for remark in outcome.remarks]
    return "\n".join([*parts, "", "green" if outcome.code == 0 else "NOT GREEN"])


def limit(outcome: Outcome) -> list[str]:
    """What the search found."""
    assert outcome.search is not None
    best, broken = outcome.search.best, [step for step in outcome.search.steps if step.broke]
    if best is None:
        return ["limit: not even the first rate was held: start lower with --rate"]
    p99 = number(best.p99_ms)
    lines = [f"limit: {best.edits_s:,.0f} edits/s = {best.deliveries_s:,.0f} deliveries/s at p99 {p99} ms"]
    if not broken:
        return [*lines, "  not reached before the time was up: take a longer --duration or a higher --rate"]
    worst = min(broken, key=lambda step: step.rate)
    return [*lines, f"  at {worst.rate:,.0f} edits/s: {worst.broke}"]


def _server(outcome: Outcome) -> list[str]:
    record, rows = outcome.record, [["server", "mean cores", "most MiB"]]
    for name in sorted({name for reading in record.readings for name in reading.memory}):
        cores = [reading.cores[name] for reading in record.readings if name in reading.cores]
        memory = max(reading.memory[name] for reading in record.readings if name in reading.memory)
        rows.append([name, number(sum(cores) / len(cores)) if cores else "–", number(memory)])
    lines = (
        aligned(rows) if len(rows) > 1 else ["server: its processes are not to be seen from here (--pid, --metrics)"]
    )
    if trend := outcome.slope:
        lines.append(f"memory {trend}")
    shares = record.busiest()
    if shares:
        lines.append(
            "harness: " + ", ".join(f"worker {worker + 1} {share:.0%}" for worker, share in sorted(shares.items()))
        )
    return lines
