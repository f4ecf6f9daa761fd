"""A websocket client without manners: every byte of every frame is the test's own."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from collab_server import wire

CONTINUATION, TEXT, BINARY, CLOSE, PING = 0x0, 0x1, 0x2, 0x8, 0x9
OPEN = 0
NO_CLOSE_FRAME = 1006
STEP2 = b"\x00\x01"
DEADLINE = 15.0
REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def request(url: str) -> bytes:
    """The upgrade request for a ws:// address."""
    parts = urlsplit(url)
    return REQUEST.format(path=f"{parts.path}?{parts.query}").encode()


def frame(
    payload: bytes,
    opcode: int = BINARY,
    *,
    final: bool = True,
    masked: bool = True,
    reserved: int = 0,
    declared: int | None = None,
) -> bytes:
    """One frame (RFC 6455 section 5.2). `declared`: the length it claims, whatever it holds."""
    length = len(payload) if declared is None else declared
    mask = 0x80 if masked else 0
    head = bytes((final << 7 | reserved << 4 | opcode,))
    if length < 126:
        head += bytes((mask | length,))
    elif length < 65536:
        head += bytes((mask | 126,)) + length.to_bytes(2, "big")
    else:
        head += bytes((mask | 127,)) + length.to_bytes(8, "big")
    return head + bytes(4) + payload if masked else head + payload  # a mask of zeros leaves the payload as it is


class Raw:
    """One connection; `end` tells how the server ended it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.heard: list[bytes] = []
        """The payloads of the binary frames heard by `end` and `hear`."""

    @classmethod
    async def open(cls, url: str, *, read_buffer: int = 1 << 20) -> "Raw":
        """Connect and shake hands."""
        parts = urlsplit(url)
        assert parts.port is not None
        reader, writer = await asyncio.open_connection("127.0.0.1", parts.port, limit=read_buffer)
        raw = cls(reader, writer)
        writer.write(request(url))
        answer = await reader.readuntil(b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 101 "), answer
        return raw

    async def send(self, data: bytes) -> None:
        """Send these bytes; that the server may have hung up already is none of our business."""
        with suppress(OSError):
            self._writer.write(data)
            await self._writer.drain()

    async def hear(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload."""
        first, second = await self._reader.readexactly(2)
        length = second & 0x7F
        if length > 125:
            length = int.from_bytes(await self._reader.readexactly(2 if length == 126 else 8), "big")
        payload = await self._reader.readexactly(length)
        if first & 0xF == BINARY:
            self.heard.append(payload)
        return first & 0xF, payload

    async def end(self, deadline: float = DEADLINE) -> int:
        """Hear until the server closes; the code it gives, OPEN if it does not."""
        code = await self._until(lambda _: False, deadline)
        self.drop()
        return code

    async def joins(self, deadline: float = DEADLINE) -> int:
        """Ask for everything, as after opening, and hear until it is here: OPEN then, else the code of the close."""
        await self.send(frame(wire.encode_step1(b"\x00")))
        return await self._until(lambda payload: payload.startswith(STEP2), deadline)

    async def hears(self, beginning: bytes) -> bool:
        """Whether a message that begins like this has been heard, or is within the deadline."""
        if not any(message.startswith(beginning) for message in self.heard):
            await self._until(lambda payload: payload.startswith(beginning), DEADLINE)
        return any(message.startswith(beginning) for message in self.heard)

    async def _until(self, wanted: Callable[[bytes], bool], deadline: float) -> int:
        try:
            async with asyncio.timeout(deadline):
                while True:
                    opcode, payload = await self.hear()
                    if opcode == CLOSE:
                        return int.from_bytes(payload[:2], "big")
                    if opcode == BINARY and wanted(payload):
                        return OPEN
        except TimeoutError:
            return OPEN
        except (OSError, asyncio.IncompleteReadError):
            return NO_CLOSE_FRAME

    async def lives(self) -> bool:
        """Whether the server still answers a ping; what it says before is heard."""
        token = os.urandom(8)
        await self.send(frame(token, PING))
        try:
            async with asyncio.timeout(DEADLINE):
                while True:
                    opcode, payload = await self.hear()
                    if opcode == CLOSE:
                        return False
                    if payload == token:
                        return True
        except (OSError, asyncio.IncompleteReadError):
            return False

    def drop(self) -> None:
        """Hang up without a word."""
        self._writer.transport.abort()
