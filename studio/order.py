"""Order as text: a key between two others always exists, and keys compare as plain strings in every language.

Keys are fractions in base 62 ("0" < … < "9" < "A" < … < "Z" < "a" < … < "z"); they never end in "0", so there is
room before each. Jitter makes two people who insert at the same place unlikely to choose the same key; equal keys
are told apart by the entities' ids.
"""

from collections.abc import Callable, Sequence
from typing import Final

from studio.errors import Invalid
from studio.ids import ALPHABET

BASE: Final = 62
CROWDED: Final = 48
"""A key longer than this says that its neighbourhood should be spread out again."""


def between(a: str | None, b: str | None, jitter: Callable[[int], int]) -> str:
    """A key k with a < k < b (None: no bound). `jitter(n)` returns an int in [0, n).

    Raises Invalid if a ≥ b: between equal keys the moved item needs new neighbours (see `rekey`).
    """
    low, high = a or "", b
    if high is not None and low >= high:
        raise Invalid("order", "there is no room between these keys")
    prefix = ""
    while True:
        place = len(prefix)
        bottom = _digit(low, place)
        top = BASE if high is None else _digit(high, place)
        if top - bottom > 1:
            return prefix + ALPHABET[bottom + _step(top - bottom - 1, jitter)]
        if high is not None and place >= len(high):
            raise Invalid("order", "there is no room before a key that ends in 0")
        prefix += ALPHABET[bottom]
        if top > bottom:
            high = None


def _digit(key: str, place: int) -> int:
    return ALPHABET.index(key[place]) if place < len(key) else 0


def _step(room: int, jitter: Callable[[int], int]) -> int:
    """1 … room, somewhere in the middle third: both sides keep room."""
    third = room // 3
    return 1 + third + jitter(max(1, room - 2 * third))


def spread(a: str | None, b: str | None, count: int, jitter: Callable[[int], int]) -> list[str]:
    """`count` increasing keys between a and b, as short as bisection makes them."""
    if count == 0:
        return []
    middle = between(a, b, jitter)
    left = (count - 1) // 2
    return [*spread(a, middle, left, jitter), middle, *spread(middle, b, count - 1 - left, jitter)]


def rekey(items: Sequence[tuple[str, str]], jitter: Callable[[int], int], crowded: int = CROWDED) -> dict[str, str]:
    """New keys for the crowded run of `items` (order, id), sorted as read; empty if no key is longer than `crowded`.

    Only the run between its two outer neighbours is re-keyed, so that a concurrent move into it lands inside it. The
    run grows until its new keys are at most half as long as `crowded`.
    """
    long = [place for place, (order, _) in enumerate(items) if len(order) > crowded]
    if not long:
        return {}
    first, last = long[0], long[-1]
    while True:
        keys = _respread(items, first, last, jitter)
        if keys is not None and max(map(len, keys)) <= crowded // 2:
            return {entity: key for (_, entity), key in zip(items[first : last + 1], keys, strict=True)}
        first, last = max(0, first - 1), min(len(items) - 1, last + 1)


def _respread(
    items: Sequence[tuple[str, str]], first: int, last: int, jitter: Callable[[int], int]
) -> list[str] | None:
    before = items[first - 1][0] if first > 0 else None
    after = items[last + 1][0] if last + 1 < len(items) else None
    if before is not None and after is not None and before >= after:
        return None
    return spread(before, after, last - first + 1, jitter)
