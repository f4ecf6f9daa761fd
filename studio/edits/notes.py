"""Notes (comments): added, changed, resolved and deleted by the server, for people without edit rights too."""

from collections.abc import Sequence
from typing import Any

from pycrdt import Doc, Map, Text

from studio.binding import new_entity
from studio.edits.entity import allowed, checked, living, replace_text, shown
from studio.errors import Invalid


def add_note(
    doc: "Doc[Any]",
    note_id: str,
    by: str,
    now_ms: int,
    *,
    body: str,
    anchor: Sequence[object] | None = None,
    track: str | None = None,
    parent: str | None = None,
) -> dict[str, Any]:
    """Adds a note and returns it. `anchor` is `["t", tick, end?]` or `["c", clip, content tick]`.

    A reply (`parent`) without an anchor stands where its parent stands. NotFound names what it points at in vain.
    """
    head = living(doc, "notes", parent) if parent is not None else None
    place = list(anchor) if anchor is not None else _place(head)
    fields = {"anchor": place, "track": track, "body": body, "author": by, "at": now_ms, "parent": parent}
    fields |= {"resolved": None, "deleted": None}
    ready = checked("notes", note_id, fields)
    if not body.strip():
        raise Invalid("body", "a note says something")
    if place[0] == "c":
        living(doc, "clips", str(place[1]))
    if track is not None:
        living(doc, "tracks", track)
    with doc.transaction():
        doc.get("notes", type=Map)[note_id] = new_entity(ready.items(), texts=("body",))
    return shown(doc, "notes", note_id)


def _place(head: "Map[Any] | None") -> list[object]:
    held = head.get("anchor") if head is not None else None
    return list(held) if isinstance(held, list) else ["t", 0]


def edit_note(doc: "Doc[Any]", note_id: str, body: str) -> dict[str, Any]:
    """Replaces the part of the body that differs and returns the note."""
    note = living(doc, "notes", note_id)
    allowed("notes", note_id, "body", body)
    if not body.strip():
        raise Invalid("body", "a note says something")
    with doc.transaction():
        held = note.get("body")
        if isinstance(held, Text):
            replace_text(held, body)
        else:
            note["body"] = Text(body)
    return shown(doc, "notes", note_id)


def resolve_note(doc: "Doc[Any]", note_id: str, by: str, now_ms: int, resolved: bool = True) -> dict[str, Any]:
    """Marks a note resolved (by whom, when) or open again, and returns it."""
    note = living(doc, "notes", note_id)
    with doc.transaction():
        note["resolved"] = allowed("notes", note_id, "resolved", [by, float(now_ms)]) if resolved else None
    return shown(doc, "notes", note_id)


def delete_note(doc: "Doc[Any]", note_id: str, by: str, now_ms: int) -> None:
    """Deletes softly; replies stay."""
    note = living(doc, "notes", note_id)
    with doc.transaction():
        note["deleted"] = allowed("notes", note_id, "deleted", [by, float(now_ms)])
