"""What a room leaves behind in the database besides its journal: snapshots, projections, sessions, compaction.

None of it is on the way of an edit; a failure here is logged and tried again at the next occasion.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from collab_server.hosted import Hosted
from collab_server.member import Member
from collab_server.setbacks import SETBACKS, attempted
from collab_server.standing import Standing, standing_of
from persistence.journal import Journal
from persistence.options import Cast, cast
from persistence.pool import Pool
from persistence.projections import project
from persistence.sessions import Sessions
from persistence.settings import RetentionSettings
from persistence.snapshots import Snapshots
from studio.canonical import canonical

MEMBERSHIPS = """
SELECT project_id, user_id, role, credited, restriction FROM project_members WHERE project_id = any ($1)
"""
STALE_AFTER = timedelta(seconds=90)
"""A connection whose node has not spoken of it for three heartbeats is gone."""

LOST_WITHIN = timedelta(hours=1)
"""For so long after a node died the work that was lost with it may be brought back by those who had heard of it."""

PROJECTED = ("markers", "notes")


class Keeper:
    """Database work of rooms."""

    def __init__(
        self,
        pool: Pool,
        journal: Journal,
        sessions: Sessions,
        now: Callable[[], datetime],
        retention: RetentionSettings,
    ) -> None:
        self._pool = pool
        self._journal = journal
        self._snapshots = Snapshots(pool)
        self._sessions = sessions
        self._now = now
        self._retention = retention
        self._log = structlog.get_logger("keeper")

    async def cast(self, project_id: UUID) -> Cast:
        """Everybody's role and the project's options as of now."""
        return await cast(self._pool, project_id)

    async def standings(self, projects: Sequence[UUID]) -> dict[UUID, dict[UUID, Standing]]:
        """Everybody's membership as of now, by project and user."""
        found: dict[UUID, dict[UUID, Standing]] = {project: {} for project in projects}
        for row in await self._pool.fetch(MEMBERSHIPS, projects):
            standing = standing_of(row["role"], row["restriction"], row["credited"])
            found[row["project_id"]][row["user_id"]] = standing
        return found

    async def lost(self, project_id: UUID) -> set[UUID]:
        """The nodes that may have died with people in this project."""
        return await self._sessions.lost(project_id, LOST_WITHIN)

    async def seen(self, members: Mapping[UUID, tuple[UUID, Member]]) -> None:
        """These connections are alive (connection id → project and member)."""
        try:
            swept = await self._sessions.seen({id: member.edits for id, (_, member) in members.items()})
            for connection_id in swept:
                project_id, member = members[connection_id]
                await self._sessions.joined(project_id, member.id, member.user_id, member.role.value)
        except SETBACKS as error:
            self._log.warning("session heartbeat failed", error=f"{type(error).__name__}: {error}")

    async def sweep(self) -> None:
        """Close what a dead node left open."""
        await attempted(self._log, self._sessions.sweep(STALE_AFTER), "sweep")

    async def prune(self) -> None:
        """Let the snapshots go that the retention settings no longer hold."""
        await attempted(self._log, self._snapshots.prune(self._retention), "retention")

    async def snapshot(self, hosted: Hosted, reason: str) -> None:
        """Keep the document as it is, if it changed since the last time."""
        if not hosted.chores.unkept:
            return
        hosted.chores.unkept = False
        room = hosted.room
        saved = await attempted(
            self._log,
            self._snapshots.save(
                room.project_id,
                kind="automatic",
                reason=reason,
                name=f"{self._now():%Y-%m-%d %H:%M}",
                author=None,
                parent=None,
                epoch=room.epoch,
                seq=room.head,
                state=room.state(),
                canonical=None,  # reading all of it would hold the event loop: it is done when somebody looks
            ),
            "snapshot",
        )
        hosted.chores.unkept = hosted.chores.unkept or not saved

    async def project(self, hosted: Hosted) -> None:
        """Bring studio_markers and studio_notes up to the document."""
        hosted.chores.projection_due = False
        content = canonical(hosted.room.document.glance(), PROJECTED)
        seq = hosted.room.head
        if not await attempted(self._log, self._project(hosted.project_id, content, seq), "projection"):
            hosted.chores.projection_due = True

    async def _project(self, project_id: UUID, content: dict[str, Any], seq: int) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await project(connection, project_id, content["markers"], content["notes"], seq)

    async def compact(self, hosted: Hosted, seq: int, state: bytes) -> None:
        """Store the state as of `seq` and let the rows go that it covers."""
        hosted.chores.compacted()
        await attempted(
            self._log, self._journal.compact(hosted.project_id, hosted.room.epoch, seq, state), "compaction"
        )
