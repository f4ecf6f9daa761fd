"""What one person wrote in a stretch of the journal, found by playing it again."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pycrdt import Doc

from persistence.body import Entry, decode
from persistence.editing import sound
from persistence.errors import MomentGone
from persistence.history import Past, kept_since, past, rows_between
from persistence.journal import Row
from persistence.pool import Database
from studio.blank import open_doc
from studio.moments.written import Recorder, Written


async def written_by(
    database: Database, project_id: UUID, person: UUID, first: int, last: int, paths: Mapping[int, Sequence[str]]
) -> list[Written]:
    """What `person` wrote in the rows `first` to `last`; `paths` are theirs by row, as the history has them.

    Raises NotFound, MomentGone, CorruptState.
    """
    before = await past(database, project_id, first - 1) if first > 1 else None
    rows = await rows_between(database, project_id, first, last)
    if [row.seq for row in rows] != list(range(first, last + 1)):
        raise MomentGone(project_id, last, await kept_since(database, project_id))
    return await asyncio.to_thread(_played, project_id, before, rows, person, paths)


def _played(
    project_id: UUID, before: Past | None, rows: Sequence[Row], person: UUID, paths: Mapping[int, Sequence[str]]
) -> list[Written]:
    doc, heard = (open_doc() if before is None else before.open()), Recorder()
    with sound(project_id):
        for row in rows:
            _step(doc, heard, decode(row.body), person, paths.get(row.seq))
    return heard.written()


def _step(
    doc: "Doc[Any]", heard: Recorder, entries: Sequence[Entry], person: UUID, paths: Sequence[str] | None
) -> None:
    """One row: the recorder is told before the first update of the person's, and after all."""
    told = False
    for author, update in entries:
        if paths is not None and not told and author == person:
            heard.coming(doc, paths)
            told = True
        doc.apply_update(update)
    if told and paths is not None:
        heard.came(doc, paths)
