"""Markers: added, changed and deleted by the server."""

from collections.abc import Mapping
from typing import Any, Final

from pycrdt import Doc, Map

from studio.binding import new_entity
from studio.edits.entity import allowed, checked, living, shown, write
from studio.errors import Invalid
from studio.schema import MARKER_COLOR

EDITABLE: Final = frozenset({"tick", "end", "label", "color", "kind"})


def add_marker(
    doc: "Doc[Any]",
    marker_id: str,
    by: str,
    now_ms: int,
    *,
    tick: int,
    label: str,
    end: int | None = None,
    color: str | None = None,
    kind: str = "cue",
) -> dict[str, Any]:
    """Adds a marker at `tick` (a span if `end` is given) and returns it."""
    fields = {"tick": tick, "end": end, "label": label, "color": color or MARKER_COLOR, "kind": kind}
    fields |= {"by": by, "at": now_ms, "deleted": None}
    ready = checked("markers", marker_id, fields)
    _spans(tick, end)
    with doc.transaction():
        doc.get("markers", type=Map)[marker_id] = new_entity(ready.items())
    return shown(doc, "markers", marker_id)


def edit_marker(doc: "Doc[Any]", marker_id: str, changes: Mapping[str, object]) -> dict[str, Any]:
    """Writes the given fields of `tick`, `end`, `label`, `color`, `kind` and returns the marker."""
    for key in changes.keys() - EDITABLE:
        raise Invalid(key, "this field cannot be changed")
    marker = living(doc, "markers", marker_id)
    ready = checked("markers", marker_id, changes)
    _spans(ready.get("tick", marker.get("tick", 0)), ready.get("end", marker.get("end")))
    with doc.transaction():
        write(marker, ready)
    return shown(doc, "markers", marker_id)


def delete_marker(doc: "Doc[Any]", marker_id: str, by: str, now_ms: int) -> None:
    """Deletes softly."""
    marker = living(doc, "markers", marker_id)
    allowed("markers", marker_id, "deleted", [by, now_ms])
    with doc.transaction():
        marker["deleted"] = [by, float(now_ms)]


def _spans(tick: object, end: object) -> None:
    if isinstance(tick, int | float) and isinstance(end, int | float) and end <= tick:
        raise Invalid("end", "a span ends behind its beginning")
