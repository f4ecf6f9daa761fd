"""`python -m launch.balancer`, as a process, before small servers that say which of them answered."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import pytest

from launch.app import App
from tests.collab_server.peer import until
from tests.launch.support import environment, refuses

MEGABYTES = 8


class Talker:
    """Answers /ready as it was told; to any other line it gives its name, and then repeats what it hears."""

    def __init__(self, port: int, name: bytes) -> None:
        self.port = port
        self.name = name
        self.ready = True
        self.talking: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)

    def close(self) -> None:
        """Be gone, with all connections."""
        if self._server is not None:
            self._server.close()
        self._server = None
        for writer in self.talking:
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            if b"/ready" in (await reader.readline()):
                status = b"200 OK" if self.ready else b"503 Service Unavailable"
                writer.write(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\n\r\n")
            else:
                self.talking.add(writer)
                writer.write(self.name + b"\n")
                while data := await reader.read(65536):
                    writer.write(data)
                    await writer.drain()
        self.talking.discard(writer)
        writer.close()


class Caller:
    """A client of the balancer that has said its first line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.answer = b""

    @classmethod
    async def of(cls, app: App) -> "Caller":
        """Connect and hear who answers."""
        caller = cls(*await asyncio.open_connection("127.0.0.1", app.port))
        caller.writer.write(b"hello\n")
        caller.answer = (await caller.reader.readline()).strip()
        return caller

    async def ended(self) -> bool:
        """Whether the other side ends it, soon."""
        with suppress(OSError):
            async with asyncio.timeout(10):
                return await self.reader.read(1) == b""
        return True

    def close(self) -> None:
        """Go."""
        self.writer.close()


@pytest.fixture
async def talkers(free_ports: Callable[[], int]) -> AsyncIterator[list[Talker]]:
    """Three of them, open."""
    talkers = [Talker(free_ports(), name) for name in (b"a", b"b", b"c")]
    for talker in talkers:
        await talker.open()
    yield talkers
    for talker in talkers:
        talker.close()


@pytest.fixture
async def balancer(talkers: list[Talker], free_ports: Callable[[], int], scratch: Path) -> AsyncIterator[App]:
    """A balancer before them."""
    port = free_ports()
    ports = tuple(str(number) for number in (port, *(talker.port for talker in talkers)))
    app = App("launch.balancer", port, environment(), scratch / f"balancer-{port}.log", ports)
    await app.start()
    yield app
    await app.stop()


async def heard(app: App, times: int) -> list[bytes]:
    """Who answers callers that stay while others come."""
    async with AsyncExitStack() as stack:
        answers = []
        for _ in range(times):
            caller = await Caller.of(app)
            stack.callback(caller.close)
            answers.append(caller.answer)
        return answers


async def test_connections_are_spread(balancer: App) -> None:
    """Nine callers who stay are three at each node."""
    assert sorted(await heard(balancer, 9)) == [b"a"] * 3 + [b"b"] * 3 + [b"c"] * 3


async def test_a_node_that_is_not_ready_gets_nobody(balancer: App, talkers: list[Talker]) -> None:
    """Its /ready says no: within a second no caller reaches it; its /ready says yes: it is used again."""
    talkers[1].ready = False

    async def avoided() -> bool:
        return b"b" not in await heard(balancer, 6)

    await until(avoided)
    talkers[1].ready = True

    async def used() -> bool:
        return sorted(await heard(balancer, 3)) == [b"a", b"b", b"c"]

    await until(used)


async def test_if_none_is_ready_they_are_asked_all_the_same(balancer: App, talkers: list[Talker]) -> None:
    """Nodes that all say that they are not ready, as while the database is away, still answer their clients."""
    for talker in talkers:
        talker.ready = False
    log = balancer.log
    assert log is not None
    await until(lambda: log.read_text().count("not ready") == 3)
    assert set(await heard(balancer, 6)) == {b"a", b"b", b"c"}


async def test_a_node_that_goes_ends_its_own_connections_alone(balancer: App, talkers: list[Talker]) -> None:
    """Callers of a node that is gone hear it at once, others go on, new ones go elsewhere; once back, it is used."""
    callers = {caller.answer: caller for caller in [await Caller.of(balancer) for _ in range(3)]}
    talkers[0].close()
    assert await callers[b"a"].ended()
    for name in (b"b", b"c"):
        callers[name].writer.write(b"still here\n")
        assert await callers[name].reader.readline() == b"still here\n"
    assert b"a" not in await heard(balancer, 6)
    await talkers[0].open()

    async def used() -> bool:
        return b"a" in await heard(balancer, 3)

    await until(used)
    for caller in callers.values():
        caller.close()


async def test_nobody_there_is_a_503(balancer: App, talkers: list[Talker]) -> None:
    """With all nodes gone a client is told to come back later, and not left waiting."""
    for talker in talkers:
        talker.close()
    caller = await Caller.of(balancer)
    assert caller.answer == b"HTTP/1.1 503 Service Unavailable"
    caller.close()


async def test_much_passes_unharmed_at_the_readers_speed(balancer: App) -> None:
    """Megabytes that a client reads slowly come back in order, and the balancer holds only a little of them."""
    caller = await Caller.of(balancer)
    sent = b"".join(number.to_bytes(4, "big") for number in range(MEGABYTES * 2**18))
    caller.writer.write(sent)
    assert await caller.reader.readexactly(len(sent)) == sent
    caller.close()


async def test_a_client_that_does_not_read_holds_up_nobodys_memory(balancer: App) -> None:
    """What a client does not read stays with its sender: the balancer does not grow by it."""
    assert balancer.process is not None
    before = resident(balancer.process.pid)
    caller = await Caller.of(balancer)
    caller.writer.transport.pause_reading()  # type: ignore[attr-defined]
    with pytest.raises(TimeoutError):
        await pour(caller, 64)
    assert resident(balancer.process.pid) - before < 8 * 2**20
    caller.writer.transport.abort()


async def pour(caller: Caller, megabytes: int) -> None:
    """Send this much; TimeoutError if nothing of it is taken for a second."""
    for _ in range(megabytes):
        caller.writer.write(bytes(2**20))
        async with asyncio.timeout(1):
            await caller.writer.drain()


def resident(pid: int) -> int:
    """Bytes of memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


async def test_it_ends_with_its_last_connection(balancer: App) -> None:
    """After SIGTERM nobody new is taken, who is there stays, and the process ends when the last one has gone."""
    caller = await Caller.of(balancer)
    balancer.terminate()
    await until(lambda: refuses(balancer))
    caller.writer.write(b"still here\n")
    assert await caller.reader.readline() == b"still here\n"
    caller.close()
    async with asyncio.timeout(10):
        assert await balancer.ended() == 0


async def test_a_second_sigterm_ends_it(balancer: App) -> None:
    """A caller who stays for ever does not keep it from ending when it is told twice."""
    caller = await Caller.of(balancer)
    balancer.terminate()
    await until(lambda: refuses(balancer))
    balancer.terminate()
    assert await caller.ended()
    async with asyncio.timeout(10):
        assert await balancer.ended() == 0
    caller.close()


async def test_a_busy_port_is_one_sentence(balancer: App, scratch: Path) -> None:
    """A second balancer on the same port ends with 2 and names it."""
    log = scratch / "second.log"
    second = App("launch.balancer", balancer.port, environment(), log, balancer.arguments)
    await second.spawn()
    assert await second.ended() == 2
    assert log.read_text().splitlines()[-1].startswith(f"balancer: port {balancer.port} cannot be used")
