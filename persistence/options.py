"""What a project decides for itself, as its row holds it, and who is in it under these options."""

from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from persistence.pool import Database
from studio.roles import Options, Role

CAST: Final = """
select m.user_id, m.role, p.editors_restore, p.commenters_transport, p.readers_export, p.viewers_listen
  from project_members m
  join projects p on p.id = m.project_id
 where m.project_id = $1
"""


class Cast(NamedTuple):
    """Everybody's role, and the options that roles are read with."""

    roles: dict[UUID, Role]
    options: Options


async def cast(database: Database, project_id: UUID) -> Cast:
    """Who is what in a project as of now; of a project that is not there, nobody."""
    rows = await database.fetch(CAST, project_id)
    return Cast({row["user_id"]: Role(row["role"]) for row in rows}, options_of(rows[0]) if rows else Options())


def options_of(row: asyncpg.Record) -> Options:
    """The options of a row that has their columns."""
    return Options(row["editors_restore"], row["commenters_transport"], row["readers_export"], row["viewers_listen"])
