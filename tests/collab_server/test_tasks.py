"""Tests of what runs beside everything else."""

import asyncio
from uuid import UUID

from structlog.testing import capture_logs

from collab_server.tasks import Tasks
from persistence.errors import NotFound


async def fails(error: Exception) -> None:
    raise error


async def test_an_error_that_nobody_expected_is_logged() -> None:
    """A setback of the database was told where it happened; anything else is told here, and nothing is silent."""
    with capture_logs() as logs:
        tasks = Tasks()
        tasks.start(fails(ConnectionError("away")))
        tasks.start(fails(NotFound(UUID(int=1))))
        tasks.start(fails(ZeroDivisionError("oops")))
        await tasks.finish()
    assert [log["error"] for log in logs] == ["ZeroDivisionError: oops"]


async def test_what_was_started_is_waited_for() -> None:
    """Even if nobody kept the task, and even by one of the tasks."""
    tasks, done = Tasks(), list[str]()

    async def slow() -> None:
        await asyncio.sleep(0)
        done.append("slow")

    async def waits() -> None:
        await tasks.finish()
        done.append("waits")

    tasks.start(waits())
    tasks.start(slow())
    await tasks.finish()
    assert done == ["slow", "waits"]
