"""Websocket frames by hand, around the messages of loadtest: what a client says, and the frames of the answer.

Frames are RFC 6455 client frames with a mask that is not zero, as some servers skip unmasking for zero.
"""

from collections.abc import Iterator
from typing import NamedTuple

from loadtest import wire
from loadtest.wire import Dialect, Kind

__all__ = ["Dialect", "Frame", "Kind", "Malformed", "Speaker", "client_frame", "frame_size", "frames", "messages"]

MASK = b"\x9d\x3b\x71\xc6"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Malformed(Exception):
    """The server's bytes are not the protocol."""


class Frame(NamedTuple):
    """A whole frame inside a chunk: `opcode` and where its payload lies."""

    opcode: int
    start: int
    end: int


def client_frame(payload: bytes, opcode: int = BINARY) -> bytes:
    """A final masked frame."""
    size = len(payload)
    masked = int.from_bytes(payload, "little") ^ int.from_bytes((MASK * (size // 4 + 1))[:size], "little")
    head = 0x80 | opcode
    if size < 126:
        prefix = bytes((head, 0x80 | size))
    elif size < 65536:
        prefix = bytes((head, 0x80 | 126)) + size.to_bytes(2, "big")
    else:
        prefix = bytes((head, 0x80 | 127)) + size.to_bytes(8, "big")
    return prefix + MASK + masked.to_bytes(size, "little")


def frames(data: bytes) -> Iterator[Frame]:
    """The whole frames at the head of `data`; what follows the last one is incomplete."""
    at, size = 0, len(data)
    while size - at >= 2:
        length, start = data[at + 1] & 127, at + 2
        if data[at + 1] & 0x80:
            raise Malformed("the server masked a frame")
        if length == 126:
            start, length = at + 4, int.from_bytes(data[at + 2 : at + 4], "big")
        elif length == 127:
            start, length = at + 10, int.from_bytes(data[at + 2 : at + 10], "big")
        if size < start + length:
            return
        if not data[at] & 0x80 or data[at] & 15 == CONTINUATION:
            raise Malformed("the server fragments its messages")
        yield Frame(data[at] & 15, start, start + length)
        at = start + length


def frame_size(data: bytes | bytearray) -> int:
    """How many bytes the frame at the head of `data` needs, or 0 if its head is not all there."""
    if len(data) < 2:
        return 0
    length = data[1] & 127
    if length < 126:
        return 2 + length
    head = 4 if length == 126 else 10
    return head + int.from_bytes(data[2:head], "big") if len(data) >= head else 0


def messages(dialect: Dialect, data: bytes, at: int, end: int) -> Iterator[Kind]:
    """The messages inside one binary frame."""
    return (message.kind for message in wire.messages(dialect, data, at, end))


class Speaker:
    """Builds the frames that a client of one room sends."""

    __slots__ = ("_words", "dialect")

    def __init__(self, dialect: Dialect, room: str) -> None:
        self.dialect = dialect
        self._words = wire.Speaker(dialect, room)

    def hello(self) -> bytes:
        """What a client says first, its state vector being empty."""
        return b"".join(client_frame(message) for message in self._words.hello(token=b"bench"))

    def step2(self) -> bytes:
        """The answer to a server's Step1: nothing that it lacks."""
        return client_frame(self._words.step2())

    def update(self, update: bytes) -> bytes:
        """An edit."""
        return client_frame(self._words.update(update))

    def awareness(self, client: int, clock: int, state: bytes) -> bytes:
        """One client's presence, `state` being JSON."""
        return client_frame(self._words.awareness(client, clock, state))
