"""Which leaf values are allowed: the values that only make sense together."""

from itertools import pairwise
from typing import Final, TypeGuard

from studio.fields import finite, utf16_length

DENOMINATORS: Final[tuple[int, ...]] = (1, 2, 4, 8, 16, 32)
WARP_MAX: Final = 512


def whole(value: object) -> TypeGuard[int | float]:
    """An integer-valued number."""
    number = finite(value)
    return number is not None and number == int(number)


def ordered_pair(value: object) -> bool:
    """`[start, end]`, integers, start < end."""
    return isinstance(value, list) and len(value) == 2 and all(map(whole, value)) and value[0] < value[1]


def loop(value: object) -> bool:
    """`[on, start, end]` with on 0 or 1 and 0 ≤ start < end ticks."""
    if not isinstance(value, list) or len(value) != 3 or not all(map(whole, value)):
        return False
    return value[0] in {0, 1} and 0 <= value[1] < value[2]


def clip_loop(value: object) -> bool:
    """null or `[start, end]` in content units."""
    return value is None or ordered_pair(value)


def signature(value: object) -> bool:
    """`[numerator 1-32, denominator 1, 2, 4, 8, 16 or 32]`."""
    if not isinstance(value, list) or len(value) != 2 or not all(map(whole, value)):
        return False
    return 1 <= value[0] <= 32 and value[1] in DENOMINATORS


def key(value: object) -> bool:
    """null or `[tonic 0-11, "major" or "minor"]`."""
    if value is None:
        return True
    if not isinstance(value, list) or len(value) != 2 or not whole(value[0]):
        return False
    return 0 <= value[0] <= 11 and value[1] in ("major", "minor")


def fade_curve(value: object) -> bool:
    """`[in, out]`, each 0 linear, 1 equal power, 2 s-curve."""
    return isinstance(value, list) and len(value) == 2 and all(whole(v) and v in {0, 1, 2} for v in value)


def stamp(value: object) -> bool:
    """null or `[user id, milliseconds]`: who deleted, resolved or locked, and when (or until when)."""
    if value is None:
        return True
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
        return False
    return utf16_length(value[0]) <= 64 and whole(value[1]) and value[1] >= 0


def warp(value: object) -> bool:
    """null or at most 512 `[content tick, source µs]`, strictly increasing in both."""
    if value is None:
        return True
    if not isinstance(value, list) or not 1 <= len(value) <= WARP_MAX:
        return False
    if not all(isinstance(p, list) and len(p) == 2 and whole(p[0]) and whole(p[1]) for p in value):
        return False
    return all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(value))


def anchor(value: object) -> bool:
    """`["t", tick, end or null]` on the timeline, or `["c", clip, content tick]` on a clip."""
    if not isinstance(value, list) or len(value) not in {2, 3}:
        return False
    if value[0] == "t":
        return _timeline(value)
    return value[0] == "c" and len(value) == 3 and isinstance(value[1], str) and whole(value[2])


def _timeline(value: list[object]) -> bool:
    start = value[1]
    if not whole(start) or start < 0:
        return False
    end = value[2] if len(value) == 3 else None
    return end is None or (whole(end) and end > start)
