"""Going back to an earlier state by going forward (document design §3.7).

One ordinary transaction writes only what differs: nobody is disconnected, concurrent edits of other keys survive,
and the restore itself can be undone by restoring the state before it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from pycrdt import Doc, Map, Text

from studio import schema
from studio.binding import MISSING, new_entity, wire
from studio.canonical import canonical
from studio.edits.entity import replace_text
from studio.errors import NotFound
from studio.moments.places import Ownership, Place

MUSICAL: Final = tuple(root for root in schema.ROOTS if root not in schema.SERVER_ROOTS)


Chosen = Callable[[Place], bool]


def restore(doc: "Doc[Any]", target: Mapping[str, Any], by: str, now_ms: int, chosen: Chosen = lambda _: True) -> int:
    """Brings the document to the canonical state `target`; returns how many keys and entries were written.

    Entities made since are deleted softly, those deleted since come back, those removed for good are made anew.
    meta, assets and locks stay as they are, and so does every entity or value that is not `chosen`.
    """
    live = canonical(doc)
    written = 0
    with doc.transaction():
        for root in MUSICAL:
            held: Map[Any] = doc.get(root, type=Map)
            old, wanted = (_chosen(root, state.get(root, {}), chosen) for state in (live, target))
            if root in schema.ENTITIES:
                written += _entities(root, held, old, wanted, [by, float(now_ms)])
            else:
                written += _values(held, old, wanted)
    return written


def restore_track(doc: "Doc[Any]", target: Mapping[str, Any], track: str, by: str, now_ms: int) -> int:
    """`restore` for one track and what is or was on it: clips, effects, sends, automation, MIDI notes, live slots.

    A clip that came from another track since goes back there. What people said about the track stays. Raises NotFound
    when there was no such track, or it was deleted.
    """
    before = target.get("tracks", {}).get(track)
    if not isinstance(before, dict) or (before.get("deleted") is not None and track not in schema.FIXED_TRACKS):
        raise NotFound("tracks", track)
    owned = Ownership.of(canonical(doc), target)
    return restore(doc, target, by, now_ms, lambda place: place.root != "notes" and owned.belongs(place, track))


def differs(place: Place, live: Mapping[str, Any], target: Mapping[str, Any]) -> bool:
    """Whether `restore` would write this entry, of which `live` and `target` are the canonical states."""
    root, name = place.root, place.id or place.key
    old, new = (state.get(root, {}).get(name, MISSING) for state in (live, target))
    if root not in schema.ENTITIES:
        return MISSING in (old, new) or not same(old, new)
    if new is MISSING:
        return _leaves(root, name, old)
    if not isinstance(new, dict) or not isinstance(old, dict):
        return isinstance(new, dict)
    return any(_to_write(root, old, new))


def _chosen(root: str, entries: Mapping[str, Any], chosen: Chosen) -> Mapping[str, Any]:
    entity = root in schema.ENTITIES
    return {
        name: value
        for name, value in entries.items()
        if chosen(Place(root, name, "") if entity else Place(root, "", name))
    }


def _values(held: "Map[Any]", live: Mapping[str, Any], wanted: Mapping[str, Any]) -> int:
    different = {key: value for key, value in wanted.items() if key not in live or not same(live[key], value)}
    for key, value in different.items():
        held[key] = wire(value)
    extra = live.keys() - wanted.keys()
    for key in extra:
        del held[key]
    return len(different) + len(extra)


def _entities(
    root: str, held: "Map[Any]", live: Mapping[str, Any], wanted: Mapping[str, Any], stamp: list[object]
) -> int:
    written = 0
    for entity, fields in wanted.items():
        if not isinstance(fields, dict):
            continue
        if isinstance(live.get(entity), dict):
            written += _fields(root, held[entity], live[entity], fields)
        else:
            held[entity] = made(root, fields)
            written += 1
    for entity in live.keys() - wanted.keys():
        written += _leave(root, entity, held, live[entity], stamp)
    return written


def made(root: str, fields: Mapping[str, Any]) -> "Map[Any]":
    """An entity with these canonical fields, to be inserted whole."""
    kept = [(key, value) for key, value in fields.items() if key not in schema.SERVER_FIELDS.get(root, ())]
    return new_entity(kept, texts=("body",) if root == "notes" else ())


def _fields(root: str, held: "Map[Any]", live: Mapping[str, Any], wanted: Mapping[str, Any]) -> int:
    different, extra = _to_write(root, live, wanted)
    for key, value in different.items():
        put(root, held, key, value)
    for key in extra:
        del held[key]
    return len(different) + len(extra)


def _to_write(root: str, live: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """The fields to be written, and those to be removed."""
    untouched = schema.SERVER_FIELDS.get(root, frozenset())
    different = {
        key: value
        for key, value in wanted.items()
        if key not in untouched and (key not in live or not same(live[key], value))
    }
    return different, live.keys() - wanted.keys() - untouched


def put(root: str, held: "Map[Any]", key: str, value: object) -> None:
    """Writes a canonical value; of a note's text only the part that differs. Inside a transaction."""
    if root == "notes" and key == "body" and isinstance(value, str):
        text = held.get(key)
        if isinstance(text, Text):
            replace_text(text, value)
        else:
            held[key] = Text(value)
        return
    held[key] = wire(value)


def _leave(root: str, entity: str, held: "Map[Any]", live: object, stamp: list[object]) -> int:
    """An entity that the target does not know: deleted softly where that exists, else removed."""
    if not _leaves(root, entity, live):
        return 0
    if root in schema.SOFT_DELETED and isinstance(live, dict):
        held[entity]["deleted"] = stamp
    else:
        del held[entity]
    return 1


def _leaves(root: str, entity: str, live: object) -> bool:
    if root not in schema.SOFT_DELETED or not isinstance(live, dict):
        return True
    return live.get("deleted") is None and entity not in schema.FIXED_TRACKS


def same(a: object, b: object) -> bool:
    """Equal as JSON: true is not 1."""
    return a == b and isinstance(a, bool) is isinstance(b, bool)
