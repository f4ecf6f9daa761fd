"""A writer at work beside real rooms."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from collab_server.care import Care
from collab_server.chores import Chores
from collab_server.closing import CloseCode
from collab_server.hosted import Hosted
from collab_server.loss import Inquiry
from collab_server.member import Member
from collab_server.metrics import Metrics
from collab_server.neighbours import Neighbours
from collab_server.opening import open_room
from collab_server.pending import Flight
from collab_server.settings import CollabSettings
from collab_server.wire import Kind
from collab_server.writer import Writer
from persistence.journal import Journal, Refused
from persistence.pool import Pool
from presence.memory_bus import MemoryBroker
from tests.collab_server.rooms import Person


class Unkept:
    """Where nothing is kept: nobody here brings what needs it."""

    def draft(self, hosted: Hosted, member: Member, update: bytes) -> None:
        raise AssertionError("no other lineage")

    def unsent(self, hosted: Hosted, member: Member) -> None:
        raise AssertionError("nobody is demoted here")

    def before_merge(self, hosted: Hosted, member: Member) -> None:
        raise AssertionError("no merge")


async def _unasked() -> set[UUID]:
    raise AssertionError("nothing is doubted here")


class House:
    """The surroundings of a few rooms: a writer, and a record of what it told."""

    def __init__(self, journal: Journal, settings: CollabSettings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.journal = journal
        self.writer = Writer(journal, settings, self.metrics, self._landed, self._refused, self._recovered)
        self.rows: list[tuple[UUID, int | None]] = []
        self.refusals: dict[UUID, Refused] = {}
        self.states: list[bytes] = []
        self.recoveries = 0
        self.safekeeping = Unkept()
        self.care = Care(asyncio.get_running_loop().time())
        self._bus = MemoryBroker().bus()

    async def open(self, project: UUID) -> tuple[Hosted, Person]:
        """A room with one person in it, whose client id is the project's own."""
        room, loaded = await open_room(self.journal, project, self.settings.limits)
        neighbours = Neighbours(self._bus, UUID(int=1), project)
        inquiry = Inquiry(neighbours.ask, _unasked, neighbours.heard_at)
        chores = Chores(len(loaded.tail), 0, projection_due=False)
        hosted = Hosted(room, self, neighbours, inquiry, asyncio.get_running_loop(), chores)
        person = Person(10_000 + len(self.rows) + project.int % 1_000_000)
        hosted.perform(room.join(person.member))
        hosted.perform(room.ask(person.member, person.doc.get_state()))
        person.listen()
        return hosted, person

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return asyncio.get_running_loop().create_task(work)

    def release(self, hosted: Hosted) -> None:
        raise AssertionError("nothing is doubted here")

    def record(self, hosted: Hosted) -> None:
        self.writer.record(hosted)

    def expel(self, hosted: Hosted, member: Member, code: CloseCode, reason: str) -> None:
        raise AssertionError(f"expelled: {code} {reason}")

    def hold(self, member: Member, update: bytes, merge: bool) -> None:
        raise AssertionError("nobody is restricted here")

    def hear_again(self, member: Member) -> None:
        raise AssertionError("nobody is restricted here")

    def charge(self, member: Member, seconds: float) -> None:
        assert seconds > 0

    async def holds_all(self, hosted: Hosted) -> bool:
        raise AssertionError("nobody knows more here")

    def spoiled(self, hosted: Hosted, reason: str) -> None:
        raise AssertionError(reason)

    async def _landed(self, hosted: Hosted, flight: Flight, seq: int | None) -> None:
        self.rows.append((hosted.project_id, seq))
        if flight.state is not None:
            self.states.append(flight.state)
        hosted.perform(hosted.room.landed(flight, seq))

    def _refused(self, hosted: Hosted, reason: Refused) -> None:
        self.refusals[hosted.project_id] = reason

    def _recovered(self) -> None:
        self.recoveries += 1


@asynccontextmanager
async def house(pool: Pool, settings: CollabSettings | None = None) -> AsyncIterator[House]:
    """A writer at work."""
    made = House(Journal(pool), settings or CollabSettings())
    task = asyncio.create_task(made.writer.run())
    try:
        yield made
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def say(hosted: Hosted, person: Person, update: bytes) -> None:
    """An update arrives."""
    hosted.perform(hosted.room.edit(person.member, update))


def acknowledged(person: Person) -> list[bytes]:
    """What was told to its author as saved, since the last time."""
    return [payload for kind, payload in person.heard() if kind is Kind.UPDATE]
