"""The simulated database server and its clients' pools: latency, locks, transactions, and everything that breaks.

A call may fail before the server heard of it, or after it was committed; the caller cannot tell. A call that was given
up by its caller may still be carried out.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, cast
from uuid import UUID

import asyncpg

from persistence.pool import Pool
from tests.simulation.loop import Host, Loop
from tests.simulation.tables import Record, Tables
from tests.simulation.transaction import Transaction

COMMIT: Final = "commit"
COMMAND_SECONDS_MAX: Final = 8.0


@dataclass
class Weather:
    """How one client's calls fare: seconds of latency (shortest, longest), and what goes wrong with which chance."""

    latency: tuple[float, float] = (0.0005, 0.004)
    refused: bool = False
    """Every call fails at once."""
    silent: bool = False
    """Nothing arrives, in either direction."""
    lost_before: float = 0.0
    lost_after: float = 0.0


class Database:
    """The server. `weather` holds for everybody, `Client.weather` for one client."""

    def __init__(self, loop: Loop, seed: str, failed: Callable[[str], None]) -> None:
        self.loop = loop
        self.failed = failed
        self.host = Host(loop, "database", seed)
        self.tables = Tables(loop.time)
        self.weather = Weather()
        self.generation = 0
        """Counts the crashes: whatever was under way at one is cut off."""
        self.clients: list[Client] = []
        self._locks: dict[UUID | str, asyncio.Lock] = {}

    def client(self, host: Host) -> "Client":
        """A process connects."""
        client = Client(self, host)
        self.clients.append(client)
        return client

    def crash(self, down: float) -> None:
        """Every connection is dropped; nothing is answered for a while."""
        self.generation += 1
        weather = self.weather
        weather.refused = True
        self.loop.call_later(down, setattr, weather, "refused", False)
        for client in self.clients:
            client.cut_off()

    def notify(self, project_id: UUID) -> None:
        """A membership changed."""
        for client in self.clients:
            client.notify(project_id)

    def ended(self, task: "asyncio.Task[None]") -> None:
        """A statement was carried out, or the simulation does not know it."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed(f"the simulated database failed: {error!r}")

    def lock(self, key: UUID | str) -> asyncio.Lock:
        """The lock of a document's row, or of the book of sessions."""
        return self._locks.setdefault(key, asyncio.Lock())


RETRANSMISSION_SECONDS: Final = 0.5
KEPT_SECONDS: Final = 2.0
"""A line that is silent for longer is lost for good."""


class Client:
    """One process' connections to the server."""

    def __init__(self, database: Database, host: Host) -> None:
        self.database = database
        self.host = host
        self.weather = Weather()
        self.rng = random.Random(host.rng.random())
        self.generation = 0
        self.transactions: list[Transaction] = []
        self.listening_since: float | None = None
        """Since when memberships are heard of; None while they are not."""
        self.heard: Any = None
        self._late: list[tuple[float, UUID]] = []
        """What was to be heard in a silence, and since when."""

    @property
    def pool(self) -> Pool:
        """What the product's code takes for a pool."""
        return cast(Pool, SimulatedPool(self))

    def begin(self) -> Transaction:
        """A transaction on one of the connections."""
        self.transactions = [tx for tx in self.transactions if not tx.over]
        tx = Transaction()
        self.transactions.append(tx)
        return tx

    def cut_off(self) -> None:
        """This client's connections are dropped, on both sides, with what was not committed."""
        self.generation += 1
        self.listening_since = None
        for tx in self.transactions:
            tx.rollback()

    def weathers(self) -> tuple[Weather, Weather]:
        return self.database.weather, self.weather

    def latency(self) -> float:
        return sum(self.rng.uniform(*weather.latency) for weather in self.weathers())

    def fails(self, what: str) -> bool:
        return any(getattr(weather, what) > self.rng.random() for weather in self.weathers())

    @property
    def refused(self) -> bool:
        return any(weather.refused for weather in self.weathers())

    @property
    def silent(self) -> bool:
        return any(weather.silent for weather in self.weathers())

    async def listen(self, heard: Any, connected: Any) -> None:
        """What collab_server.memberships.listen does on a connection of its own."""
        while True:
            await self.database.loop.pause(self.latency())
            if not self.refused and not self.silent:
                generation, self.heard, self.listening_since = self.generation, heard, self.database.loop.time()
                await connected()
                while self.generation == generation:
                    await self.database.loop.pause(RETRANSMISSION_SECONDS)
                    self._retransmit()
                self._late.clear()
            await self.database.loop.pause(0.5)

    def notify(self, project_id: UUID) -> None:
        if self.listening_since is None or self.heard is None:
            return
        if self.silent:
            self._late.append((self.database.loop.time(), project_id))
        else:
            self.host.at(self.database.loop.time() + self.latency(), self.heard, project_id)

    def _retransmit(self) -> None:
        """After a short silence what TCP has kept arrives. After a long one it does not: something in between has
        forgotten the line, and neither end knows."""
        if self._late and not self.silent:
            late, self._late = self._late, []
            now = self.database.loop.time()
            for at, project_id in late:
                if now - at <= KEPT_SECONDS:
                    self.host.at(now + self.latency(), self.heard, project_id)


class Connection:
    """One connection. A statement outside of `transaction()` is a transaction of its own."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.generation = client.generation
        self.depth = 0
        self.tx: Transaction | None = None

    async def fetch(self, sql: str, *args: Any) -> list[Record]:
        """Ask, and wait for the answer as asyncpg does."""
        rows: list[Record] = await self._call(sql, args)
        return rows

    async def fetchrow(self, sql: str, *args: Any) -> Record | None:
        rows = await self.fetch(sql, *args)
        return rows[0] if rows else None

    async def fetchval(self, sql: str, *args: Any) -> Any:
        rows = await self.fetch(sql, *args)
        return rows[0][0] if rows else None

    async def execute(self, sql: str, *args: Any) -> str:
        await self.fetch(sql, *args)
        return ""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """A nested one is part of the outer."""
        self.depth += 1
        if self.tx is None:
            self.tx = self.client.begin()
        try:
            yield
            if self.depth == 1:
                await self._call(COMMIT, ())
        except BaseException:
            if self.depth == 1:
                self.tx.rollback()
            raise
        finally:
            self.depth -= 1
            if not self.depth:
                self.tx = None

    def _call(self, sql: str, args: Any) -> "asyncio.Future[Any]":
        client = self.client
        loop = client.database.loop
        answer: asyncio.Future[Any] = loop.create_future()
        if self.generation != client.generation:
            _fail(answer, asyncpg.InterfaceError("connection is closed"))
        elif client.refused:
            loop.call_later(0.001, _fail, answer, ConnectionRefusedError("connection refused"))
        elif client.fails("lost_before"):
            loop.call_later(client.latency(), _fail, answer, ConnectionResetError("connection lost"))
        else:
            lost = client.fails("lost_after")
            task = client.database.host.start(self._perform(sql, args, answer, lost))
            task.add_done_callback(client.database.ended)
            timer = loop.call_later(COMMAND_SECONDS_MAX, _fail, answer, TimeoutError())
            answer.add_done_callback(lambda _: timer.cancel())
        return answer

    async def _perform(self, sql: str, args: Any, answer: "asyncio.Future[Any]", lost: bool) -> None:
        """The server's side."""
        tx = self.tx or self.client.begin()
        alone = self.tx is None
        try:
            await self._travel()
            rows = await self._run(tx, sql, args, alone)
            await self._travel()
        except ConnectionError as error:
            tx.rollback()
            _fail(answer, error)
            return
        if lost:
            _fail(answer, ConnectionResetError("connection lost"))
        elif not answer.done():
            answer.set_result(rows)

    async def _run(self, tx: Transaction, sql: str, args: Any, alone: bool) -> list[Record]:
        if sql == COMMIT:
            await self._work()
            tx.commit()
            return []
        database = self.client.database
        statement = database.tables.statements.get(sql)
        if statement is None:
            raise AssertionError(f"the simulated database does not know this statement: {sql}")
        for key in statement.locks(*args):
            await tx.acquire(database.lock(key))
        if alone:
            await self._work()
        rows = statement.run(tx, *args)
        if alone:
            tx.commit()
        return rows

    async def _travel(self) -> None:
        """The way to the server or back, as long as it takes, and however long the line is silent."""
        client = self.client
        await self.client.database.loop.pause(client.latency() / 2)
        while client.silent:
            await self.client.database.loop.pause(0.1)
        self._check()

    async def _work(self) -> None:
        await self.client.database.loop.pause(self.client.latency() / 4)
        self._check()

    def _check(self) -> None:
        if self.generation != self.client.generation:
            raise ConnectionResetError("connection lost")


class SimulatedPool:
    """The part of asyncpg's pool that the product uses."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        yield Connection(self._client)

    async def fetch(self, sql: str, *args: Any) -> list[Record]:
        return await Connection(self._client).fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> Record | None:
        return await Connection(self._client).fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        return await Connection(self._client).fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        return await Connection(self._client).execute(sql, *args)


def _fail(answer: "asyncio.Future[Any]", error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
