"""Events waiting for the bus, bounded, while publishing never waits. Pure.

Three lanes, in the order they leave: control (revocations, roles: as good as never dropped), growth (`Grew`), and
presence (perishable: the oldest goes first). A dropped `Grew` is remembered as the newest of its project: sent
later, it shows every reader the gap, and they read the journal.
"""

from collections import deque
from typing import Final, NamedTuple
from uuid import UUID

from presence.dispatch import channel_of
from presence.events import Event, Grew, PresenceSpread, PresenceWanted, Said, VoiceChanged, encode

ENTRY_OVERHEAD_BYTES: Final = 200


class Entry(NamedTuple):
    """One message: channel, payload, and the project whose journal it tells of, if it does."""

    channel: str
    data: bytes
    grew: UUID | None


class Lane:
    """A queue bounded in events and bytes; `put` returns what had to leave for the new entry."""

    __slots__ = ("_bytes", "_bytes_max", "_entries", "_events_max")

    def __init__(self, events_max: int, bytes_max: int) -> None:
        self._entries: deque[Entry] = deque()
        self._events_max = events_max
        self._bytes_max = bytes_max
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: Entry) -> list[Entry]:
        self._entries.append(entry)
        self._bytes += _size(entry)
        shed = []
        while len(self._entries) > 1 and (self._bytes > self._bytes_max or len(self._entries) > self._events_max):
            shed.append(self.pop())
        return shed

    def pop(self) -> Entry:
        entry = self._entries.popleft()
        self._bytes -= _size(entry)
        return entry


class Pending:
    """The lanes together. `dropped` counts events that were not sent when their turn would have been."""

    __slots__ = ("_control", "_growth", "_owed", "_presence", "dropped")

    def __init__(self, events_max: int, bytes_max: int) -> None:
        self._control = Lane(events_max, bytes_max)
        self._growth = Lane(events_max, bytes_max)
        self._presence = Lane(events_max, bytes_max)
        self._owed: dict[UUID, Entry] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._control) + len(self._owed) + len(self._growth) + len(self._presence)

    def put(self, event: Event) -> None:
        grew = event.project_id if isinstance(event, Grew) else None
        shed = self._lane(event).put(Entry(channel_of(event), encode(event), grew))
        self.dropped += len(shed)
        for entry in shed:
            if entry.grew is not None:
                self._owed[entry.grew] = entry

    def take(self, count: int) -> list[Entry]:
        """The next entries to send, at most `count`; they are the caller's from now on."""
        taken: list[Entry] = []
        while len(taken) < count and self:
            taken.append(self._next())
        return taken

    def _next(self) -> Entry:
        if self._control:
            return self._control.pop()
        if self._owed:
            return self._owed.pop(next(iter(self._owed)))
        return self._growth.pop() if self._growth else self._presence.pop()

    def _lane(self, event: Event) -> Lane:
        match event:
            case Grew():
                return self._growth
            case PresenceSpread() | PresenceWanted() | VoiceChanged() | Said():
                return self._presence
            case _:
                return self._control


def _size(entry: Entry) -> int:
    return len(entry.data) + ENTRY_OVERHEAD_BYTES
