"""The driver: which rules look at what was touched, in which order, and how their writes get into the document."""

from collections.abc import Iterable
from typing import Any, Final

from pycrdt import Doc, Map, Text

from studio import schema
from studio.binding import MISSING, RawMap, Reader, new_entity, reading, update_of, wire
from studio.fields import DROP, Body
from studio.repair import clips, guarded, notes, routing, strangers
from studio.repair.draft import Draft, Repair, Stamp
from studio.repair.firsts import GUARDED, Firsts
from studio.watch import Touched

ORIGIN: Final = "server/repair"
PASSES: Final = 4

__all__ = ["ORIGIN", "Repair", "Stamp", "everything", "repair", "repair_update", "written"]


def repair(
    doc: "Doc[Any]", touched: Iterable[Touched] | None, firsts: Firsts, stamp: Stamp | None = None
) -> list[Repair]:
    """Repairs what `touched` names (None: everything, as at load) and returns what was written, in order.

    Plans first, at a few µs per touched field; opens its transaction only if something must be written. `firsts`
    learns what is new. With `stamp`, the author and time of notes and markers created here are the stamp's,
    whatever the client wrote. Not to be called inside another transaction.
    """
    pending = everything(doc) if touched is None else touched
    draft = _draft(doc, pending, firsts, stamp)
    done: list[Repair] = []
    if not draft.writes:
        return done
    with doc.transaction(origin=ORIGIN):
        for _ in range(PASSES):
            made = sorted(draft.writes.values(), key=lambda w: (w.root, w.id, w.key))
            _write(doc, made)
            done += made
            draft = _draft(doc, [_echo(write) for write in made], firsts, None)
            if not draft.writes:
                break
    return done


def repair_update(
    doc: "Doc[Any]", touched: Iterable[Touched] | None, firsts: Firsts, stamp: Stamp | None = None
) -> tuple[list[Repair], bytes]:
    """`repair`, together with exactly the update it made (b"" for none): what peers and the journal get."""
    pending = everything(doc) if touched is None else list(touched)
    if not _draft(doc, pending, firsts, stamp).writes:
        return [], b""
    done: list[Repair] = []
    update = update_of(doc, lambda: done.extend(repair(doc, pending, firsts, stamp)))
    return done, update


def written(doc: "Doc[Any]", writes: list[Repair], origin: str) -> bytes:
    """Makes these writes in one transaction of their own; the update that this is."""

    def change() -> None:
        with doc.transaction(origin=origin):
            _write(doc, writes)

    return update_of(doc, change)


def everything(doc: "Doc[Any]") -> list[Touched]:
    """Every entry and key of the document as if it had just been edited (but not created).

    A full look costs about 30 µs per entity: whoever must not stall gives it to `repair` in slices.
    """
    with reading(doc) as reader:
        touched = [Touched("tracks", track, frozenset()) for track in sorted(schema.FIXED_TRACKS)]
        for root in schema.ROOTS:
            ids = reader.ids(root)
            if root in schema.ENTITIES:
                touched += [Touched(root, entity, _keys(reader, root, entity)) for entity in ids]
            else:
                touched.append(Touched(root, "", frozenset(ids)))
    return touched


def _keys(reader: Reader, root: str, entity: str) -> frozenset[str]:
    entry = reader.entry(root, entity)
    return frozenset(reader.keys(entry)) if isinstance(entry, RawMap) else frozenset()


def _draft(doc: "Doc[Any]", touched: Iterable[Touched], firsts: Firsts, stamp: Stamp | None) -> Draft:
    with reading(doc) as reader:
        draft = Draft(reader, firsts, stamp)
        for root, entity, keys in _merged(touched):
            if root in schema.ENTITIES:
                _judge_entity(draft, root, entity, keys)
            else:
                _judge_values(draft, root, keys)
    return draft


def _merged(touched: Iterable[Touched]) -> list[Touched]:
    """One note per entity; judged in an order that does not depend on arrival."""
    notes_ = list(touched)
    if len(notes_) == 1:
        return notes_
    merged: dict[tuple[str, str], frozenset[str]] = {}
    for root, entity, keys in notes_:
        held = merged.get((root, entity))
        merged[root, entity] = keys if held is None else held | keys
    return [Touched(root, entity, keys) for (root, entity), keys in sorted(merged.items(), key=lambda i: i[0])]


def _judge_values(draft: Draft, root: str, keys: frozenset[str]) -> None:
    if root in schema.SERVER_ROOTS:
        guarded.server_root(draft, root, keys)
        return
    whole = schema.LEAVES.get(root)
    unknown: list[str] = []
    for key in keys:
        spec = whole or schema.field(root, key)
        if spec is not None:
            draft.check(root, "", key, spec, draft.reader.entry(root, key))
        else:
            unknown.append(key)
    if unknown:
        strangers.bound(draft, root, "", unknown)


def _judge_entity(draft: Draft, root: str, entity: str, keys: frozenset[str]) -> None:
    entry = draft.reader.entry(root, entity)
    if not isinstance(entry, RawMap):
        _gone(draft, root, entity, entry)
        return
    guards = GUARDED[root]
    if guards and ("" in keys or not guards.isdisjoint(keys)):
        guarded.entity(draft, root, entity, keys)
    unknown: list[str] = []
    for key in keys:
        spec = schema.field(root, key)
        if spec is None:
            if key:
                unknown.append(key)
            continue
        if draft.writes and (root, entity, key) in draft.writes:
            continue
        value = draft.reader.get(entry, key)
        if isinstance(spec, Body):
            notes.body(draft, entity, value, spec)
        else:
            draft.check(root, entity, key, spec, value)
    if root == "clips":
        clips.clip(draft, entity, keys)
    elif root == "markers":
        clips.marker(draft, entity, keys)
    elif root in {"tracks", "sends"}:
        routing.touched(draft, root, entity, keys)
    elif root == "notes":
        notes.note(draft, entity, keys)
    if unknown:
        strangers.bound(draft, root, entity, unknown)


def _gone(draft: Draft, root: str, entity: str, entry: object) -> None:
    """The entry is missing, or is no Map (R1): what pointed at it must be looked after."""
    draft.firsts.meet(draft.reader, root, entity)
    if root == "tracks" and entity in schema.FIXED_TRACKS:
        guarded.fixed_track(draft, entity)
        return
    if entry is not MISSING:
        draft.write(root, entity, "", DROP, "R1")
    if root == "tracks":
        routing.track_gone(draft, entity)
        notes.track_gone(draft, entity)
    elif root == "clips":
        notes.clip_gone(draft, entity)
    elif root == "notes":
        notes.note_gone(draft, entity)


def _echo(write: Repair) -> Touched:
    return Touched(write.root, write.id, frozenset({write.key}))


def _write(doc: "Doc[Any]", writes: list[Repair]) -> None:
    for write in writes:
        root: Map[Any] = doc.get(write.root, type=Map)
        if write.id and not write.key:
            _write_entry(root, write)
            continue
        target: Map[Any] = root[write.id] if write.id else root
        if write.removed:
            del target[write.key]
        elif write.root == "notes" and write.key == "body":
            _write_body(target, str(write.new))
        else:
            target[write.key] = wire(write.new)


def _write_entry(root: "Map[Any]", write: Repair) -> None:
    if write.removed:
        del root[write.id]
    else:
        assert isinstance(write.new, dict)
        root[write.id] = new_entity(write.new.items())


def _write_body(note: "Map[Any]", body: str) -> None:
    held = note.get("body")
    if isinstance(held, Text):
        del held[len(body.encode()) :]
    else:
        note["body"] = Text(body)
