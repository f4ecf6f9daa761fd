"""What routes that look back share: documents as they were, who was last to write something, and people by name."""

import asyncio
from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Path

from api.errors import ApiError
from api.shapes import Person
from persistence.history import kept_since, past
from persistence.pool import Connection, Database
from studio.canonical import canonical

SEQ_MAX: Final = 2**53
Seq = Annotated[int, Path(ge=1, le=SEQ_MAX, description="A row of the journal: the document after it.")]

SELECT_PEOPLE: Final = "select id, display_name, color from profiles where id = any ($1)"
SELECT_AT: Final = "select min(created_at) from document_changes where project_id = $1 and seq = $2"
CREDITED_ROWS: Final = 100_000
"""So far back anybody is told who wrote something: a page asks at every step through a history of years."""


async def content_at(database: Database, project_id: UUID, seq: int) -> dict[str, Any]:
    """The canonical document after row `seq`. Raises MomentGone, CorruptState."""
    found = await past(database, project_id, seq)
    return await asyncio.to_thread(lambda: canonical(found.open()))


async def time_of(database: Database, project_id: UUID, seq: int) -> datetime:
    """When row `seq` was written. Raises moment_gone."""
    at: datetime | None = await database.fetchval(SELECT_AT, project_id, seq)
    if at is None:
        raise ApiError("moment_gone", since=await kept_since(database, project_id))
    return at


async def persons(connection: Connection, ids: Collection[UUID | None]) -> dict[UUID, Person]:
    """Those of them that have a profile."""
    rows = await connection.fetch(SELECT_PEOPLE, [one for one in ids if one is not None])
    return {row["id"]: Person(id=row["id"], name=row["display_name"], color=row["color"]) for row in rows}
