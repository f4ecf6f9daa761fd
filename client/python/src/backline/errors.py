"""Everything that can go wrong, as one tree that carries data: `except backline.BacklineError` catches all of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pycrdt import merge_updates

from backline.playing import Playing


class BacklineError(Exception):
    """What every error of this package is."""


class InvalidAddress(BacklineError, ValueError):
    """The url, or the token beside it, cannot open a project: the message says why."""


class InvalidValue(BacklineError, ValueError):
    """A value that the document does not allow. Nothing was written and nothing was sent."""

    def __init__(self, place: str, value: object, reason: str) -> None:
        """`place` is `root/id/key` (`root/key` for settings)."""
        super().__init__(f"{place} cannot be {value!r}: {reason}")
        self.place, self.value, self.reason = place, value, reason


class TransactionTooLarge(BacklineError, ValueError):
    """One transaction holds more than the server takes as one update. Nothing was written: make several."""


class NoSuchEntity(BacklineError, LookupError):
    """There is no such track, clip, marker, note or row (any more)."""

    def __init__(self, root: str, id: str) -> None:
        super().__init__(f"there is no {root}/{id}")
        self.root, self.id = root, id


class Unreachable(BacklineError, OSError):
    """No connection within the time given to `open`; the last reason is the cause and stands in the message."""


class ChangesLost(BacklineError):
    """A reader of `changes()` was so slow that changes had to be dropped: read the document, then go on anew."""


class Closed(BacklineError):
    """The project was used after its `async with` block."""


class CommandRefused(BacklineError):
    """A command to the shared transport was not carried out. `code`: the server's word for why."""

    def __init__(self, code: str, reason: str = "") -> None:
        super().__init__(f"the command was refused: {reason or code}")
        self.code, self.reason = code, reason


class Stale(CommandRefused):
    """The command was given for another state than `state`, the present one; nothing happened."""

    def __init__(self, state: Playing) -> None:
        super().__init__("stale", f"the transport is at {state.seq} of {state.epoch} by now")
        self.state = state


class Unanswered(BacklineError, TimeoutError):
    """Nobody decided a command in time. It may still be carried out; as it is absolute, it can be given again."""

    def __init__(self, command: str, within: float, trouble: str = "") -> None:
        super().__init__(f"no answer to {command} within {within:g} s{': ' if trouble else ''}{trouble}")
        self.command = command


class Refused(BacklineError):
    """The server will not have us, and coming back would not help. `code`: the close code, or the HTTP status."""

    def __init__(self, reason: str, code: int = 0) -> None:
        super().__init__(f"{reason} ({code})" if code else reason)
        self.reason, self.code = reason, code


class TicketRefused(Refused):
    """4401, HTTP 401: the ticket or token is expired, forged or of another project, and no other is to be had."""


class NotAllowed(Refused):
    """4403: no member, no longer a member, or a role that may not write."""


class NoSuchProject(Refused):
    """4404: it does not exist, was deleted, or is hidden from us."""


class EpochChanged(Refused):
    """4409: the project was rebuilt. Open it again: what was not saved belongs to a document that is no more."""


class TooLarge(Refused):
    """4413, 1009: an update, presence or the project itself is larger than the server allows."""


class Malformed(Refused):
    """4400 and other codes 44xx: something we sent was not understood. That is a bug of this package: report it."""


@dataclass(frozen=True, slots=True)
class Unsaved:
    """One own transaction that no commit has confirmed: the places it wrote, and its Yjs update."""

    places: tuple[str, ...]
    update: bytes


class NotSaved(BacklineError):
    """Own edits were not confirmed in time, or never will be; `__cause__` is the reason, if one is known.

    `edits` are the transactions in order; `update` is all of them as one Yjs update, to be kept or merged elsewhere.
    """

    def __init__(self, edits: Sequence[Unsaved]) -> None:
        places = list(dict.fromkeys(place for edit in edits for place in edit.places))
        shown = ", ".join(places[:5]) + (f" and {len(places) - 5} more" if len(places) > 5 else "")
        super().__init__(f"{len(edits)} edit{'s were' if len(edits) != 1 else ' was'} not saved: {shown}")
        self.edits, self.places = tuple(edits), tuple(places)

    @property
    def update(self) -> bytes:
        """All unsaved edits as one Yjs update (v1)."""
        return merge_updates(*(edit.update for edit in self.edits))
