"""Markers of the timeline, edited through the document: open studios see each change at once."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import Field

from api import cursor as cursors
from api.access import Standing, allowed
from api.edits import annotated, fresh_id, now_ms
from api.services import Given, Unit
from api.shapes import PAGE_ITEMS, Body, Color, Cursor, Limit, Page, Reference, Shape, Text
from api.studio.document import ReaderAtOnce, committed
from studio import valid
from studio.edits import add_marker, delete_marker, edit_marker
from studio.roles import Action
from studio.schema import TICK_MAX

router = APIRouter(prefix="/api/projects/{project_id}/markers", tags=["markers"])

MarkerEditor = Annotated[Standing, Depends(allowed(Action.MARKERS))]
Tick = Annotated[int, Field(ge=0, le=TICK_MAX)]
Label = Annotated[Text, Field(max_length=80)]
Kind = Literal["cue", "section", "loop", "drop"]


class Marker(Shape):
    """A place in the song, or a span of it if `end` is given. Ticks are 960 to the quarter; `at` is ms since 1970."""

    id: str
    tick: int
    end: int | None
    label: str
    color: str
    kind: Kind
    by: str | None
    at: int


class NewMarker(Body):
    """`end` makes it a span."""

    tick: Tick
    label: Label
    end: Tick | None = None
    color: Color | None = None
    kind: Kind = "cue"


class MarkerChange(Body):
    """A field left out stays; `end: null` makes a span a place."""

    tick: Tick | None = None
    label: Label | None = None
    end: Tick | None = None
    color: Color | None = None
    kind: Kind | None = None


@router.get("")
async def list_markers(
    standing: ReaderAtOnce, given: Given, cursor: Cursor = None, limit: Limit = PAGE_ITEMS
) -> Page[Marker]:
    """The markers in the order of the song."""
    after = cursors.decode(cursor, cursors.whole, cursors.short) if cursor else (-1, "")
    view = await committed(given.pool, standing)
    markers = [_shape(entity, fields) for entity, fields in valid.living(view, "markers")]
    rest = sorted((m for m in markers if (m.tick, m.id) > after), key=lambda m: (m.tick, m.id))
    page, more = cursors.paged(rest, limit, lambda m: cursors.encode(m.tick, m.id))
    return Page(items=page, next_cursor=more)


@router.post("", status_code=201)
async def create_marker(body: NewMarker, standing: MarkerEditor, work: Unit) -> Marker:
    """Sets a marker."""
    marker_id, by = fresh_id("markers"), str(standing.caller.id)
    made = await annotated(
        work, standing, "edit", lambda doc: add_marker(doc, marker_id, by, now_ms(), **body.model_dump())
    )
    return _read(made)


@router.patch("/{marker_id}")
async def change_marker(marker_id: Reference, body: MarkerChange, standing: MarkerEditor, work: Unit) -> Marker:
    """Moves, names or colours a marker."""
    changes = body.model_dump(exclude_unset=True)
    return _read(await annotated(work, standing, "edit", lambda doc: edit_marker(doc, marker_id, changes)))


@router.delete("/{marker_id}", status_code=204)
async def remove_marker(marker_id: Reference, standing: MarkerEditor, work: Unit) -> None:
    """Deletes a marker; history and snapshots keep it."""
    by = str(standing.caller.id)
    await annotated(work, standing, "edit", lambda doc: delete_marker(doc, marker_id, by, now_ms()))


def _read(shown: dict[str, Any]) -> Marker:
    return _shape(shown["id"], valid.known("markers", shown["id"], shown))


def _shape(entity: str, fields: dict[str, Any]) -> Marker:
    return Marker(id=entity, **{key: fields[key] for key in Marker.model_fields if key != "id"})
