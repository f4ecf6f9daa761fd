"""Who changed what, and when: the journal's record of changes, which compaction does not touch."""

from datetime import datetime
from typing import Final

import asyncpg
from fastapi import APIRouter

from api import cursor as cursors
from api.access import Reader
from api.services import Unit
from api.shapes import PAGE_ITEMS, Cursor, Limit, Page, Person, Shape

LIST_CHANGES: Final = """
select c.id, c.seq, c.created_at, c.origin, c.edits, c.paths,
       a.id as author_id, a.display_name as author_name, a.color as author_color
  from document_changes c
  left join profiles a on a.id = c.author_id
 where c.project_id = $1 and c.id < coalesce($2::bigint, 9223372036854775807)
 order by c.id desc
 limit $3
"""

router = APIRouter(tags=["history"])


class Change(Shape):
    """One author's part of a commit; `paths` are `root/id/key`. No author: the server's own repair."""

    seq: int
    at: datetime
    author: Person | None
    origin: str
    edits: int
    paths: list[str]


@router.get("/api/projects/{project_id}/history")
async def list_history(standing: Reader, work: Unit, cursor: Cursor = None, limit: Limit = PAGE_ITEMS) -> Page[Change]:
    """Changes, the newest first."""
    before = cursors.decode(cursor, cursors.whole) if cursor else (None,)
    rows = await work.connection.fetch(LIST_CHANGES, standing.project_id, *before, limit + 1)
    page, more = cursors.paged(rows, limit, lambda row: cursors.encode(row["id"]))
    return Page(items=[_shape(row) for row in page], next_cursor=more)


def _shape(row: asyncpg.Record) -> Change:
    author = None
    if row["author_id"] is not None:
        author = Person(id=row["author_id"], name=row["author_name"], color=row["author_color"])
    facts = {name: row[name] for name in ("seq", "origin", "edits", "paths")}
    return Change(at=row["created_at"], author=author, **facts)
