"""What fields of one entity must be to each other: looked at when a transaction ends, with all its writes in place."""

from backline.document import Document
from backline.entities import Clip, Marker
from backline.errors import InvalidValue


def check(document: Document, root: str, id: str) -> None:
    """Raises InvalidValue: a clip ends behind its beginning and begins at 0 or later, a marker's span has a length."""
    if root == Clip.root:
        _clip(Clip(document, id))
    elif root == Marker.root:
        _marker(Marker(document, id))


def _clip(clip: Clip) -> None:
    if clip.out <= clip.in_:
        raise InvalidValue(clip.place("out"), clip.out, f"it must lie behind in, which is {clip.in_}")
    if clip.base == "beats" and clip.start < 0:
        raise InvalidValue(clip.place("pos"), clip.pos, "pos + in would be before the beginning of the song")


def _marker(marker: Marker) -> None:
    if marker.end is not None and marker.end <= marker.tick:
        raise InvalidValue(marker.place("end"), marker.end, f"it must lie behind tick, which is {marker.tick}")
