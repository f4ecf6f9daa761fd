"""What is in a document's trash: everything that was deleted softly, and what is hidden with it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio import schema, valid
from studio.compare import called


@dataclass(frozen=True, slots=True)
class Thrown:
    """A deleted entity. `stamp` is `[user, ms]` as a client wrote it, `content` what it hides, by root.

    `hidden_with` is the deleted track it lies on: brought back alone, it would stay hidden.
    """

    root: str
    id: str
    name: str
    stamp: object
    track: str | None
    hidden_with: str | None
    content: Mapping[str, int]


def trash(canonical: valid.Canonical) -> list[Thrown]:
    """Everything in the trash, by root and id."""
    gone = {track for track, fields in valid.entities(canonical, "tracks") if _stamp("tracks", track, fields)}
    hidden = {track: _content(canonical, track) for track in gone}
    found = []
    for root in sorted(schema.SOFT_DELETED):
        for entity, fields in valid.entities(canonical, root):
            if not _stamp(root, entity, fields) or entity in schema.FIXED_TRACKS:
                continue
            track = valid.known(root, entity, fields).get("track")
            content = hidden[entity] if root == "tracks" else {}
            name = called(root, entity, fields)
            found.append(
                Thrown(root, entity, name, fields["deleted"], track, track if track in gone else None, content)
            )
    return found


def _stamp(root: str, entity: str, fields: Mapping[str, Any]) -> bool:
    return valid.value(root, entity, fields, "deleted") is not None


def _content(canonical: valid.Canonical, track: str) -> Mapping[str, int]:
    """How many living things lie on a track."""
    counts = Counter(
        root
        for root in ("clips", "effects")
        for entity, fields in valid.entities(canonical, root)
        if valid.value(root, entity, fields, "track") == track and not _stamp(root, entity, fields)
    )
    return dict(counts)
