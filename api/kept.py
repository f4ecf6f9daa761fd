"""What a snapshot holds, for whoever may look at it. No database connection is held while it is worked out."""

import asyncio
from typing import Any, Final
from uuid import UUID

from api.access import Standing
from api.errors import ApiError
from api.services import Services
from persistence.pool import Database
from studio.blank import open_doc
from studio.canonical import canonical
from studio.canonical_json import read_back

SELECT_SNAPSHOT: Final = """
select s.id, s.kind, s.reason, s.name, s.parent_id, s.epoch, s.seq, s.created_at,
       a.id as author_id, a.display_name as author_name, a.color as author_color, s.canonical::text,
       case when s.canonical is null then s.state end as state
  from studio_snapshots s
  left join profiles a on a.id = s.author_id
 where s.project_id = $1 and s.id = $2 and (s.kind <> 'draft' or s.author_id = $3)
"""


async def found(database: Database, standing: Standing, snapshot_id: UUID) -> dict[str, Any]:
    """The snapshot's row as the caller may see it. Raises not_found."""
    row = await database.fetchrow(SELECT_SNAPSHOT, standing.project_id, snapshot_id, standing.caller.id)
    if row is None:
        raise ApiError("not_found")
    return dict(row)


async def content_of(given: Services, standing: Standing, row: dict[str, Any]) -> dict[str, Any]:
    """The canonical form of a snapshot, worked out from its state if it was saved without.

    Raises conflict, drafts_busy and rate_limited for a draft.
    """
    if row["canonical"] is not None:
        return await asyncio.to_thread(read_back, row["canonical"])
    if row["kind"] == "draft":
        await given.heavy.spend(standing.caller.id)
        return await given.drafts.laid_over_live(given.pool, standing.project_id, row["state"])
    return await asyncio.to_thread(_read, row["state"])


def _read(state: bytes) -> dict[str, Any]:
    doc = open_doc()
    doc.apply_update(state)
    return canonical(doc)
