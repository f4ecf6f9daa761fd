"""Who wrote what last, read from the newest row of the history backward until everything asked for was found.

A busy project has hundreds of thousands of rows, and what somebody asks about was mostly written a moment ago. So the
rows are looked at in stretches that grow, and nothing is sorted.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from persistence.pool import Connection
from studio.moments.credits import Credit

SEQ_MAX: Final = 2**53
"""No row has a larger number."""
STRETCH_FIRST: Final = 2_000
STRETCH_GROWTH: Final = 4
STRETCH_MAX: Final = 128_000

HEAD: Final = "select head from documents where project_id = $1"
WRITTEN_AT: Final = """
select created_at from document_changes where project_id = $1 and seq <= $2 order by seq desc limit 1
"""
# A few paths are compared with each row's at once. Many are hashed: `is true` keeps PostgreSQL from sorting instead.
LAST_CHANGES: Final = """
select l.path, c.seq, c.created_at, c.author_id
  from (select p.path, max(p.id) as id
          from (select o.id, unnest(o.paths) as path
                  from document_changes o
                 where o.project_id = $1 and o.seq > $2 and o.seq <= $3
                   and ($5 or o.origin <> 'repair')
                   and (cardinality($4::text[]) > 8 or o.paths && $4)) p
         where (p.path in (select unnest($4))) is true
         group by p.path) l
  join document_changes c on c.project_id = $1 and c.id = l.id
"""


async def last_changes(
    connection: Connection,
    project_id: UUID,
    after: int,
    until: int,
    wanted: Iterable[Collection[str]],
    *,
    repairs: bool = False,
    since: datetime | None = None,
) -> dict[str, Credit]:
    """The last change of each path in the rows `after + 1` to `until`, with the server's own `repairs` if asked for.

    Each of `wanted` is the paths of one thing: as soon as one of them is found, nobody looks for older changes of the
    others. With `since`, rows from before then are looked at no further than to the end of a stretch.
    """
    found: dict[str, Credit] = {}
    high, stretch = await _newest(connection, project_id, until), STRETCH_FIRST
    missing = list(wanted)
    while missing and high > after:
        low = max(after, high - stretch)
        paths = sorted({path for one in missing for path in one})
        rows = await connection.fetch(LAST_CHANGES, project_id, low, high, paths, repairs)
        found |= {row["path"]: Credit(row["seq"], row["created_at"], row["author_id"]) for row in rows}
        missing = [one for one in missing if found.keys().isdisjoint(one)]
        if since is not None and await _before(connection, project_id, low, since):
            break
        high, stretch = low, min(stretch * STRETCH_GROWTH, STRETCH_MAX)
    return found


async def _newest(connection: Connection, project_id: UUID, until: int) -> int:
    head: int | None = await connection.fetchval(HEAD, project_id)
    return min(until, head or 0)


async def _before(connection: Connection, project_id: UUID, seq: int, since: datetime) -> bool:
    at: datetime | None = await connection.fetchval(WRITTEN_AT, project_id, seq)
    return at is not None and at < since
