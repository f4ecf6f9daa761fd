"""Work that must not be merged, or not without a way back, is kept beside the document: drafts and snapshots."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID, uuid4

import structlog

from collab_server.hosted import Hosted
from collab_server.member import Member
from collab_server.setbacks import attempted
from collab_server.unsent import merged
from persistence.drafts import keep_draft
from persistence.pool import Pool
from persistence.snapshots import Snapshots


class Safe:
    """Where it is kept: the database. A setback is logged; the author still has the work."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._snapshots = Snapshots(pool)
        self._log = structlog.get_logger("safe")

    async def draft(self, hosted: Hosted, member: Member, update: bytes) -> None:
        """Keep work of another lineage, which must not be merged: once, and only so much of it."""
        work = keep_draft(self._pool, uuid4(), *_whose(hosted, member), update, lineage=True)
        await attempted(self._log, work, "draft")

    async def unsent(self, hosted: Hosted, member: Member, updates: list[bytes]) -> None:
        """Keep what somebody wrote who may not write any more: one draft for a connection, seen by nobody else."""
        update = await asyncio.to_thread(merged, updates)
        if update is not None:
            await attempted(self._log, keep_draft(self._pool, member.id, *_whose(hosted, member), update), "draft")

    async def before_merge(self, hosted: Hosted, member: Member, state: bytes) -> None:
        """Keep the state before a member's offline work."""
        work = self._snapshots.save(
            hosted.project_id,
            kind="automatic",
            reason="before_merge",
            name=f"Before the offline work of {member.principal.name}",
            author=None,
            parent=None,
            epoch=hosted.room.epoch,
            seq=hosted.room.head,
            state=state,
            canonical=None,
        )
        await attempted(self._log, work, "snapshot before a merge")


class Safekeeping:
    """Decides what is kept when. `start` runs work beside everything else, `charge` counts bytes against a member's
    rate, and a project has at most one snapshot before merges in `snapshot_seconds`."""

    def __init__(
        self,
        safe: Safe,
        start: Callable[[Coroutine[Any, Any, Any]], object],
        charge: Callable[[Member, float, int], None],
        snapshot_seconds: float,
    ) -> None:
        self._safe = safe
        self._start = start
        self._charge = charge
        self._snapshot_seconds = snapshot_seconds
        self._snapshots_due: dict[UUID, float] = {}
        """When offline work may be preceded by a snapshot again, for projects that had one lately."""
        self._loop = asyncio.get_running_loop()

    def draft(self, hosted: Hosted, member: Member, update: bytes) -> None:
        """Keep work of another lineage."""
        self._start(self._safe.draft(hosted, member, update))

    def unsent(self, hosted: Hosted, member: Member) -> None:
        """Keep what somebody wrote who may not write any more, if there is anything new of it."""
        if member.unsent is not None and member.unsent.fresh:
            self._start(self._safe.unsent(hosted, member, member.unsent.taken()))

    def before_merge(self, hosted: Hosted, member: Member) -> None:
        """Keep the document as it is, before many offline edits, unless that was done a while ago: what came since is
        in the history. A few bytes can be many edits, so it counts as if the member had sent what is kept."""
        now = self._loop.time()
        if now < self._snapshots_due.get(hosted.project_id, now):
            return
        self._snapshots_due = {project: due for project, due in self._snapshots_due.items() if due > now}
        self._snapshots_due[hosted.project_id] = now + self._snapshot_seconds
        state = hosted.room.state()
        self._charge(member, 0.0, len(state))
        self._start(self._safe.before_merge(hosted, member, state))


def _whose(hosted: Hosted, member: Member) -> tuple[UUID, UUID, str, int, int]:
    room = hosted.room
    return room.project_id, member.user_id, f"Unsent work of {member.principal.name}", room.epoch, room.head
