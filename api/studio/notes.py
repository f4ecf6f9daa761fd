"""Notes (comments) and their replies, edited through the document. Commenters write their own; editors tidy all."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pycrdt import Doc
from pydantic import Field

from api import cursor as cursors
from api.access import Standing, allowed
from api.edits import annotated, fresh_id, now_ms
from api.errors import ApiError
from api.services import Given, Unit
from api.shapes import PAGE_ITEMS, Body, Cursor, Limit, Page, Reference, Shape, Text
from api.studio.document import ReaderAtOnce, committed
from studio import valid
from studio.edits import add_note, delete_note, edit_note, resolve_note
from studio.edits.entity import living, shown
from studio.roles import Action, may
from studio.schema import TICK_MAX

router = APIRouter(prefix="/api/projects/{project_id}/notes", tags=["notes"])

Author = Annotated[Standing, Depends(allowed(Action.NOTE_ADD))]
Commenter = Annotated[Standing, Depends(allowed(Action.NOTE_CHANGE_OWN))]
Place = Annotated[int, Field(ge=-TICK_MAX, le=TICK_MAX)]
Anchor = Annotated[list[Reference | Place | None], Field(min_length=2, max_length=3)]
Said = Annotated[Text, Field(min_length=1)]


class Note(Shape):
    """What somebody said about a place: `anchor` is `["t", tick, end?]` or `["c", clip, content tick]`.

    `at` is ms since 1970, `resolved` is `[user, ms]` or null, `parent` the note it answers.
    """

    id: str
    anchor: list[str | int | None]
    track: str | None
    body: str
    author: str | None
    at: int
    parent: str | None
    resolved: list[str | int] | None


class NewNote(Body):
    """A reply names its `parent` and stands where that stands."""

    body: Said
    anchor: Anchor | None = None
    track: Reference | None = None
    parent: Reference | None = None


class NoteChange(Body):
    """A field left out stays."""

    body: Said | None = None
    resolved: bool | None = None


@router.get("")
async def list_notes(
    standing: ReaderAtOnce, given: Given, cursor: Cursor = None, limit: Limit = PAGE_ITEMS
) -> Page[Note]:
    """The notes in the order they were written."""
    after = cursors.decode(cursor, cursors.whole, cursors.short) if cursor else (-1, "")
    view = await committed(given.pool, standing)
    notes = [_shape(entity, fields) for entity, fields in valid.living(view, "notes")]
    rest = sorted((n for n in notes if (n.at, n.id) > after), key=lambda n: (n.at, n.id))
    page, more = cursors.paged(rest, limit, lambda n: cursors.encode(n.at, n.id))
    return Page(items=page, next_cursor=more)


@router.post("", status_code=201)
async def create_note(body: NewNote, standing: Author, work: Unit) -> Note:
    """Says something, or answers somebody."""
    note_id, by = fresh_id("notes"), str(standing.caller.id)
    made = await annotated(
        work, standing, "comment", lambda doc: add_note(doc, note_id, by, now_ms(), **body.model_dump())
    )
    return _read(made)


@router.patch("/{note_id}")
async def change_note(note_id: Reference, body: NoteChange, standing: Commenter, work: Unit) -> Note:
    """Rewrites a note, resolves it or opens it again."""

    def change(doc: "Doc[Any]") -> dict[str, Any]:
        _check_own(doc, note_id, standing)
        if body.body is not None:
            edit_note(doc, note_id, body.body)
        if body.resolved is not None:
            resolve_note(doc, note_id, str(standing.caller.id), now_ms(), body.resolved)
        return shown(doc, "notes", note_id)

    return _read(await annotated(work, standing, "comment", change))


@router.delete("/{note_id}", status_code=204)
async def remove_note(note_id: Reference, standing: Commenter, work: Unit) -> None:
    """Deletes a note; its replies stay."""

    def change(doc: "Doc[Any]") -> None:
        _check_own(doc, note_id, standing)
        delete_note(doc, note_id, str(standing.caller.id), now_ms())

    await annotated(work, standing, "comment", change)


def _check_own(doc: "Doc[Any]", note_id: str, standing: Standing) -> None:
    """Raises NotFound for no note, forbidden for somebody else's when the role covers one's own alone."""
    own = living(doc, "notes", note_id).get("author") == str(standing.caller.id)
    if not own and not may(standing.role, Action.NOTE_CHANGE_OTHERS):
        raise ApiError("forbidden", role=standing.role.value, action=Action.NOTE_CHANGE_OTHERS.value)


def _read(note: dict[str, Any]) -> Note:
    return _shape(note["id"], valid.known("notes", note["id"], note))


def _shape(entity: str, fields: dict[str, Any]) -> Note:
    wanted = {key: fields[key] for key in Note.model_fields if key != "id"}
    resolved = fields["resolved"]
    wanted |= {"anchor": list(fields["anchor"]), "resolved": None if resolved is None else list(resolved)}
    return Note(id=entity, **wanted)
