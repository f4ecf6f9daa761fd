"""Drafts of people who were demoted while they worked, or brought work of another lineage: few, and each but once."""

import hashlib
from uuid import UUID

from persistence.pool import Pool
from persistence.snapshots import NAME_MAX
from studio.fields import shortened

DRAFTS_MAX = 20
"""Of each of the two kinds, for a person in a project: whoever may not write can't fill the database either."""

# Told of again with more in it, the draft of a connection grows; what another connection has brought is no news.
KEEP = """
insert into studio_snapshots as s (id, project_id, kind, reason, name, author_id, epoch, seq, state, sha256)
select $1, $2, 'draft', 'demoted', $3, $4, $5, $6, $7, $8
 where not exists (select from studio_snapshots where project_id = $2 and author_id = $4 and reason = 'demoted'
                      and id <> $1 and sha256 = $8)
   and $9 > (select count(*) from studio_snapshots where project_id = $2 and author_id = $4 and reason = 'demoted'
                and id <> $1)
    on conflict (id) do update set state = excluded.state, sha256 = excluded.sha256, seq = excluded.seq
 where s.author_id = excluded.author_id and s.reason = 'demoted'
returning id
"""
KEEP_LINEAGE = KEEP.replace("'demoted'", "'lineage'")  # a text of its own: each kind has an index of its own


async def keep_draft(
    pool: Pool,
    id_: UUID,
    project_id: UUID,
    author: UUID,
    name: str,
    epoch: int,
    seq: int,
    update: bytes,
    *,
    lineage: bool = False,
) -> bool:
    """Keeps unsent work as the draft `id_` of its author; False if it is known already, or there are too many.

    `lineage`: it is of another lineage; else of somebody who was demoted.
    """
    sha256 = hashlib.sha256(update).digest()
    title = shortened(name.replace("\0", "").strip(), NAME_MAX) or "Unsent work"
    statement = KEEP_LINEAGE if lineage else KEEP
    kept = await pool.fetchval(statement, id_, project_id, title, author, epoch, seq, update, sha256, DRAFTS_MAX)
    return kept is not None
