"""Valid Yjs v1 updates, written by hand: what the load client sends is decided here.

Each edit carries a token `~<16 hex digits>~` (8 for the writer, 8 for its sequence number), so that a receiver finds
edits by searching bytes and a server may bundle updates as it likes.
Source of the format: yjs `UpdateEncoder.js`, `Item.js`, `ContentAny.js`, `ContentString.js`, `DeleteSet.js`.
"""

import re
from dataclasses import dataclass, field

from loadtest.lib0 import varstring, varuint

TOKEN = re.compile(rb"~([0-9a-f]{16})~")
TOKEN_LENGTH = 18

LABEL_PADDING = b"chorus"  # makes an overwriting sync message 60 bytes long
TYPING_PADDING = b" keep the verse dry"[:18]
RUN = 20  # edits before a typist's cursor moves one step back, which starts a new item
NOTE_EDITS = 100  # edits in one note: a body of 3,600 characters

HAS_ORIGIN, HAS_RIGHT_ORIGIN, HAS_KEY = 0x80, 0x40, 0x20
STRING, TYPE, ANY = 4, 7, 8  # content references
MAP, TEXT = 1, 2  # type references
OVERWRITE = bytes((ANY | HAS_ORIGIN | HAS_KEY,))


def op_key(writer: int, seq: int) -> bytes:
    """The 16 hex digits inside a token."""
    return b"%08x%08x" % (writer, seq)


@dataclass(slots=True)
class LabelWriter:
    """One Yjs client that adds a marker and then overwrites its label again and again, as a key of a Y.Map is."""

    index: int
    client: int
    seq: int = 0
    clock: int = 0
    _id: bytes = field(init=False)

    def __post_init__(self) -> None:
        self._id = varuint(self.client)

    def next(self) -> tuple[bytes, bytes]:
        """The key of the next edit and its update."""
        key = op_key(self.index, self.seq)
        label = b"\x01\x77" + varstring(b"~" + key + b"~" + LABEL_PADDING)
        update = self._create(label) if self.seq == 0 else self._overwrite(label)
        self.seq += 1
        return key, update

    def _create(self, label: bytes) -> bytes:
        entry = b"m_%012x" % self.client
        parent = b"\x00" + self._id + b"\x00"
        marker = bytes((TYPE | HAS_KEY, 1)) + varstring(b"markers") + varstring(entry) + bytes((MAP,))
        tick = bytes((ANY | HAS_KEY,)) + parent + varstring(b"tick") + b"\x01\x7d\x01"
        named = bytes((ANY | HAS_KEY,)) + parent + varstring(b"label") + label
        self.clock = 3
        return b"\x01\x03" + self._id + b"\x00" + marker + tick + named + b"\x00"

    def _overwrite(self, label: bytes) -> bytes:
        ident, previous = self._id, varuint(self.clock - 1)
        head = b"\x01\x01" + ident + varuint(self.clock) + OVERWRITE + ident + previous
        self.clock += 1
        return head + label + b"\x01" + ident + b"\x01" + previous + b"\x01"


@dataclass(slots=True)
class Typist:
    """One Yjs client that types into the bodies of notes: what it writes stays in the document."""

    index: int
    client: int
    seq: int = 0
    clock: int = 0
    _body: int = 0

    def next(self, count: int) -> bytes:
        """One update with `count` edits; note limits are kept by starting a new note every NOTE_EDITS edits."""
        start, structs = self.clock, []
        for _ in range(count):
            if self.seq % NOTE_EDITS == 0:
                structs += self._note()
            structs.append(self._keystrokes())
            self.seq += 1
        ident = varuint(self.client)
        return b"\x01" + varuint(len(structs)) + ident + varuint(start) + b"".join(structs) + b"\x00"

    def _note(self) -> list[bytes]:
        ident = varuint(self.client)
        parent = b"\x00" + ident + varuint(self.clock)
        entry = b"n_%08x%04x" % (self.client, self.seq // NOTE_EDITS)
        note = bytes((TYPE | HAS_KEY, 1)) + varstring(b"notes") + varstring(entry) + bytes((MAP,))
        place = b"\x75\x02\x77\x01t\x7d\x01"  # ["t", 1]
        anchor = bytes((ANY | HAS_KEY,)) + parent + varstring(b"anchor") + b"\x01" + place
        body = bytes((TYPE | HAS_KEY,)) + parent + varstring(b"body") + bytes((TEXT,))
        self.clock += 3
        self._body = self.clock - 1
        return [note, anchor, body]

    def _keystrokes(self) -> bytes:
        ident, text = varuint(self.client), b"~" + op_key(self.index, self.seq) + b"~" + TYPING_PADDING
        within = self.seq % NOTE_EDITS
        if within == 0:
            head = bytes((STRING, 0)) + ident + varuint(self._body)
        elif within % RUN == 0:
            left, right = varuint(self.clock - 2), varuint(self.clock - 1)
            head = bytes((STRING | HAS_ORIGIN | HAS_RIGHT_ORIGIN,)) + ident + left + ident + right
        else:
            head = bytes((STRING | HAS_ORIGIN,)) + ident + varuint(self.clock - 1)
        self.clock += len(text)
        return head + varstring(text)
