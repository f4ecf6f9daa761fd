"""Values that only make sense together and are written whole: which ones are allowed.

Each function takes what JSON gives (numbers may be whole floats) and tells whether it is allowed.
"""

import math
from itertools import pairwise
from typing import Final, TypeGuard

DENOMINATORS: Final = (1, 2, 4, 8, 16, 32)
WARP_MAX: Final = 512


def finite(value: object) -> TypeGuard[int | float]:
    """A number: neither a boolean nor NaN nor infinite."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def whole(value: object) -> TypeGuard[int | float]:
    """An integer, perhaps written as a float."""
    return finite(value) and value == int(value)


def utf16_length(text: str) -> int:
    """How long JavaScript thinks the text is."""
    return len(text) + sum(1 for char in text if char > "\uffff")


def _wholes(value: object, count: int) -> TypeGuard[list[int | float]]:
    return isinstance(value, list) and len(value) == count and all(map(whole, value))


def loop(value: object) -> bool:
    """`[on 0 or 1, start, end]`, 0 ≤ start < end ticks."""
    return _wholes(value, 3) and value[0] in {0, 1} and 0 <= value[1] < value[2]


def clip_loop(value: object) -> bool:
    """null or `[start, end]` in content units, start < end."""
    return value is None or (_wholes(value, 2) and value[0] < value[1])


def signature(value: object) -> bool:
    """`[numerator 1-32, denominator 1, 2, 4, 8, 16 or 32]`."""
    return _wholes(value, 2) and 1 <= value[0] <= 32 and value[1] in DENOMINATORS


def key(value: object) -> bool:
    """null or `[tonic 0-11, "major" or "minor"]`."""
    if value is None:
        return True
    if not isinstance(value, list) or len(value) != 2 or not whole(value[0]):
        return False
    return 0 <= value[0] <= 11 and value[1] in ("major", "minor")


def fade_curve(value: object) -> bool:
    """`[in, out]`, each 0 linear, 1 equal power, 2 s-curve."""
    return _wholes(value, 2) and all(cell in {0, 1, 2} for cell in value)


def stamp(value: object) -> bool:
    """null or `[user id, milliseconds]`."""
    if value is None:
        return True
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
        return False
    return utf16_length(value[0]) <= 64 and whole(value[1]) and value[1] >= 0


def warp(value: object) -> bool:
    """null or 1 to 512 `[content tick, source µs]`, strictly increasing in both."""
    if value is None:
        return True
    if not isinstance(value, list) or not 1 <= len(value) <= WARP_MAX or not all(_wholes(p, 2) for p in value):
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
    start, end = value[1], value[2] if len(value) == 3 else None
    return whole(start) and start >= 0 and (end is None or (whole(end) and end > start))
