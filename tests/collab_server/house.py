"""A writer at work beside real rooms."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from collab_server.closing import CloseCode
from collab_server.hosted import Hosted
from collab_server.member import Member
from collab_server.metrics import Metrics
from collab_server.opening import open_room
from collab_server.pending import Flight
from collab_server.settings import CollabSettings
from collab_server.wire import Kind
from collab_server.writer import Writer
from persistence.journal import Journal, Refused
from persistence.pool import Pool
from tests.collab_server.rooms import Person


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

    async def open(self, project: UUID) -> tuple[Hosted, Person]:
        """A room with one person in it, whose client id is the project's own."""
        room, loaded = await open_room(self.journal, project, self.settings.limits)
        hosted = Hosted(room, self, asyncio.get_running_loop(), len(loaded.tail), 0)
        person = Person(10_000 + len(self.rows) + project.int % 1_000_000)
        hosted.perform(room.join(person.member))
        hosted.perform(room.ask(person.member, person.doc.get_state()))
        person.listen()
        return hosted, person

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return asyncio.get_running_loop().create_task(work)

    def release(self, hosted: Hosted) -> None:
        raise AssertionError("nothing is doubted here")

    def ask_nodes(self, hosted: Hosted) -> None:
        raise AssertionError("nothing is doubted here")

    async def lost_nodes(self, hosted: Hosted) -> set[UUID]:
        raise AssertionError("nothing is doubted here")

    def tell_nodes(self, hosted: Hosted, payload: str) -> None:
        raise AssertionError("nobody speaks here")

    def record(self, hosted: Hosted) -> None:
        self.writer.record(hosted)

    def expel(self, hosted: Hosted, member: Member, code: CloseCode, reason: str) -> None:
        raise AssertionError(f"expelled: {code} {reason}")

    def hold(self, member: Member, update: bytes, merge: bool) -> None:
        raise AssertionError("nobody is restricted here")

    def hear_again(self, member: Member) -> None:
        raise AssertionError("nobody is restricted here")

    def keep_unsent(self, hosted: Hosted, member: Member) -> None:
        raise AssertionError("nobody is demoted here")

    def charge(self, member: Member, seconds: float) -> None:
        assert seconds > 0

    def announce(self, hosted: Hosted, entries: bytes) -> None:
        raise AssertionError("nobody is present")

    def keep_draft(self, hosted: Hosted, member: Member, update: bytes) -> None:
        raise AssertionError("no other lineage")

    def snapshot_before_merge(self, hosted: Hosted, member: Member) -> None:
        raise AssertionError("no merge")

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
