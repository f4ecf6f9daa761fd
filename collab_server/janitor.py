"""What nobody will ask for any more goes: history, trash and deleted projects whose time is over.

Every node does its rounds; what one has done the others find done.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from collab_server.setbacks import SETBACKS
from persistence.history import prune_history
from persistence.pool import Pool
from persistence.settings import RetentionSettings
from persistence.trash import due, empty_trash, purge_projects
from presence.bus import Bus
from presence.events import Grew

FIRST_ROUND_SECONDS: Final = 300.0
ROUND_SECONDS: Final = 3600.0
PROJECTS_A_ROUND: Final = 200
PAUSE_SECONDS: Final = 0.5
"""Between two projects: opening a document takes the processor for a moment, and nobody waits for this."""


class Janitor:
    """The rounds of one node."""

    def __init__(self, pool: Pool, bus: Bus, now: Callable[[], datetime], retention: RetentionSettings) -> None:
        self._pool = pool
        self._bus = bus
        self._now = now
        self._retention = retention
        self._log = structlog.get_logger("janitor")

    async def run(self) -> None:
        """Walk the rounds for ever."""
        await asyncio.sleep(FIRST_ROUND_SECONDS)
        while True:
            await self.round()
            await asyncio.sleep(ROUND_SECONDS)

    async def round(self, pause: float = PAUSE_SECONDS) -> None:
        """Everything once; what fails is tried again in the next round."""
        await self._try("history", lambda: prune_history(self._pool, self._retention.history_age))
        await self._try("deleted projects", lambda: purge_projects(self._pool))
        await self._try("trash", lambda: self._empty(pause))

    async def _empty(self, pause: float) -> None:
        for project_id in await due(self._pool, PROJECTS_A_ROUND):
            await self._try(f"trash of {project_id}", lambda project_id=project_id: self._empty_one(project_id))  # type: ignore[misc]
            await asyncio.sleep(pause)

    async def _empty_one(self, project_id: UUID) -> None:
        done = await empty_trash(self._pool, project_id, self._now())
        if done.body:
            self._bus.publish(Grew(project_id, done.epoch, done.seq, done.body))
            self._log.info("trash emptied", project=str(project_id), entries=done.result)

    async def _try(self, what: str, work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except SETBACKS as error:
            self._log.warning(f"{what} could not be cleared", error=f"{type(error).__name__}: {error}")
