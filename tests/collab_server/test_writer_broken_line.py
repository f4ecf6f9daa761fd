"""Tests of the writer when its line to PostgreSQL breaks, before the commit or before the answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import parse_qs, urlsplit

from persistence.pool import Pool, open_pool
from tests.collab_server.house import acknowledged, house, say
from tests.collab_server.peer import until
from tests.collab_server.row_lock import TERMINATE_WAITING, WAITING, held
from tests.collab_server.world import User, World


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
