"""One websocket of the load client: a raw protocol on the event loop, frames by hand."""

import asyncio
import os
import time
from collections.abc import Callable
from typing import cast

from bench.reader import Chunk, Edit, Reader
from bench.wire import PONG, Speaker, client_frame, frame_size

REQUEST = (
    "GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: YmFja2xpbmUgYmVuY2ggIQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Refused(Exception):
    """The server would not have this client, or dropped it."""


class Connection(asyncio.Protocol):
    """Connects, answers what must be answered and hands every chunk of edits on."""

    def __init__(
        self, reader: Reader, speaker: Speaker, request: bytes, heard: Callable[["Connection", Chunk, int], None]
    ) -> None:
        self.speaker, self.edits_heard, self.bytes_received = speaker, 0, 0
        self.synced: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.refusal = ""
        self.state = b""
        self.keep_state = False
        self._reader, self._request, self._heard = reader, request, heard
        self._pending, self._need, self._open, self._fd = bytearray(), 0, False, -1
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without inheriting from it
        self._fd = transport.get_extra_info("socket").fileno()
        self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember that the server went, unless we left."""
        self._fail("closed without a word")
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """A chunk: usually whole frames, many of them."""
        now = time.perf_counter_ns()
        self.bytes_received += len(data)
        if not self._open:
            self._pending += data
            self._handshake(now)
            return
        if self._pending:
            self._pending += data
            self._need = self._need or frame_size(self._pending)
            if not self._need or len(self._pending) < self._need:
                return
            data, self._need = bytes(self._pending), 0
            self._pending.clear()
        self._read(data, now)

    def _read(self, data: bytes, now: int) -> None:
        chunk = self._reader.read(data)
        if chunk.used != len(data):
            self._pending += data[chunk.used :]
        if chunk.edits:
            self._heard(self, chunk, now)
        if chunk.step1 or chunk.step2 or chunk.pings or chunk.refusal:
            self._answer(chunk, data, now)

    def _answer(self, chunk: Chunk, data: bytes, now: int) -> None:
        if chunk.refusal:
            self._fail(chunk.refusal)
        for _ in range(chunk.step1):
            self.send(self.speaker.step2())
        for payload in chunk.pings:
            self.send(client_frame(payload, PONG))
        if chunk.step2 and not self.synced.done():
            self.state = data if self.keep_state else b""
            self.synced.set_result(now)

    def _handshake(self, now: int) -> None:
        end = self._pending.find(b"\r\n\r\n")
        if end < 0:
            return
        if not self._pending.startswith(b"HTTP/1.1 101"):
            self._fail(bytes(self._pending[:end]).decode(errors="replace").splitlines()[0])
            return
        rest = bytes(self._pending[end + 4 :])
        self._pending.clear()
        self._open = True
        self.send(self.speaker.hello())
        if rest:
            self._read(rest, now)

    def _fail(self, why: str) -> None:
        self.refusal = self.refusal or why
        if not self.synced.done():
            self.synced.set_exception(Refused(why))

    def send(self, frame: bytes) -> None:
        """At once, a system call for each message, as separate people would cause it."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size():
            transport.write(frame)
            return
        try:
            written = os.write(self._fd, frame)
        except BlockingIOError:
            written = 0
        except OSError as error:
            self._fail(str(error))
            return
        if written < len(frame):
            transport.write(frame[written:])

    def leave(self) -> None:
        """Say 1000 and go."""
        self.refusal = self.refusal or "left"
        if self._transport is not None:
            self._transport.write(client_frame(b"\x03\xe8", 8))
            self._transport.close()


async def connect(
    port: int, target: str, reader: Reader, speaker: Speaker, heard: Callable[[Connection, Chunk, int], None]
) -> Connection:
    """An open socket to 127.0.0.1 whose handshake is under way; await `.synced` for the document's state."""
    request = REQUEST.format(target=target, port=port).encode()
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: Connection(reader, speaker, request, heard), "127.0.0.1", port)
    return connection


__all__ = ["Connection", "Edit", "Refused", "connect"]
