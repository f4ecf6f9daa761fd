"""The two dialects of Yjs over websocket, as messages: what a client says and what it understands of the answer.

y-websocket: `type · payload`. Hocuspocus: `varstring(document) · type · payload`, authentication first.
"""

from collections.abc import Iterator
from enum import Enum, auto
from typing import NamedTuple

from loadtest.lib0 import read_varuint, varstring, varuint

EMPTY = b"\x00\x00"  # the update that holds nothing
NOBODY = b"\x00"  # the state vector of an empty document


class Dialect(Enum):
    """Which protocol a server speaks."""

    Y_WEBSOCKET = "y-websocket"
    HOCUSPOCUS = "hocuspocus"


class Kind(Enum):
    """What a message means to a client."""

    STEP1 = auto()
    STEP2 = auto()
    UPDATE = auto()
    AWARENESS = auto()
    DENIED = auto()
    SAVED = auto()  # Hocuspocus: one update was taken
    CLOSED = auto()  # Hocuspocus: the document, not the socket
    OTHER = auto()


class Message(NamedTuple):
    """A message inside a frame: where its body (state vector, update, presence, reason) lies."""

    kind: Kind
    start: int
    end: int


def messages(dialect: Dialect, data: bytes, at: int, end: int) -> Iterator[Message]:
    """The messages inside one binary frame. Raises IndexError if it ends too early."""
    hocuspocus = dialect is Dialect.HOCUSPOCUS
    while at < end:
        if hocuspocus and end - at == 1:
            yield Message(Kind.OTHER, at, end)  # a bare ping
            return
        message = _message(hocuspocus, data, at, end)
        yield message
        at = message.end


def _message(hocuspocus: bool, data: bytes, at: int, end: int) -> Message:
    if hocuspocus:
        length, at = read_varuint(data, at)
        at += length
    kind, at = read_varuint(data, at)
    if kind == 0 or (hocuspocus and kind == 4):
        step, at = read_varuint(data, at)
        length, at = read_varuint(data, at)
        return Message((Kind.STEP1, Kind.STEP2, Kind.UPDATE)[step], at, at + length)
    if kind == 1:
        length, at = read_varuint(data, at)
        return Message(Kind.AWARENESS, at, at + length)
    if kind == 2:
        denied = not hocuspocus or data[at] == 1
        return Message(Kind.DENIED if denied else Kind.OTHER, at + 1, end)
    if hocuspocus and kind == 8:
        return Message(Kind.SAVED if data[at] == 1 else Kind.OTHER, at, at + 1)
    return Message(Kind.CLOSED if hocuspocus and kind == 7 else Kind.OTHER, at, end)


class Speaker:
    """Builds the messages that a client of one room sends."""

    __slots__ = ("_prefix", "dialect")

    def __init__(self, dialect: Dialect, room: str) -> None:
        self.dialect = dialect
        self._prefix = varstring(room.encode()) if dialect is Dialect.HOCUSPOCUS else b""

    @property
    def counts_confirmations(self) -> bool:
        """Whether the server confirms each update with a message of its own, instead of bringing it back."""
        return self.dialect is Dialect.HOCUSPOCUS

    def hello(self, vector: bytes = NOBODY, token: bytes = b"load") -> list[bytes]:
        """What a client says first: authentication where the dialect has it, then Step1."""
        step1 = self._prefix + b"\x00\x00" + varstring(vector)
        if self.dialect is Dialect.HOCUSPOCUS:
            return [self._prefix + b"\x02\x00" + varstring(token), step1]
        return [step1]

    def step2(self, update: bytes = EMPTY) -> bytes:
        """The answer to a server's Step1: what it lacks."""
        return self._prefix + b"\x00\x01" + varstring(update)

    def update(self, update: bytes) -> bytes:
        """An edit."""
        return self._prefix + b"\x00\x02" + varstring(update)

    def awareness(self, client: int, clock: int, state: bytes) -> bytes:
        """One client's presence, `state` being JSON."""
        entry = b"\x01" + varuint(client) + varuint(clock) + varstring(state)
        return self._prefix + b"\x01" + varstring(entry)
