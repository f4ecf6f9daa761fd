"""The y-protocols messages that travel in websocket frames, in the dialect of y-websocket.

0·0·vector   Step1: "this is what I have, give me the rest"
0·1·update   Step2: the answer
0·2·update   Update: an edit; sent back to its author byte for byte, it says "committed"
1·entries    Presence (awareness): entries are count · (client · clock · JSON or `null`)*
2·0·reason   Denied: this connection may not write
3            Query: "tell me who is here"
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from backline.lib0 import Reader, Truncated, varbytes, varuint

EMPTY: Final = b"\x00\x00"
"""The update that holds nothing."""


class Entry(NamedTuple):
    """One client's presence; `state` None: it has left. The higher clock is the newer one."""

    client: int
    clock: int
    state: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class Step1:
    """A state vector: what the sender has."""

    vector: bytes


@dataclass(frozen=True, slots=True)
class Step2:
    """What the asker lacked, as an update."""

    update: bytes


@dataclass(frozen=True, slots=True)
class Update:
    """An edit, or the acknowledgement of an own one."""

    update: bytes


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is here and what they show."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Denied:
    """A write was refused."""

    reason: str


@dataclass(frozen=True, slots=True)
class Query:
    """A wish to hear who is here."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a later protocol: ignored, with all that follows it in its frame."""

    kind: int


Message: TypeAlias = Step1 | Step2 | Update | Presence | Denied | Query | Unknown


def encode(message: Step1 | Step2 | Update | Presence | Query) -> bytes:
    """A message as the payload of one binary frame."""
    match message:
        case Step1(vector):
            return b"\x00\x00" + varbytes(vector)
        case Step2(update):
            return b"\x00\x01" + varbytes(update)
        case Update(update):
            return b"\x00\x02" + varbytes(update)
        case Presence(entries):
            return b"\x01" + varbytes(_entries(entries))
        case Query():
            return b"\x03"


def decode(frame: bytes) -> Iterator[Message]:
    """The messages of a frame: one in y-websocket up to 3, several in 4. A damaged one ends it as Unknown."""
    reader = Reader(frame)
    while not reader.done:
        try:
            message = _message(reader)
        except (Truncated, ValueError):
            message = Unknown(-1)
        yield message
        if isinstance(message, Unknown):
            return


def _message(reader: Reader) -> Message:
    match reader.varuint():
        case 0:
            return _sync(reader)
        case 1:
            return Presence(tuple(_read_entries(Reader(reader.varbytes()))))
        case 2 if reader.varuint() == 0:
            return Denied(reader.varstring())
        case 3:
            return Query()
        case kind:
            return Unknown(kind)


def _sync(reader: Reader) -> Message:
    step, payload = reader.varuint(), reader.varbytes()
    kinds: dict[int, type[Step1] | type[Step2] | type[Update]] = {0: Step1, 1: Step2, 2: Update}
    return kinds[step](payload) if step in kinds else Unknown(0)


def _entries(entries: Iterable[Entry]) -> bytes:
    written = [varuint(e.client) + varuint(e.clock) + varbytes(_json(e.state)) for e in entries]
    return varuint(len(written)) + b"".join(written)


def _json(state: dict[str, object] | None) -> bytes:
    return json.dumps(state, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _read_entries(reader: Reader) -> Iterator[Entry]:
    for _ in range(reader.varuint()):
        client, clock, state = reader.varuint(), reader.varuint(), json.loads(reader.varstring())
        yield Entry(client, clock, state if isinstance(state, dict) else None)
