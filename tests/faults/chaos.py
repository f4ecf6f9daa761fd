"""A loopback proxy that does to a connection what bad networks do: delay, throttle, stall, cut, cut within a frame."""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.collab_server.peer import until
from tests.conftest import unused_port

CHUNK_BYTES = 65536
LOST = (OSError, asyncio.IncompleteReadError)


class Chaos:
    """Forwards 127.0.0.1:`port` to 127.0.0.1:`upstream`, or to a unix socket; its fields may be changed at any time."""

    def __init__(self, upstream: int | Path, rng: random.Random) -> None:
        self.upstream = upstream
        self.port = unused_port()
        self.latency_seconds = 0.0
        self.bytes_per_second: float | None = None
        self.cut_within: tuple[int, int] | None = None
        """Each direction of a new connection is cut after a random number of bytes in this range."""
        self._rng = rng
        self._going = asyncio.Event()
        self._going.set()
        self._stranded: list[asyncio.Event] = []
        self._writers: set[asyncio.StreamWriter] = set()
        self._links: set[asyncio.Task[None]] = set()

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return len(self._links)

    def stall(self) -> None:
        """Forward nothing in either direction, and close nothing: both ends are half open from now on."""
        self._going.clear()

    def resume(self) -> None:
        """Forward again, beginning with what was held back."""
        for going in (*self._stranded, self._going):
            going.set()
        self._stranded.clear()

    def strand(self) -> None:
        """The connections there are stay half open, nothing passes and nobody is told; new ones are forwarded."""
        self._going.clear()
        self._stranded.append(self._going)
        self._going = asyncio.Event()
        self._going.set()

    def cut(self) -> None:
        """Reset every connection (RST), at once and at both ends."""
        for writer in list(self._writers):
            _reset(writer)

    async def link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client's connection."""
        task = asyncio.current_task()
        assert task is not None
        self._links.add(task)
        ends = [writer]
        try:
            there_reader, there = await self._connect()
            ends.append(there)
            self._writers.update(ends)
            going = self._going
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, there, going))
                both.create_task(self._pump(there_reader, writer, going))
        except* LOST:
            pass
        finally:
            self._links.discard(task)
            self._writers.difference_update(ends)
            for end in ends:
                _reset(end)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self.upstream, Path):
            return await asyncio.open_unix_connection(self.upstream)
        return await asyncio.open_connection("127.0.0.1", self.upstream)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, going: asyncio.Event) -> None:
        left = self._rng.randint(*self.cut_within) if self.cut_within else None
        while data := await _read(reader, going):
            if self.latency_seconds:
                await asyncio.sleep(self.latency_seconds)
            if self.bytes_per_second:
                await asyncio.sleep(len(data) / self.bytes_per_second)
            if left is not None and len(data) >= left:
                writer.write(data[:left])
                await writer.drain()
                raise ConnectionResetError("cut within a frame")
            left = None if left is None else left - len(data)
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError("one end has closed")


@asynccontextmanager
async def chaos(upstream: int | Path, rng: random.Random) -> AsyncIterator[Chaos]:
    """A proxy before `upstream` that is gone afterwards, with all its connections."""
    proxy = Chaos(upstream, rng)
    server = await asyncio.start_server(proxy.link, "127.0.0.1", proxy.port)
    try:
        yield proxy
    finally:
        server.close()
        proxy.resume()
        proxy.cut()
        await until(lambda: not proxy.connections, "all connections are gone")
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader, going: asyncio.Event) -> bytes:
    """What comes next, or b"" for the end. While the line is stalled nobody hears of either."""
    try:
        data = await reader.read(CHUNK_BYTES)
    except OSError:
        data = b""
    await going.wait()
    return data


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
