"""A comparison page by page: two states may differ in thousands of places."""

import hashlib
from collections.abc import Sequence
from typing import Final

from api import cursor as cursors
from studio.compare import Difference

MARK_CHARS: Final = 16

Numbered = tuple[int, Difference]
"""A difference and its number in the list, from 1."""


def rest_of(found: Sequence[Difference], cursor: str | None) -> Sequence[Numbered]:
    """What stands behind a cursor. Raises ApiError("invalid").

    A live document may have changed since: the rest begins behind the last difference that was shown if it is still
    there, else at the number it had.
    """
    numbered = list(enumerate(found, 1))
    if cursor is None:
        return numbered
    number, mark = cursors.decode(cursor, cursors.whole, cursors.short)
    assert isinstance(number, int)
    at = min(max(number, 0), len(found))
    if at == 0 or _mark(found[at - 1]) != mark:
        at = next((place for place, one in numbered if _mark(one) == mark), at)
    return numbered[at:]


def cursor_behind(last: Numbered) -> str:
    """The cursor of the page that follows this difference."""
    number, difference = last
    return cursors.encode(number, _mark(difference))


def _mark(one: Difference) -> str:
    """What tells a place from others: ids may be longer than a cursor."""
    return hashlib.sha256("\0".join((one.root, one.id, one.key)).encode()).hexdigest()[:MARK_CHARS]
