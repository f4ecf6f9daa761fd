"""What a room asks its hub to do: the room itself performs nothing.

Those that every tick makes are plain classes, which mypyc makes ten times as quickly as a dataclass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from collab_server.closing import CloseCode
from collab_server.dialects.dialect import Dialect
from collab_server.gate.errors import Malformed, TooLarge
from collab_server.member import Member
from collab_server.shadow import Shadow


class Send:
    """Write `data` (whole websocket frames) to one member; it must arrive."""

    __slots__ = ("data", "to")
    __match_args__: Final = ("to", "data")

    def __init__(self, to: Member, data: bytes) -> None:
        self.to = to
        self.data = data


class Relay:
    """Write the same `data` to many members; who reads too slowly gets one diff later instead."""

    __slots__ = ("data", "to")
    __match_args__: Final = ("to", "data")

    def __init__(self, to: Sequence[Member], data: bytes) -> None:
        self.to = to
        self.data = data


class Saved:
    """Tell one member what of its own is committed; it must arrive, with what the tick tells if one is due."""

    __slots__ = ("data", "to")
    __match_args__: Final = ("to", "data")

    def __init__(self, to: Member, data: bytes) -> None:
        self.to = to
        self.data = data


@dataclass(frozen=True, slots=True)
class Spread:
    """Write presence to many members; who reads too slowly goes without. `everybody` in their dialect hears it."""

    to: Sequence[Member]
    data: bytes
    everybody: bool = True


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell the other nodes about the presence of this node's members (a y-protocols awareness payload)."""

    entries: bytes


@dataclass(frozen=True, slots=True)
class Tick:
    """The room has gathered edits: call `tick` once the event loop has read what is there."""


@dataclass(frozen=True, slots=True)
class PresenceTick:
    """Somebody's presence changed: call the attendance's `tick` soon; `late` if they are only still there."""

    late: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """The room has something for the journal: call `take` at the next flush."""


@dataclass(frozen=True, slots=True)
class Expel:
    """Close one member's connection."""

    member: Member
    code: CloseCode
    reason: str


@dataclass(frozen=True, slots=True)
class KeepDraft:
    """Work of another lineage arrived: keep it as a draft snapshot, merged with nothing."""

    member: Member
    update: bytes


@dataclass(frozen=True, slots=True)
class KeepUnsent:
    """A member that may not write any more has `unsent` work: keep it as a draft, soon."""

    member: Member


@dataclass(frozen=True, slots=True)
class Try:
    """A restricted member's update has to be tried, and the shadow is not ready: hear the member again when it is.

    `state`: the document of which the shadow is to be made, if nobody does that yet.
    """

    member: Member
    update: bytes
    merge: bool
    shadow: Shadow
    state: bytes | None


@dataclass(frozen=True, slots=True)
class SnapshotFirst:
    """Many offline edits of a member are about to be merged: keep the document as it is, before them."""

    member: Member


@dataclass(frozen=True, slots=True)
class Doubt:
    """Somebody brought work of others that is unknown here: if it stays unknown, was it lost?"""


@dataclass(frozen=True, slots=True)
class Recheck:
    """A reader knows of more than is known here: call `settle` after a while, once the room holds every row."""


@dataclass(frozen=True, slots=True)
class Spoil:
    """The document in memory can't be trusted any more: everybody leaves and it is loaded anew."""

    reason: str


@dataclass(frozen=True, slots=True)
class Deflate:
    """Compress the document for newcomers, beside the event loop; then call `deflated` with the frame."""

    dialect: Dialect
    state: bytes


Effect = (
    Send
    | Relay
    | Saved
    | Spread
    | Announce
    | Tick
    | PresenceTick
    | Record
    | Expel
    | KeepDraft
    | KeepUnsent
    | Try
    | SnapshotFirst
    | Doubt
    | Recheck
    | Spoil
    | Deflate
)
Effects = Sequence[Effect]

NOTHING: Effects = ()
RECORD = Record()
TICK: Effects = (Tick(),)
PRESENCE_TICK: Effects = (PresenceTick(),)
RENEWAL_TICK: Effects = (PresenceTick(late=True),)


def offence(member: Member, error: Malformed | TooLarge) -> Effects:
    """Somebody said what can't be read, or too much of it, and has to go."""
    code = CloseCode.TOO_LARGE if isinstance(error, TooLarge) else CloseCode.MALFORMED
    return (Expel(member, code, str(error)),)
