"""What is said on a control socket: JSON objects in text messages. Pure.

client  {"t":"ping","n":7,"c":<ms>[,"rtt":<ms>]}                     n and c come back as they were
        {"t":"play"|"stop"|"seek"|"loop"|"rate", "id":"..."[,"epoch":"...","if_seq":17], ...}
        {"t":"follow","room":true}                                   whose round trip counts for the lead
server  {"t":"hello","role":"editor","may":true,"boot":"..."}
        {"t":"role","role":"viewer","may":false}
        {"t":"pong","n":7,"c":...,"r":<ms>,"s":<ms>,"boot":"..."}    read at r, answered at s, shared clock
        {"t":"tempo","rev":"...","points":[[tick,bpm,curve],...],"signatures":[[tick,num,den],...]}
        {"t":"transport", ...studio.transport.Transport.as_json()}   its tempo came before it
        {"t":"voice","users":["<user id>",...]}                      who is in the voice room; again if anything changed
        {"t":"ack","id":"...","epoch":"...","seq":18,"r":...,"s":...}
        {"t":"nack","id":"...","code":"stale"|"forbidden"|"invalid"|"rate"|"unavailable","state":{...}|null}
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeGuard
from uuid import UUID

from studio.errors import Invalid
from studio.tempo import TempoMap
from studio.transport import Transport, tempo_rev
from studio.transport_commands import Command, read_command

ID_CHARS_MAX: Final = 64
RTT_MAX_MS: Final = 10_000.0
COUNT_MAX: Final = 2**53
COMMAND_KEYS: Final = ("t", "id", "epoch", "if_seq", "pos", "count_in", "on", "start", "end", "rate")


class Unreadable(Exception):
    """No message of this protocol; `reason` goes into the close frame."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Refused(Exception):
    """A command that means nothing: answered, and the connection stays."""

    def __init__(self, id: str, reason: str) -> None:
        self.id = id
        self.reason = reason
        super().__init__(id, reason)


@dataclass(frozen=True, slots=True)
class Ping:
    """`n` and `c` go back as they came; `rtt` is the shortest round trip the client has seen, in ms."""

    n: int
    c: float
    rtt: float | None


@dataclass(frozen=True, slots=True)
class Follow:
    """Whether the client follows the room."""

    room: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """A command for the shared transport, idempotent by `id`."""

    id: str
    epoch: str | None
    if_seq: int | None
    command: Command


Message: TypeAlias = Ping | Follow | Ask


def read(message: bytes) -> Message:
    """The message of these bytes. Raises Unreadable, and Refused for a command that cannot be carried out."""
    try:
        told = json.loads(message)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    if not isinstance(told, dict):
        raise Unreadable("not an object")
    match told.get("t"):
        case "ping":
            return Ping(_count(told.get("n")), _number(told.get("c")), _round_trip(told.get("rtt")))
        case "follow":
            return Follow(told.get("room") is True)
        case _:
            return ask(told)


def ask(told: Mapping[str, Any]) -> Ask:
    """The command of an object. Raises as `read` does."""
    name = told.get("id")
    if not _is_name(name):
        raise Unreadable("a command has an id")
    epoch, if_seq = told.get("epoch"), told.get("if_seq")
    if not (epoch is None or _is_name(epoch)) or not (if_seq is None or type(if_seq) is int):
        raise Refused(name, "epoch is text and if_seq a number")
    try:
        return Ask(name, epoch, if_seq, read_command(told))
    except Invalid as error:
        raise Refused(name, str(error)) from None


def essence(message: bytes) -> dict[str, Any]:
    """What of a command that was read goes to another node: nothing that this node has not looked at."""
    told = json.loads(message)
    return {key: told[key] for key in COMMAND_KEYS if key in told}


def tempo_json(tempo: TempoMap) -> dict[str, Any]:
    """The tempo map as it is told; as JSON it is the same again."""
    return {
        "rev": tempo_rev(tempo),
        "points": [list(point) for point in tempo.points],
        "signatures": [list(signature[:3]) for signature in tempo.signatures],
    }


def voice(users: Iterable[UUID]) -> dict[str, Any]:
    """Who is in the project's voice room. The same again: something about somebody there is another now."""
    return {"t": "voice", "users": [str(user) for user in users]}


def nack(name: str, code: str, state: Mapping[str, Any] | None = None, reason: str = "") -> dict[str, Any]:
    """The answer to a command that was not carried out."""
    return {"t": "nack", "id": name, "code": code, "state": state, **({"reason": reason} if reason else {})}


def ack(name: str, state: Transport) -> dict[str, Any]:
    """The answer to a command that holds now; `r` and `s` are added where the socket is."""
    return {"t": "ack", "id": name, "epoch": state.epoch, "seq": state.seq}


def encoded(told: Mapping[str, Any]) -> bytes:
    """The message, in ASCII."""
    return json.dumps(told, separators=(",", ":"), allow_nan=False).encode()


def _is_name(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= ID_CHARS_MAX and value.isascii() and value.isprintable()


def _count(value: object) -> int:
    if type(value) is not int or not 0 <= value < COUNT_MAX:
        raise Unreadable("n is a count")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < COUNT_MAX:
        raise Unreadable("c is a number")
    return value


def _round_trip(value: object) -> float | None:
    return None if value is None else min(RTT_MAX_MS, max(0.0, _number(value)))
