"""Who is in the voice rooms of projects, as the record says that webhooks of the provider keep."""

from collections.abc import Sequence
from uuid import UUID

from persistence.pool import Pool

HERE = """
select project_id, array_agg(distinct user_id order by user_id) as users from voice_sessions
 where project_id = any ($1) and left_at is null
 group by project_id
"""


class Voices:
    """Reads. Raises what the driver raises while the database is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def here(self, project_ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, ...]]:
        """User ids by project, sorted, each once; a project where nobody speaks is missing."""
        rows = await self._pool.fetch(HERE, list(project_ids))
        return {row["project_id"]: tuple(row["users"]) for row in rows}
