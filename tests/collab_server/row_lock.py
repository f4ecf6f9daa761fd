"""A document's row that somebody else holds: whoever commits waits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg

LOCK = "select head from documents where project_id = $1 for update"
WAITING = """
select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()
"""
TERMINATE_WAITING = """
select pg_terminate_backend(pid) from pg_stat_activity
 where wait_event_type = 'Lock' and datname = current_database()
"""


@asynccontextmanager
async def held(database: str, project: UUID) -> AsyncIterator[None]:
    """Somebody else holds the document's row."""
    connection = await asyncpg.connect(database)
    try:
        async with connection.transaction():
            await connection.fetchrow(LOCK, project)
            yield
    finally:
        await connection.close()
