"""What a measurement found, as rows for a table: a figure, and the bound it should keep."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Literal

Sense = Literal["most", "least"]


@dataclass(slots=True, frozen=True)
class Row:
    """One figure. `bound` is the most or the least it may be; None: it is only told."""

    what: str
    value: float
    unit: str = ""
    bound: float | None = None
    sense: Sense = "most"

    @property
    def kept(self) -> bool:
        """Whether the bound is kept, as far as there is one."""
        if self.bound is None:
            return True
        return self.value <= self.bound if self.sense == "most" else self.value >= self.bound


@dataclass(slots=True)
class Findings:
    """All rows of one measurement."""

    name: str
    title: str
    rows: list[Row] = field(default_factory=list)

    def add(self, what: str, value: float, unit: str = "", bound: float | None = None, sense: Sense = "most") -> None:
        """One more figure."""
        self.rows.append(Row(what, value, unit, bound, sense))

    def dump(self) -> dict[str, object]:
        """JSON-ready."""
        return {"name": self.name, "title": self.title, "rows": [asdict(row) | {"kept": row.kept} for row in self.rows]}

    def broken(self) -> int:
        """How many bounds are not kept."""
        return sum(not row.kept for row in self.rows)


def number(value: float) -> str:
    """A figure as it stands in a table: three digits of it, thousands apart."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"


def _bound(row: Row) -> str:
    if row.bound is None:
        return ""
    return f"{'≤' if row.sense == 'most' else '≥'} {number(row.bound)}{'' if row.kept else ' ✗'}"


def markdown(findings: Findings) -> str:
    """One table."""
    lines = [f"| {findings.title} | | bound |", "|---|---:|---:|"]
    for row in findings.rows:
        lines.append(f"| {row.what} | {f'{number(row.value)} {row.unit}'.strip()} | {_bound(row)} |")
    return "\n".join(lines)


def plain(findings: Findings) -> str:
    """The same for a terminal."""
    width = max((len(row.what) for row in findings.rows), default=0)
    lines = [findings.title]
    lines += [f"  {row.what:<{width}}  {number(row.value):>10} {row.unit:<8} {_bound(row)}" for row in findings.rows]
    return "\n".join(line.rstrip() for line in lines)


def tables(all_findings: Iterable[Findings], as_markdown: bool) -> str:
    """All of them, one after the other."""
    return "\n\n".join((markdown if as_markdown else plain)(findings) for findings in all_findings)


def median(values: Sequence[float]) -> float:
    """The middle one, or the mean of the two in the middle."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
