"""Opening and leaving a project."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backline.errors import NotSaved, Unreachable
from backline.project import Project
from backline.tickets import tickets


@asynccontextmanager
async def open(
    url: str, token: str, *, connect_within: float = 30.0, save_within: float = 10.0
) -> AsyncIterator[Project]:
    """Open a project: `async with backline.open("https://studio.example/p/<id>", token) as project:`.

    `url` is the project's page with a bearer `token`, which fetches tickets as they are needed; or the `ws_url` of a
    ticket with that ticket, which is good for five minutes and cannot be renewed. The project is complete when the
    block begins. When it ends, edits that are not saved yet get `save_within` seconds; then NotSaved says which were
    not. If another exception leaves the block, it stays, with a note of what was not saved.

    Raises InvalidAddress, Unreachable after `connect_within` seconds, and Refused (TicketRefused, NotAllowed,
    NoSuchProject).
    """
    project = Project(tickets(url, token))
    running = asyncio.create_task(project.session.run(), name="backline")
    try:
        await _opened(project, connect_within)
        try:
            yield project
        except BaseException as error:
            await _noted(project, error, save_within)
            raise
        await project.saved(save_within)
    finally:
        project.close()
        running.cancel()
        await asyncio.wait([running])


async def _opened(project: Project, within: float) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in (project.session.synced, project.session.ended)]
    try:
        await asyncio.wait(waiting, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
    if project.ledger.failure is not None:
        raise project.ledger.failure
    if not project.connected:
        raise Unreachable(f"no connection within {within:g} s: {project.session.last_trouble}")


async def _noted(project: Project, error: BaseException, within: float) -> None:
    """Save what can be saved, and tell on the exception what was not."""
    try:
        await project.saved(within)
    except NotSaved as loss:
        if error is not loss:
            error.add_note(str(loss))
