"""What a frame brings, read once and remembered: all members of a room get the same bytes."""

import re
from typing import NamedTuple

from loadtest.reach import Reach, Unreadable, reach
from loadtest.wire import Dialect, Kind, messages

MEMORY = 4096  # frames
REMEMBERED = 16384  # bytes of the longest frame that is remembered
STAMP = re.compile(rb"~([0-9a-f]+)\.([0-9a-f]+)~")  # in presence: whose, and when it was sent (ns)


class Heard(NamedTuple):
    """One message, understood: `reach` of updates, `stamps` of presence as (client, ns)."""

    kind: Kind
    body: bytes
    reach: Reach
    stamps: tuple[tuple[int, int], ...]


class Malformed(Exception):
    """The server's bytes are not the protocol."""


class Reader:
    """Reads the frames of one dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._memory: dict[bytes, list[Heard]] = {}

    def read(self, frame: bytes) -> list[Heard]:
        """The messages of a frame. Raises Malformed."""
        known = self._memory.get(frame)
        if known is not None:
            return known
        try:
            found = messages(self.dialect, frame, 0, len(frame))
            heard = [self._heard(kind, frame[start:end]) for kind, start, end in found]
        except (IndexError, Unreadable) as error:
            raise Malformed(f"unreadable frame: {error}") from None
        if len(frame) <= REMEMBERED:
            if len(self._memory) >= MEMORY:
                self._memory.clear()
            self._memory[frame] = heard
        return heard

    @staticmethod
    def _heard(kind: Kind, body: bytes) -> Heard:
        if kind in (Kind.UPDATE, Kind.STEP2):
            return Heard(kind, body, reach(body), ())
        if kind is Kind.AWARENESS:
            return Heard(kind, body, {}, tuple((int(who, 16), int(at, 16)) for who, at in STAMP.findall(body)))
        return Heard(kind, body, {}, ())
