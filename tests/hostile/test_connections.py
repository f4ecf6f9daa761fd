"""Connections that want nothing but to be there: half open ones by the thousand, junk, and who never reads."""

import asyncio
import os
import resource
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import pytest

from launch.app import App
from tests.collab_server.peer import until
from tests.collab_server.world import World, metric
from tests.hostile.raw import Raw, frame, request
from tests.hostile.test_frames import STEP1_OF_ALL
from tests.hostile.witness import LAG_MAX_SECONDS, PROVEN, Witness, lag_max, memory, witness

HALF_OPEN: Final = 10_000
SPARE_FILES: Final = 500
BATCH: Final = 250
HANDSHAKE_SECONDS: Final = 8
MEMORY_GROWTH_MAX: Final = 160 * 1024 * 1024
MEMORY_GROWTH_AGAIN_MAX: Final = 32 * 1024 * 1024
"""The allocator keeps what it had once; what matters is that it is used again."""
OUTBOX_MAX: Final = 8 * 1024 * 1024
BIG_EDITS: Final = 200
ASKED: Final = 2_000

JUNK: Final = {
    "zeros": bytes(200) + b"\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) + b"\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "no words": b"\r\n\r\n\r\n\r\n",
    "not UTF-8": b"GET /\xff\xfe HTTP/1.1\r\nHost: \xff\r\n\r\n",
    "POST": b"POST /y/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n",
    "no key": b"GET /y/x HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "endless header": b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000,
    "many headers": b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5_000 + b"\r\n",
    "header without a colon": b"GET /live HTTP/1.1\r\nnonsense\r\n\r\n",
    "path with a bracket": b"GET //[ HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.fixture(scope="module")
def many_files() -> Iterator[int]:
    """As many open files as the system lets us have; the server inherits them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
async def collab(many_files: int, app_environment: dict[str, str], scratch: Path) -> AsyncIterator[App]:
    """A server that waits long enough for a handshake that all half open connections are there at once."""
    environment = {**app_environment, "COLLAB__LIMITS__HANDSHAKE_SECONDS_MAX": str(HANDSHAKE_SECONDS)}
    app = App("collab_server", int(environment["COLLAB__PORT"]), environment, scratch / "collab.log")
    await app.start()
    yield app
    await app.stop()


@pytest.fixture(scope="module")
async def pair(collab: App, world: World) -> AsyncIterator[Witness]:
    async with witness(collab, world) as found:
        yield found


@pytest.mark.parametrize("growth", [MEMORY_GROWTH_MAX, MEMORY_GROWTH_AGAIN_MAX], ids=["once", "again"])
async def test_ten_thousand_half_open_connections(many_files: int, pair: Witness, collab: App, growth: int) -> None:
    """Half of them say nothing, half stop within the handshake: all are dropped in time, and the room works on."""
    wanted = min(HALF_OPEN, many_files - SPARE_FILES)
    before, files_before = memory(collab), _files(collab)
    half = request(pair.url)[:-40]
    with ExitStack() as held:
        for start in range(0, wanted, BATCH):
            batch = [_connected(collab.port) for _ in range(start, min(wanted, start + BATCH))]
            for number, connection in enumerate(await asyncio.gather(*batch)):
                held.callback(connection.close)
                if number % 2:
                    connection.send(half)
            await pair.proves()
        most, peak = _files(collab), memory(collab)
        assert most > files_before + wanted * 0.9
        await until(lambda: _files(collab) <= files_before + 5, "dropped", 2 * HANDSHAKE_SECONDS)
    await pair.proves()
    sys.stdout.write(f"{wanted} half open: memory {before >> 20}, then {peak >> 20}, now {memory(collab) >> 20} MiB\n")
    assert memory(collab) < before + growth


@pytest.mark.parametrize("junk", JUNK.values(), ids=list(JUNK))
async def test_junk_for_a_handshake(pair: Witness, collab: App, junk: bytes) -> None:
    """Whatever comes in place of a handshake is answered with an error or nothing, and hung up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", collab.port)
    with suppress(OSError):
        writer.write(junk)
        await writer.drain()
    answer = b""
    with suppress(OSError):
        async with asyncio.timeout(HANDSHAKE_SECONDS + 5):
            answer = await reader.read()
    writer.transport.abort()
    assert b" 101 " not in answer
    assert b" 500 " not in answer
    await pair.proves()


async def test_s20_a_client_that_never_reads(pair: Witness, collab: App) -> None:
    """It asks for everything again and again and takes nothing: what waits for it is bounded, and nobody else waits."""
    before = memory(collab)
    villain = await Raw.open(pair.url, read_buffer=1 << 10)
    asking = asyncio.create_task(villain.send(frame(STEP1_OF_ALL) * ASKED))
    writer = pair.pair[0]
    for number in range(BIG_EDITS):
        writer.field("tracks", PROVEN, "sketch", f"{number} " + "x" * 20_000)
        await pair.proves()
        assert await metric(collab, "backline_outbox_bytes") < OUTBOX_MAX
    asking.cancel()
    villain.drop()
    await until(lambda: memory(collab) < before + MEMORY_GROWTH_MAX, "the memory returns")


async def test_it_kept_its_pace(pair: Witness, collab: App) -> None:
    """No attack of this module held the event loop for long."""
    worst = await lag_max(collab)
    sys.stdout.write(f"worst event-loop lag {worst * 1000:.0f} ms, memory {memory(collab) >> 20} MiB\n")
    assert worst <= LAG_MAX_SECONDS


async def _connected(port: int) -> socket.socket:
    connection = socket.socket()
    connection.setblocking(False)
    await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    return connection


def _files(app: App) -> int:
    assert app.process is not None
    return len(os.listdir(f"/proc/{app.process.pid}/fd"))
