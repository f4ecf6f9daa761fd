"""Tests of the journal's writer with real rooms and a real journal."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import asyncpg
import pytest

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
from persistence.pool import Pool, open_pool
from tests.collab_server.peer import until
from tests.collab_server.rooms import Person
from tests.collab_server.world import User, World

LOCK = "select head from documents where project_id = $1 for update"
WAITING = """
select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()
"""
TERMINATE_WAITING = """
select pg_terminate_backend(pid) from pg_stat_activity
 where wait_event_type = 'Lock' and datname = current_database()
"""


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


@asynccontextmanager
async def held(database: str, project: UUID) -> AsyncIterator[None]:
    """Somebody else holds the document's row."""
    connection = await asyncpg.connect(database)
    try:
        async with connection.transaction():
            await connection.fetchrow(LOCK, project)
            yield
    finally:
        await connection.close()


def say(hosted: Hosted, person: Person, update: bytes) -> None:
    """An update arrives."""
    hosted.perform(hosted.room.edit(person.member, update))


def acknowledged(person: Person) -> list[bytes]:
    """What was told to its author as saved, since the last time."""
    return [payload for kind, payload in person.heard() if kind is Kind.UPDATE]


async def test_many_rooms_are_one_commit(world: World, pool: Pool, ada: User) -> None:
    """What ten rooms have pending at one moment is one commit; each author hears of its own edits only after it."""
    projects = [await world.project(ada) for _ in range(10)]
    async with house(pool) as home:
        rooms = [await home.open(project) for project in projects]
        sent = []
        for hosted, person in rooms:
            sent.append([person.track("t_1"), person.field("tracks", "t_1", "name", "Bass")])
            for update in sent[-1]:
                say(hosted, person, update)
        await until(lambda: len(home.rows) == 10)
        assert home.metrics.commits == 1
        assert home.metrics.committed_updates >= 10
        assert dict(home.rows) == dict.fromkeys(projects, 2)
        assert [acknowledged(person) for _, person in rooms] == sent
        for project, (_, person) in zip(projects, rooms, strict=True):
            assert await world.stored(project) == person.json()


async def test_edits_during_a_commit_are_the_next_one(world: World, pool: Pool, ada: User, database: str) -> None:
    """One flush is in flight; what comes meanwhile waits and is one commit, in order."""
    project = await world.project(ada)
    async with house(pool) as home:
        hosted, person = await home.open(project)
        async with held(database, project):
            first = person.track("t_1")
            say(hosted, person, first)
            await until(lambda: world.pool.fetchval(WAITING))
            later = [person.field("tracks", "t_1", "gain_db", -number) for number in range(20)]
            for update in later:
                say(hosted, person, update)
            assert acknowledged(person) == []
            assert home.writer.unsaved_bytes > 0
        await home.writer.idle()
        await until(lambda: len(home.rows) == 2)
        assert home.rows == [(project, 2), (project, 3)]
        assert acknowledged(person) == [first, *later]
        assert home.writer.unsaved_bytes == 0
        assert await world.stored(project) == person.json()


async def test_a_connection_lost_before_the_commit_is_tried_again(
    world: World, pool: Pool, ada: User, database: str
) -> None:
    """The statement was never committed: it is sent again, lands once, and is acknowledged once."""
    project = await world.project(ada)
    async with house(pool) as home:
        hosted, person = await home.open(project)
        async with held(database, project):
            update = person.track("t_1")
            say(hosted, person, update)
            await until(lambda: world.pool.fetchval(WAITING))
            await world.pool.fetchval(TERMINATE_WAITING)
            await until(lambda: home.metrics.commit_failures)
            assert home.writer.lag_seconds > 0
        await until(lambda: home.rows)
        assert home.rows == [(project, 2)]
        assert acknowledged(person) == [update]
        assert home.writer.failing_since is None
        assert await world.rows(project) == 2
        assert home.recoveries == 1
        say(hosted, person, person.track("t_2"))
        await until(lambda: len(home.rows) == 2)
        assert home.recoveries == 1, "a commit that follows another is no recovery"


class DeafLine:
    """A line to PostgreSQL whose answers can be lost: requests go through, then the connection breaks."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._writers: list[asyncio.StreamWriter] = []
        self.deaf = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        if self._host.startswith("/"):
            there = await asyncio.open_unix_connection(f"{self._host}/.s.PGSQL.{self._port}")
        else:
            there = await asyncio.open_connection(self._host, self._port)
        self._writers += [writer, there[1]]
        back = asyncio.create_task(self._pump(there[0], writer, answers=True))
        await self._pump(reader, there[1], answers=False)
        await back

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()
        self.deaf = False

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                if not (answers and self.deaf):
                    writer.write(data)
        writer.close()


@asynccontextmanager
async def deaf_line(database: str) -> AsyncIterator[tuple[DeafLine, str]]:
    """The line and the dsn that goes through it."""
    parts = urlsplit(database)
    query = parse_qs(parts.query)
    line = DeafLine(
        query.get("host", [parts.hostname or "127.0.0.1"])[0], int(query.get("port", [parts.port or 5432])[0])
    )
    server = await asyncio.start_server(line.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    credentials = parts.netloc.rpartition("@")[0]
    try:
        yield line, f"postgresql://{credentials}@127.0.0.1:{port}{parts.path}"
    finally:
        server.close()
        line.cut()


async def test_s13_a_commit_nobody_was_told_of_is_looked_up(world: World, ada: User, database: str) -> None:
    """The row landed, the answer was lost: it is found by its body, not written again, and acknowledged."""
    project = await world.project(ada)
    async with deaf_line(database) as (line, dsn):
        pool = await open_pool(dsn, 1, 1)
        async with house(pool) as home:
            hosted, person = await home.open(project)
            say(hosted, person, person.track("t_1"))
            await until(lambda: acknowledged(person), "the statement is prepared from here on")
            line.deaf = True
            update = person.field("tracks", "t_1", "name", "Bass")
            say(hosted, person, update)

            async def landed() -> bool:
                return await world.rows(project) == 3

            await until(landed)
            assert acknowledged(person) == []
            line.cut()
            await until(lambda: len(home.rows) == 2)
            assert home.rows == [(project, 2), (project, 3)]
            assert home.metrics.commit_failures >= 1
            assert acknowledged(person) == [update]
            assert await world.rows(project) == 3
        pool.terminate()


@pytest.mark.parametrize("why", [Refused.MISSING, Refused.EPOCH, Refused.QUARANTINED])
async def test_a_refused_room_does_not_hold_up_the_others(why: Refused, world: World, pool: Pool, ada: User) -> None:
    """A deleted, rebuilt or quarantined document is refused by name; another room of the same flush lands."""
    bad, good = await world.project(ada), await world.project(ada)
    async with house(pool) as home:
        rooms = {project: await home.open(project) for project in (bad, good)}
        if why is Refused.MISSING:
            await world.pool.execute("update projects set deleted_at = now() where id = $1", bad)
        elif why is Refused.EPOCH:
            await world.pool.execute("update documents set epoch = 2 where project_id = $1", bad)
        else:
            await world.journal.quarantine(bad, "odd")
        for hosted, person in rooms.values():
            say(hosted, person, person.track("t_1"))
        await until(lambda: home.rows and home.refusals)
        assert home.refusals == {bad: why}
        assert home.rows == [(good, 2)]
        assert acknowledged(rooms[bad][1]) == []
        assert len(acknowledged(rooms[good][1])) == 1


async def test_acknowledgements_alone_need_no_commit(world: World, pool: Pool, ada: User) -> None:
    """A repeated update is acknowledged without a row."""
    project = await world.project(ada)
    async with house(pool) as home:
        hosted, person = await home.open(project)
        update = person.track("t_1")
        say(hosted, person, update)
        await until(lambda: home.rows)
        say(hosted, person, update)
        await until(lambda: len(home.rows) == 2)
        assert home.rows == [(project, 2), (project, None)]
        assert acknowledged(person) == [update, update]
        assert await world.rows(project) == 2


async def test_a_state_is_encoded_when_compaction_is_due(world: World, pool: Pool, ada: User) -> None:
    """After so many rows the flight carries the whole document, as of that row."""
    project = await world.project(ada)
    async with house(pool, CollabSettings(compact_after_rows=3)) as home:
        hosted, person = await home.open(project)
        hosted.rows_since_compaction = 3
        say(hosted, person, person.track("t_1"))
        await until(lambda: home.rows)
        assert home.states == [hosted.room.state()]
