"""Taking back what one person wrote, where it still stands: nobody else's work is touched."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from pycrdt import Doc, Map

from studio import schema
from studio.binding import MISSING, Missing, reading, wire
from studio.edits.restore import made, put, same
from studio.moments.places import Place
from studio.moments.written import Written, held

CONTENT: Final = ("clips", "effects")
"""What lies on tracks."""


class Reason(StrEnum):
    """Why something was left as it is."""

    CHANGED_SINCE = "changed_since"
    GONE = "gone"
    IN_USE = "in_use"
    SERVER_ONLY = "server_only"


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was not taken back, and why."""

    place: Place
    reason: Reason


@dataclass(slots=True)
class TakenBack:
    """How many keys and entries were written, and what was left."""

    changes: int = 0
    skipped: list[Skipped] = field(default_factory=list)


def take_back(
    doc: "Doc[Any]", written: Iterable[Written], by: str, now_ms: int, overwritten: Collection[Place] = ()
) -> TakenBack:
    """Brings back what stood before, wherever what was written still stands, in one transaction.

    What was added is deleted softly where that exists. `overwritten`: where somebody wrote since, even if the same.
    """
    done, wanted = TakenBack(), list(written)
    added = {(place.root, place.id) for place, before, _ in wanted if before is MISSING}
    with doc.transaction():
        for one in wanted:
            reason = _left(doc, one, overwritten, added)
            if reason is None:
                _bring_back(doc, one, [by, float(now_ms)])
                done.changes += 1
            else:
                done.skipped.append(Skipped(one.place, reason))
    return done


def _left(
    doc: "Doc[Any]", one: Written, overwritten: Collection[Place], added: Collection[tuple[str, str]]
) -> Reason | None:
    """Why this has to stay; None if it need not."""
    root, entity, key = one.place
    if root in schema.SERVER_ROOTS or key in schema.SERVER_FIELDS.get(root, ()):
        return Reason.SERVER_ONLY
    with reading(doc) as reader:
        now = held(reader, one.place)
        if entity and key and not reader.has(root, entity):
            return Reason.GONE
    if one.place in overwritten or not _equal(now, one.after):
        return Reason.GONE if now is MISSING else Reason.CHANGED_SINCE
    taken_away = entity and not key and one.before is MISSING
    if taken_away and root == "tracks" and (entity in schema.FIXED_TRACKS or _in_use(doc, entity, added)):
        return Reason.IN_USE
    return None


def _equal(a: Any | Missing, b: Any | Missing) -> bool:
    return a is b if a is MISSING or b is MISSING else same(a, b)


def _in_use(doc: "Doc[Any]", track: str, added: Collection[tuple[str, str]]) -> bool:
    """Whether something lies on the track that does not go with it."""
    with reading(doc) as reader:
        return any(
            (root, entity) not in added
            and reader.value(root, entity, "track") == track
            and reader.value(root, entity, "deleted") in (None, MISSING)
            for root in CONTENT
            for entity in reader.ids(root)
        )


def _bring_back(doc: "Doc[Any]", one: Written, stamp: list[object]) -> None:
    root, entity, key = one.place
    held_by: Map[Any] = doc.get(root, type=Map)
    if entity and key:
        if one.before is MISSING:
            del held_by[entity][key]
        else:
            put(root, held_by[entity], key, one.before)
    elif entity:
        _bring_entity_back(root, entity, held_by, one, stamp)
    elif one.before is MISSING:
        del held_by[key]
    else:
        held_by[key] = wire(one.before)


def _bring_entity_back(root: str, entity: str, held_by: "Map[Any]", one: Written, stamp: list[object]) -> None:
    if isinstance(one.before, dict):
        held_by[entity] = made(root, one.before)
    elif root in schema.SOFT_DELETED and isinstance(one.after, dict):
        held_by[entity]["deleted"] = stamp
    else:
        del held_by[entity]
