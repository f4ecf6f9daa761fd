"""Which track an entry of the document belongs to: what chosen tracks and locks are decided by."""

from collections.abc import Callable
from typing import Final

from studio.schema import LOST

Value = Callable[[str, str, str], object]
"""(root, entity, key) → the value; anything but a string if there is none."""

DYNAMIC: Final = frozenset({"clips", "effects", "events"})
"""Roots whose entries say themselves, or through their clip, where they belong: that may change."""


def track_named(root: str, entry: str) -> str | None:
    """The track that an entry's id names; None where ids name none.

    `<track>.<param>`, `<track>.<param>/<point>`, `<track>><bus>`, `<track>:<scene>`.
    """
    match root:
        case "tracks":
            return entry
        case "lanes" | "points":
            return entry.partition(".")[0]
        case "sends":
            return entry.partition(">")[0]
        case "slots":
            return entry.partition(":")[0]
    return None


def track_of(root: str, entry: str, value: Value) -> str:
    """The track that an entry belongs to as the document stands; "" if it belongs to none."""
    match root:
        case "clips" | "effects":
            track = value(root, entry, "track")
            return track if isinstance(track, str) else LOST if root == "clips" else ""
        case "events":
            return track_of("clips", entry.partition("/")[0], value)
    return track_named(root, entry) or ""
