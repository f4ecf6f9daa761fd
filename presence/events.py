"""What processes tell each other, and its form on the bus.

1 byte version (1), one line of JSON ending in "\\n", then raw bytes (`body`, `entries` or `payload`, or nothing)
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, assert_never
from uuid import UUID

from presence.errors import BadEvent
from studio.roles import Role

VERSION: Final = b"\x01"


@dataclass(frozen=True, slots=True)
class Grew:
    """A row was committed to the journal: `body` is its persistence.body."""

    project_id: UUID
    epoch: int
    seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """A member's role is another one now; open connections act on it at once."""

    project_id: UUID
    user_id: UUID
    role: Role


@dataclass(frozen=True, slots=True)
class AccessRevoked:
    """A member was removed or left: open connections are closed."""

    project_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True)
class ProjectDeleted:
    """Nobody may open it any more."""

    project_id: UUID


@dataclass(frozen=True, slots=True)
class SetAside:
    """An operator has set the document aside: it cannot be opened, and who has it open leaves."""

    project_id: UUID


@dataclass(frozen=True, slots=True)
class ProjectRenamed:
    """The project's row has another name (the document's own name travels as `Grew`)."""

    project_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class PresenceSpread:
    """The newest presence of one node's people: a y-protocols awareness payload."""

    project_id: UUID
    node_id: UUID
    entries: bytes


@dataclass(frozen=True, slots=True)
class PresenceWanted:
    """A node has just opened the project: tell it who is with you."""

    project_id: UUID
    node_id: UUID


@dataclass(frozen=True, slots=True)
class VoiceChanged:
    """Who is in the project's voice room now: user ids, sorted, each once."""

    project_id: UUID
    user_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A stateless message for everybody in the project whose client has those: `payload` is its UTF-8."""

    project_id: UUID
    node_id: UUID
    payload: bytes


@dataclass(frozen=True, slots=True)
class TransportAsked:
    """A node asks the one that leads the project's shared transport: for its state, or to carry out a command."""

    project_id: UUID
    node_id: UUID
    payload: bytes


@dataclass(frozen=True, slots=True)
class TransportTold:
    """The node that leads the project's shared transport tells its state and answers: JSON."""

    project_id: UUID
    node_id: UUID
    payload: bytes


@dataclass(frozen=True, slots=True)
class NodeGone:
    """A node stops: whoever was with it is not there any more. Heard in every project."""

    node_id: UUID


Event: TypeAlias = (
    Grew
    | RoleChanged
    | AccessRevoked
    | ProjectDeleted
    | SetAside
    | ProjectRenamed
    | PresenceSpread
    | PresenceWanted
    | VoiceChanged
    | Said
    | TransportAsked
    | TransportTold
    | NodeGone
)


def encode(event: Event) -> bytes:
    """The event's bytes on the bus."""
    raw = b""
    match event:
        case Grew(project, epoch, seq, body):
            head, raw = f'{{"t":"grew","project":"{project}","epoch":{epoch},"seq":{seq}}}', body
        case PresenceSpread(project, node, entries):
            head, raw = f'{{"t":"spread","project":"{project}","node":"{node}"}}', entries
        case PresenceWanted(project, node):
            head = f'{{"t":"wanted","project":"{project}","node":"{node}"}}'
        case RoleChanged(project, user, role):
            head = f'{{"t":"role","project":"{project}","user":"{user}","role":"{role}"}}'
        case AccessRevoked(project, user):
            head = f'{{"t":"revoked","project":"{project}","user":"{user}"}}'
        case ProjectDeleted(project):
            head = f'{{"t":"deleted","project":"{project}"}}'
        case SetAside(project):
            head = f'{{"t":"set_aside","project":"{project}"}}'
        case ProjectRenamed(project, name):
            head = json.dumps({"t": "renamed", "project": str(project), "name": name})
        case VoiceChanged(project, users):
            head = json.dumps({"t": "voice", "project": str(project), "users": [str(user) for user in users]})
        case Said(project, node, payload):
            head, raw = f'{{"t":"said","project":"{project}","node":"{node}"}}', payload
        case TransportAsked(project, node, payload):
            head, raw = f'{{"t":"transport_asked","project":"{project}","node":"{node}"}}', payload
        case TransportTold(project, node, payload):
            head, raw = f'{{"t":"transport_told","project":"{project}","node":"{node}"}}', payload
        case NodeGone(node):
            head = f'{{"t":"gone","node":"{node}"}}'
        case _:
            assert_never(event)
    return b"".join((VERSION, head.encode(), b"\n", raw))


def decode(data: bytes) -> Event:
    """The event of these bytes. Raises BadEvent."""
    if data[:1] != VERSION:
        raise BadEvent("unknown version")
    end = data.find(b"\n")
    if end < 0:
        raise BadEvent("no header line")
    try:
        head = json.loads(data[1:end])
        return _READERS[head["t"]](head, data[end + 1 :])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadEvent(f"{type(error).__name__}: {error}") from None


def _grew(head: dict[str, Any], raw: bytes) -> Event:
    return Grew(UUID(head["project"]), _count(head["epoch"]), _count(head["seq"]), raw)


def _spread(head: dict[str, Any], raw: bytes) -> Event:
    return PresenceSpread(UUID(head["project"]), UUID(head["node"]), raw)


def _wanted(head: dict[str, Any], raw: bytes) -> Event:
    return PresenceWanted(UUID(head["project"]), UUID(head["node"]))


def _role(head: dict[str, Any], raw: bytes) -> Event:
    return RoleChanged(UUID(head["project"]), UUID(head["user"]), Role(head["role"]))


def _revoked(head: dict[str, Any], raw: bytes) -> Event:
    return AccessRevoked(UUID(head["project"]), UUID(head["user"]))


def _deleted(head: dict[str, Any], raw: bytes) -> Event:
    return ProjectDeleted(UUID(head["project"]))


def _set_aside(head: dict[str, Any], raw: bytes) -> Event:
    return SetAside(UUID(head["project"]))


def _renamed(head: dict[str, Any], raw: bytes) -> Event:
    if not isinstance(head["name"], str):
        raise TypeError("name is no text")
    return ProjectRenamed(UUID(head["project"]), head["name"])


def _voice(head: dict[str, Any], raw: bytes) -> Event:
    if not isinstance(head["users"], list):
        raise TypeError("users is no list")
    return VoiceChanged(UUID(head["project"]), tuple(UUID(user) for user in head["users"]))


def _said(head: dict[str, Any], raw: bytes) -> Event:
    return Said(UUID(head["project"]), UUID(head["node"]), raw)


def _transport_asked(head: dict[str, Any], raw: bytes) -> Event:
    return TransportAsked(UUID(head["project"]), UUID(head["node"]), raw)


def _transport_told(head: dict[str, Any], raw: bytes) -> Event:
    return TransportTold(UUID(head["project"]), UUID(head["node"]), raw)


def _gone(head: dict[str, Any], raw: bytes) -> Event:
    return NodeGone(UUID(head["node"]))


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("not a count")
    return value


_READERS: Final[dict[str, Callable[[dict[str, Any], bytes], Event]]] = {
    "grew": _grew,
    "spread": _spread,
    "wanted": _wanted,
    "role": _role,
    "revoked": _revoked,
    "deleted": _deleted,
    "set_aside": _set_aside,
    "renamed": _renamed,
    "voice": _voice,
    "said": _said,
    "transport_asked": _transport_asked,
    "transport_told": _transport_told,
    "gone": _gone,
}
