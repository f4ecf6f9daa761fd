"""Delete sets: what one of them holds of another."""

from bisect import bisect_right
from collections.abc import Iterable

Deletion = tuple[int, int, int]
"""(client, clock, length)."""


def covered(known: Iterable[Deletion], wanted: Iterable[Deletion]) -> bool:
    """Whether all of `wanted` is in `known`, whose ranges are ascending within a client and do not overlap."""
    ranges: dict[int, list[tuple[int, int]]] = {}
    for client, clock, length in known:
        held = ranges.setdefault(client, [])
        start = held.pop()[0] if held and held[-1][1] == clock else clock
        held.append((start, clock + length))
    return all(_holds(ranges.get(client, []), clock, clock + length) for client, clock, length in wanted)


def _holds(ranges: list[tuple[int, int]], start: int, end: int) -> bool:
    index = bisect_right(ranges, start, key=lambda held: held[0]) - 1
    return index >= 0 and end <= ranges[index][1]
