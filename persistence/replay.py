"""What one person wrote in a stretch of the journal, found by playing it again."""

import asyncio
from collections.abc import Mapping, Sequence
from uuid import UUID

from persistence.body import decode
from persistence.errors import MomentGone
from persistence.history import Past, past, rows_between
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
        raise MomentGone(project_id, last, None)
    return await asyncio.to_thread(_played, before, rows, person, paths)


def _played(
    before: Past | None, rows: Sequence[Row], person: UUID, paths: Mapping[int, Sequence[str]]
) -> list[Written]:
    doc, heard = (open_doc() if before is None else before.open()), Recorder()
    for row in rows:
        told = row.seq not in paths
        for author, update in decode(row.body):
            if not told and author == person:
                heard.coming(doc, paths[row.seq])
                told = True
            doc.apply_update(update)
        if told and row.seq in paths:
            heard.came(doc, paths[row.seq])
    return heard.written()
