"""R16 and the bodies of notes: a comment always has a place, and its words stay."""

from studio.binding import MISSING, RawText
from studio.fields import Body
from studio.repair.draft import Draft


def note(draft: Draft, entity: str, keys: frozenset[str]) -> None:
    """The cross-field rules of one note, as far as `keys` concern them."""
    whole = "" in keys
    if whole or "anchor" in keys:
        draft.firsts.see_anchor(draft.reader, entity)
        _anchor(draft, entity)
    if whole or "track" in keys:
        _reference(draft, entity, "track", "tracks")
    if whole or "parent" in keys:
        _reference(draft, entity, "parent", "notes")
        _thread(draft, entity)


def body(draft: Draft, entity: str, value: object, spec: Body) -> None:
    """The body is a Y.Text of bounded length; a plain string becomes one. Its size in bytes bounds the units."""
    if value is MISSING:
        return
    if not isinstance(value, RawText):
        draft.write("notes", entity, "body", spec.fix(value, entity), spec.rule(value))
    elif draft.reader.text_bytes(value) > spec.units:
        text = draft.reader.text(value)
        if spec.fix(text, entity) is not text:
            draft.write("notes", entity, "body", spec.fix(text, entity), "R4")


def clip_gone(draft: Draft, clip: str) -> None:
    """A clip was removed for good: notes on it fall to the timeline."""
    for entity in draft.reader.ids("notes"):
        anchor = draft.reader.value("notes", entity, "anchor")
        if isinstance(anchor, list) and anchor[:2] == ["c", clip]:
            _anchor(draft, entity)


def track_gone(draft: Draft, track: str) -> None:
    for entity in draft.reader.ids("notes"):
        if draft.reader.value("notes", entity, "track") == track:
            draft.write("notes", entity, "track", None, "R16")


def note_gone(draft: Draft, parent: str) -> None:
    for entity in draft.reader.ids("notes"):
        if draft.reader.value("notes", entity, "parent") == parent:
            draft.write("notes", entity, "parent", None, "R16")


def _anchor(draft: Draft, entity: str) -> None:
    anchor = draft.read("notes", entity, "anchor")
    if isinstance(anchor, list) and anchor[0] == "c" and not draft.is_entity("clips", str(anchor[1])):
        tick = max(0.0, draft.firsts.last_position(str(anchor[1])) + anchor[2])
        draft.write("notes", entity, "anchor", ["t", tick], "R16")


def _reference(draft: Draft, entity: str, key: str, root: str) -> None:
    target = draft.read("notes", entity, key)
    if target is not None and not draft.is_entity(root, str(target)):
        draft.write("notes", entity, key, None, "R16")


def _thread(draft: Draft, entity: str) -> None:
    """Replies that answer each other in a circle: the highest id starts a thread of its own."""
    seen: list[str] = []
    place: object = entity
    while place is not None and place not in seen and draft.is_entity("notes", str(place)):
        seen.append(str(place))
        place = draft.read("notes", str(place), "parent")
    if place in seen:
        draft.write("notes", max(seen[seen.index(str(place)) :]), "parent", None, "R16")
