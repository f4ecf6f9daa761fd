"""What the rest of the system is told, and when."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from persistence.pool import open_pool
from presence.bus import open_bus
from presence.events import AccessRevoked, Event, Grew, ProjectDeleted, ProjectRenamed, RoleChanged
from studio.roles import Role
from tests.api.people import Meet, code, until

HEAD = "select head from documents where project_id = $1"


@asynccontextmanager
async def heard(url: str, project: str) -> AsyncIterator[Callable[[int], "asyncio.Future[list[Event]]"]]:
    """What is published about a project from now on; `await first(n)` answers the first n events."""
    events: list[Event] = []
    arrived = asyncio.Event()

    def hear(event: Event) -> None:
        events.append(event)
        arrived.set()

    async def first(count: int) -> list[Event]:
        async with asyncio.timeout(5):
            while len(events) < count:
                arrived.clear()
                await arrived.wait()
        return events

    async with open_bus(url) as bus:

        async def healthy() -> bool:
            return bus.healthy

        await until(healthy)
        await bus.subscribe(UUID(project.rsplit("/", 1)[1]), hear)
        yield lambda count: asyncio.ensure_future(first(count))


async def test_an_edit_is_announced_as_the_committed_row(meet: Meet, redis_url: str, database: str) -> None:
    """Grew carries the row's number and body; when it is heard the row is there."""
    ann = await meet("Ann")
    project = await ann.project()
    project_id = UUID(project.rsplit("/", 1)[1])
    pool = await open_pool(database)
    async with heard(redis_url, project) as first:
        await ann.post(f"{project}/markers", {"tick": 0, "label": "x"})
        (grew,) = await first(1)
        assert isinstance(grew, Grew)
        assert (grew.project_id, grew.epoch, grew.seq) == (project_id, 1, 2)
        assert await pool.fetchval(HEAD, project_id) == 2
    stored = await pool.fetchval("select body from document_updates where project_id = $1 and seq = 2", project_id)
    await pool.close()
    assert grew.body == stored


async def test_members_and_the_project_itself(meet: Meet, redis_url: str) -> None:
    """A role, a removal, a name, the end: each is announced once, in order."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    project_id, ben_id = UUID(project.rsplit("/", 1)[1]), UUID(ben.id)
    async with heard(redis_url, project) as first:
        await ann.patch(f"{project}/members/{ben.id}", {"role": "viewer"})
        await ann.patch(f"{project}/members/{ben.id}", {"role": "viewer", "credited": False})
        await ben.delete(f"{project}/members/{ben.id}")
        await ann.patch(project, {"name": "Other"})
        await ann.delete(project)
        events = await first(5)
    assert [event for event in events if not isinstance(event, Grew)] == [
        RoleChanged(project_id, ben_id, Role.VIEWER),
        AccessRevoked(project_id, ben_id),
        ProjectRenamed(project_id, "Other"),
        ProjectDeleted(project_id),
    ]


async def test_what_was_refused_is_not_announced(meet: Meet, redis_url: str) -> None:
    """A rolled-back request says nothing."""
    ann = await meet("Ann")
    project = await ann.project()
    note = (await ann.post(f"{project}/notes", {"body": "x"})).json()["id"]
    async with heard(redis_url, project) as first:
        refused = await ann.patch(f"{project}/notes/{note}", {"body": " ", "resolved": True})
        assert code(refused) == (422, "invalid")
        await ann.delete(project)
        events = await first(1)
    assert [type(event) for event in events] == [ProjectDeleted]
