"""Order as text: a key between two others always exists, and keys compare as plain strings in every language.

Keys are fractions in base 62; they never end in "0", so there is room before each. Jitter makes two people who
insert at the same place unlikely to choose the same key; equal keys are told apart by the entities' ids.
"""

from collections.abc import Callable
from secrets import randbelow

from backline.ids import ALPHABET


def between(low: str, high: str | None, jitter: Callable[[int], int] = randbelow) -> str:
    """A key k with low < k < high ("" and None: no bound). ValueError if there is no room."""
    if high is not None and low >= high:
        raise ValueError("there is no room between these keys")
    key = ""
    while True:
        place = len(key)
        bottom = _digit(low, place)
        top = len(ALPHABET) if high is None else _digit(high, place)
        if top - bottom > 1:
            return key + ALPHABET[bottom + _step(top - bottom - 1, jitter)]
        if high is not None and place >= len(high):
            raise ValueError("there is no room before a key that ends in 0")
        key += ALPHABET[bottom]
        if top > bottom:
            high = None


def _digit(key: str, place: int) -> int:
    return ALPHABET.index(key[place]) if place < len(key) else 0


def _step(room: int, jitter: Callable[[int], int]) -> int:
    """1 … room, somewhere in the middle third: both sides keep room."""
    third = room // 3
    return 1 + third + jitter(max(1, room - 2 * third))
