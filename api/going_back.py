"""Edits that bring back what was: what is there becomes an automatic snapshot first, so they can be taken back too."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from pycrdt import Doc

from api.access import Standing
from api.edits import edited
from api.services import Work
from api.shapes import Shape
from persistence import snapshots as stored
from persistence.projections import project
from studio.canonical import canonical

NAME_MAX: Final = 120

T = TypeVar("T")


class Restored(Shape):
    """`changes` keys and entries were written; `before` is the automatic snapshot of what was there."""

    changes: int
    seq: int
    before: UUID


@dataclass(frozen=True, slots=True)
class Gone(Generic[T]):
    """What the change returned, the row it became (or the head, if it wrote nothing), and the snapshot before it."""

    result: T
    seq: int
    before: UUID
    wrote: bool


async def go_back(
    work: Work, standing: Standing, name: str, parent: UUID | None, change: "Callable[[Doc[Any]], T]"
) -> Gone[T]:
    """One ordinary edit for everybody; markers' and notes' rows follow. `name` and `parent` are the snapshot's."""

    def kept(doc: "Doc[Any]") -> "tuple[Doc[Any], bytes, dict[str, Any], T]":
        before = doc.get_update(), canonical(doc)
        return doc, *before, change(doc)

    done = await edited(work, standing, "restore", kept)
    doc, state, content, result = done.result
    author, place = standing.caller.id, (done.epoch, done.seq - 1 if done.body else done.seq)
    columns = ("automatic", "before_restore", name[:NAME_MAX], author, parent, *place, state, content)
    digest = hashlib.sha256(state).digest()
    before: UUID = await work.connection.fetchval(stored.INSERT, standing.project_id, *columns, digest)
    if done.body:
        now = canonical(doc, ("markers", "notes"))
        await project(work.connection, standing.project_id, now["markers"], now["notes"], done.seq)
    return Gone(result, done.seq, before, bool(done.body))
