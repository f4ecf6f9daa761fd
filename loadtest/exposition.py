"""Prometheus' text format, read as far as a load test needs it: sums by name, and a histogram's growth."""

import re
from collections.abc import Mapping

LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([-+.0-9a-zA-Z]+)", re.MULTILINE)
BOUND = re.compile(r'le="([^"]+)"')

Figures = dict[str, float]
Buckets = dict[str, dict[float, float]]


def figures(text: str) -> Figures:
    """Name → value; series of one name are added up."""
    found: Figures = {}
    for name, _, value in LINE.findall(text):
        found[name] = found.get(name, 0.0) + float(value)
    return found


def buckets(text: str) -> Buckets:
    """Histogram's name → upper bound → count so far."""
    found: Buckets = {}
    for name, labels, value in LINE.findall(text):
        bound = BOUND.search(labels)
        if name.endswith("_bucket") and bound:
            rows = found.setdefault(name.removesuffix("_bucket"), {})
            rows[float(bound.group(1))] = rows.get(float(bound.group(1)), 0.0) + float(value)
    return found


def quantile(before: Mapping[float, float], after: Mapping[float, float], share: float) -> float | None:
    """The upper bound under which `share` of what came between two readings lies; None if nothing came."""
    grown = {bound: count - before.get(bound, 0.0) for bound, count in sorted(after.items())}
    total = max(grown.values(), default=0.0)
    if total <= 0:
        return None
    return next(bound for bound, count in grown.items() if count >= share * total)
