"""What runs beside everything else in a process: started, remembered until it ends, and never failing in silence."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from collab_server.setbacks import SETBACKS

FINISH_SECONDS = 5.0


class Tasks:
    """Work that nobody waits for. The event loop keeps no task alive, so this does."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._loop = asyncio.get_running_loop()
        self._log = structlog.get_logger("tasks")

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run it; an error that nobody expected is logged."""
        task = self._loop.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    async def finish(self) -> None:
        """Wait for what was started, for a while."""
        pending = self._running - {asyncio.current_task()}
        if pending:
            await asyncio.wait(pending, timeout=FINISH_SECONDS)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, SETBACKS):
            self._log.error("a task failed", error=f"{type(error).__name__}: {error}", exc_info=error)
