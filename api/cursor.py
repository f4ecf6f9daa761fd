"""Opaque cursors: where a page of a list ended, as URL-safe text.

A cursor is not a secret and grants nothing: whoever invents one only chooses where their own list begins.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from api.errors import ApiError

LENGTH_MAX = 400
INTEGER_MAX = 2**63

T = TypeVar("T")


def encode(*parts: datetime | UUID | int | str) -> str:
    """The cursor behind a row whose sort key is `parts`."""
    plain = [part.isoformat() if isinstance(part, datetime) else str(part) for part in parts]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def decode(cursor: str, *readers: Callable[[str], object]) -> tuple[object, ...]:
    """The sort key in a cursor, each part read by its reader. Raises ApiError("invalid")."""
    try:
        if len(cursor) > LENGTH_MAX:
            raise ValueError("too long")
        parts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
            raise ValueError("not a list of texts")
        return tuple(reader(part) for reader, part in zip(readers, parts, strict=True))
    except (ValueError, binascii.Error, RecursionError):
        raise ApiError("invalid", fields=[{"field": "cursor", "reason": "no cursor of this list"}]) from None


def moment(text: str) -> datetime:
    """A part that is a time."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without its zone")
    return at


def whole(text: str) -> int:
    """A part that is a number PostgreSQL can hold."""
    number = int(text[:20])
    if not -INTEGER_MAX <= number < INTEGER_MAX:
        raise ValueError("out of range")
    return number


def short(text: str) -> str:
    """A part that is an id of a document's entity."""
    return text


def paged(rows: Sequence[T], limit: int, key: Callable[[T], str]) -> tuple[Sequence[T], str | None]:
    """Of at most `limit + 1` rows, the page and the cursor behind it, None when there is no more."""
    page = rows[:limit]
    return page, key(page[-1]) if len(rows) > limit else None
