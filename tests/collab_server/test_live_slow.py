"""Tests of a client that does not read: it costs the server little and the others nothing."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pycrdt import Doc, Map
from websockets.asyncio.client import ClientConnection, connect

from collab_server import wire
from collab_server.wire import Kind
from launch.app import App
from studio.blank import open_doc
from studio.canonical import canonical
from tests.collab_server.peer import until
from tests.collab_server.servers import own_server
from tests.collab_server.world import User, World, metric

PAGE = os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
async def server(app_environment: dict[str, str], scratch: Path, free_ports: Callable[[], int]) -> AsyncIterator[App]:
    """A collab server of this test's own, whose memory is measured."""
    async with own_server(app_environment, free_ports(), scratch) as app:
        yield app


def resident(app: App) -> int:
    """Bytes of memory the process holds."""
    assert app.process is not None
    return int(Path(f"/proc/{app.process.pid}/statm").read_text().split()[1]) * PAGE


async def stalled(url: str) -> ClientConnection:
    """A client with small buffers that asks for everything and then reads nothing."""
    narrow = socket.create_connection(("127.0.0.1", int(url.split(":")[2].split("/", maxsplit=1)[0])))
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    narrow.setblocking(False)
    made = await connect(url, sock=narrow, max_size=None, max_queue=1, ping_interval=None, compression=None)
    await made.send(wire.encode_step1(b"\x00"))
    return made


def warped(number: int) -> list[list[int]]:
    """A warp of 4 KB, another for each number."""
    return [[tick * 960, 10_000_000 + tick * 1_000_000 + number] for tick in range(400)]


def shown(doc: Doc[Any]) -> str | None:
    """The clip's warp, as text: quicker to compare than whole documents."""
    clips: Map[Any] = doc.get("clips", type=Map)
    return json.dumps(clips["c_1"]["warp"]) if "c_1" in clips and "warp" in clips["c_1"] else None


async def test_s20_a_client_that_never_reads(world: World, project: UUID, ada: User, server: App) -> None:
    """20 MB of edits later: the others were served all along, the server has hardly grown, and when the client reads
    at last, it is brought to the present with a fraction of what was sent."""
    bob = await world.member(project)
    a = await world.peer(server, project, ada).join()
    b = await world.peer(server, project, bob).join()
    deaf = await stalled(world.url(server, project, bob))
    a.put("clips", "c_1", Map({"track": "lost"}))
    await a.saved()
    before = resident(server)
    sent, slowest = 0, 0.0
    for number in range(500):
        for part in range(10):
            sent += len(a.field("clips", "c_1", "warp", warped(number * 10 + part)))
        slowest = max(slowest, await a.saved())
    await a.same(b)
    assert sent > 20_000_000
    assert slowest < 2.0
    assert await metric(server, "backline_outbox_bytes") < 2 * 1024 * 1024
    assert resident(server) - before < 48 * 1024 * 1024
    assert (a.closed, b.closed) == (None, None)

    late, whole = open_doc(), a.json()
    read = 0
    async with asyncio.timeout(30):
        while shown(late) != shown(a.doc) or canonical(late) != whole:
            message = await deaf.recv()
            assert isinstance(message, bytes)
            read += len(message)
            kind, payload, _ = wire.read_message(message)
            if kind in (Kind.STEP2, Kind.UPDATE):
                late.apply_update(payload)
    assert read < sent / 2
    assert await metric(server, "backline_outbox_resyncs_total") >= 1
    b.field("clips", "c_1", "warp", warped(-1))
    async with asyncio.timeout(10):
        while canonical(late) != b.json():
            message = await deaf.recv()
            assert isinstance(message, bytes)
            kind, payload, _ = wire.read_message(message)
            if kind is Kind.UPDATE:
                late.apply_update(payload)
    await deaf.close()
    await until(lambda: _zero(server))
    for peer in (a, b):
        await peer.leave()


async def _zero(server: App) -> bool:
    return await metric(server, "backline_outbox_bytes") == 0
