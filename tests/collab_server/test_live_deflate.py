"""Tests of clients that negotiated compression, against the real server."""

import asyncio
import os
import zlib
from uuid import UUID

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from collab_server import wire
from collab_server.wire import Kind
from launch.app import App
from studio.blank import open_doc
from studio.canonical import canonical
from tests.collab_server.author import Author
from tests.collab_server.conftest import MakePeer
from tests.collab_server.peer import until
from tests.collab_server.songs import song
from tests.collab_server.world import User, World


async def joined(url: str, compression: str | None) -> tuple[bytes, int]:
    """A newcomer's Step2 and how many bytes came over the wire until then."""
    async with connect(url, compression=compression, max_size=None) as socket, asyncio.timeout(10):
        taken = Counted(socket)
        await socket.send(wire.encode_step1(b"\x00"))
        while True:
            message = await socket.recv()
            assert isinstance(message, bytes)
            kind, payload, _ = wire.read_message(message)
            if kind is Kind.STEP2:
                return payload, taken.bytes


class Counted:
    """Counts what a client receives, below websockets."""

    def __init__(self, socket: ClientConnection) -> None:
        self.bytes = 0
        self._receive = socket.protocol.receive_data
        socket.protocol.receive_data = self._count  # type: ignore[method-assign,assignment]

    def _count(self, data: bytes) -> None:
        self.bytes += len(data)
        self._receive(data)


@pytest.mark.parametrize(("tracks", "clips"), [(4, 40), (64, 2000)])
async def test_a_newcomer_gets_the_document_compressed(
    tracks: int, clips: int, world: World, ada: User, collab: App, make_peer: MakePeer
) -> None:
    """It takes a third of the bytes at most, says the same, and who did not ask for it gets it as it is."""
    project = await world.project(ada, *song(tracks=tracks, clips=clips))
    a = await make_peer(project, ada).join()
    url = world.url(collab, project, ada)
    whole, plain_bytes = await joined(url, None)

    async def compressed() -> bool:
        state, taken = await joined(url, "deflate")
        assert state == whole
        return taken < plain_bytes / 3

    await until(compressed, "a large document is compressed beside the event loop")
    a.marker("m_1", 960, "later")
    await a.saved()
    late = open_doc()
    state, _ = await joined(url, "deflate")
    late.apply_update(state)
    assert canonical(late)["tracks"] == a.json()["tracks"]


async def test_compressed_edits_are_edits(
    world: World, project: UUID, ada: User, collab: App, make_peer: MakePeer
) -> None:
    """Whole or in fragments, what a client compresses reaches the others and is acknowledged."""
    a = await make_peer(project, ada).join()
    author = Author(4242)
    async with connect(world.url(collab, project, ada), compression="deflate") as socket:
        await socket.send(wire.encode_step1(b"\x00"))
        await socket.send(wire.encode_update(author.note("n_1", "la " * 500)))
        await until(lambda: "n_1" in a.json()["notes"])
        second = wire.encode_update(author.note("n_2", "da " * 500))
        await socket.send([second[:100], second[100:]])
        await until(lambda: a.json()["notes"].get("n_2", {}).get("body") == "da " * 500)


def frame(first: int, payload: bytes) -> bytes:
    """A frame as it stands on the wire, masked with zeros; websockets itself writes no wrong ones."""
    length = len(payload)
    if length < 126:
        size = bytes((0x80 | length,))
    else:
        size = b"\xfe" + length.to_bytes(2, "big") if length < 65536 else b"\xff" + length.to_bytes(8, "big")
    return bytes((first,)) + size + bytes(4) + payload


async def closed_after(socket: ClientConnection, *frames: bytes) -> int | None:
    """The code with which the server answers these frames."""
    for each in frames:
        socket.transport.write(each)
    with pytest.raises(ConnectionClosed) as ended:
        await asyncio.wait_for(_drain(socket), 10)
    return ended.value.rcvd.code if ended.value.rcvd else None


async def _drain(socket: ClientConnection) -> None:
    while True:
        await socket.recv()


async def test_compression_gives_nobody_more_than_others(world: World, project: UUID, ada: User, collab: App) -> None:
    """A bomb, junk, compressed continuations, and compression that was not agreed on end the connection."""
    url = world.url(collab, project, ada)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = packer.compress(bytes(200_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH)
    for compression, frames, code in (
        ("deflate", [frame(0xC2, bomb[:-4])], 4413),
        ("deflate", [frame(0x42, bomb[:1000]), frame(0x80, bomb[1000:-4])], 4413),
        ("deflate", [frame(0xC2, b"\xff" + os.urandom(50))], 4400),
        ("deflate", [frame(0x02, b"a"), frame(0xC0, b"b")], 1002),
        ("deflate", [frame(0xA2, b"a")], 1002),
        (None, [frame(0xC2, bomb[:100])], 1002),
    ):
        async with connect(url, compression=compression) as socket:
            assert await closed_after(socket, *frames) == code
