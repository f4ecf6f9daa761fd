"""Who is behind a difference: the last one who wrote what differs, as far as the history says."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from studio.compare import Change, Difference
from studio.moments.places import Place


class Credit(NamedTuple):
    """The last change of a path: row, time, author (None: the server)."""

    seq: int
    at: datetime
    author: UUID | None


def paths(difference: Difference) -> tuple[str, ...]:
    """The paths of the history that may be behind a difference."""
    root, entity, key = difference.root, difference.id, difference.key
    if not entity:
        return (Place(root, "", key).path,)
    side = key if difference.change is Change.CHANGED else "deleted"
    return Place(root, entity, side).path, Place(root, entity, "").path


def credit(difference: Difference, last: Mapping[str, Credit]) -> Credit | None:
    """Of the last change of each path, the one behind this difference."""
    found = [last[path] for path in paths(difference) if path in last]
    return max(found, key=lambda one: (one.seq, one.at), default=None)
