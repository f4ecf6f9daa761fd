"""A heartbeat of silent connections writes their pages and no index."""

from uuid import UUID, uuid4

from persistence.pool import Pool
from persistence.sessions import Arrival, Sessions

MEMBER = "insert into project_members (project_id, user_id, role) values ($1, $2, 'editor')"
UPDATES = """
select pg_stat_get_xact_tuples_updated(c.oid) as updated, pg_stat_get_xact_tuples_hot_updated(c.oid) as heap_only
  from pg_class c where c.oid = 'collaboration_participants'::regclass
"""
BEAT = "update collaboration_participants set seen_at = clock_timestamp(), edits = edits + 1 where left_at is null"
CONNECTIONS = 500


async def test_a_heartbeat_is_a_heap_only_update(pool: Pool, project: UUID, user: UUID) -> None:
    """Many rows of a page are updated at once, and not one needs a new entry in an index."""
    await pool.execute(MEMBER, project, user)
    arrivals = [Arrival(uuid4(), project, user) for _ in range(CONNECTIONS)]
    assert len(await Sessions(pool, uuid4()).admit(arrivals)) == CONNECTIONS
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(BEAT)
        counted = await connection.fetchrow(UPDATES)
    assert counted is not None
    assert counted["updated"] == CONNECTIONS
    assert counted["heap_only"] == CONNECTIONS
