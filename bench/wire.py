"""The two dialects of Yjs over websocket, as bytes: what a client says and what it understands of the answer.

y-websocket: `type · payload`. Hocuspocus: `varstring(document) · type · payload`, authentication first.
Frames are RFC 6455 client frames with a mask that is not zero, as some servers skip unmasking for zero.
"""

from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from bench.yjs import varstring, varuint

MASK = b"\x9d\x3b\x71\xc6"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


class Dialect(Enum):
    """Which protocol a server speaks."""

    Y_WEBSOCKET = "y-websocket"
    HOCUSPOCUS = "hocuspocus"


class Kind(Enum):
    """What a message means to the load client."""

    STEP1 = auto()
    STEP2 = auto()
    UPDATE = auto()
    AWARENESS = auto()
    DENIED = auto()
    OTHER = auto()


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


def _uint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7


def messages(dialect: Dialect, data: bytes, at: int, end: int) -> Iterator[Kind]:
    """The messages inside one binary frame."""
    while at < end:
        kind, at = _message(dialect, data, at, end)
        yield kind


def _message(dialect: Dialect, data: bytes, at: int, end: int) -> tuple[Kind, int]:
    hocuspocus = dialect is Dialect.HOCUSPOCUS
    if hocuspocus:
        length, at = _uint(data, at)
        at += length
    kind, at = _uint(data, at)
    if kind == 0 or (hocuspocus and kind == 4):
        step, at = _uint(data, at)
        length, at = _uint(data, at)
        return (Kind.STEP1, Kind.STEP2, Kind.UPDATE)[step], at + length
    if kind == 1:
        length, at = _uint(data, at)
        return Kind.AWARENESS, at + length
    if kind == 2:
        denied = not hocuspocus or data[at] == 1
        return (Kind.DENIED if denied else Kind.OTHER), end
    return Kind.OTHER, end


class Speaker:
    """Builds the frames that a client of one room sends."""

    __slots__ = ("_prefix", "dialect")

    def __init__(self, dialect: Dialect, room: str) -> None:
        self.dialect = dialect
        self._prefix = varstring(room.encode()) if dialect is Dialect.HOCUSPOCUS else b""

    def hello(self) -> bytes:
        """What a client says first: authentication where the dialect has it, then Step1 with an empty state vector."""
        step1 = client_frame(self._prefix + b"\x00\x00\x01\x00")
        if self.dialect is Dialect.HOCUSPOCUS:
            return client_frame(self._prefix + b"\x02\x00" + varstring(b"bench")) + step1
        return step1

    def step2(self) -> bytes:
        """The answer to a server's Step1: nothing that it lacks."""
        return client_frame(self._prefix + b"\x00\x01\x02\x00\x00")

    def update(self, update: bytes) -> bytes:
        """An edit."""
        return client_frame(self._prefix + b"\x00\x02" + varuint(len(update)) + update)

    def awareness(self, client: int, clock: int, state: bytes) -> bytes:
        """One client's presence, `state` being JSON."""
        entry = b"\x01" + varuint(client) + varuint(clock) + varstring(state)
        return client_frame(self._prefix + b"\x01" + varstring(entry))
