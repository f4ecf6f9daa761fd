"""What a chunk from a server means: the edits inside it, and what has to be answered.

All receivers of a room get the same bytes, so a chunk is read once and remembered: that keeps the client's own cost
per delivery below the servers'.
"""

from dataclasses import dataclass

from bench.wire import CLOSE, PING, Dialect, Frame, Kind, Malformed, frames, messages
from bench.yjs import TOKEN

MEMORY = 2048  # chunks
REMEMBERED = 65536  # bytes of the longest chunk that is remembered


class Edit:
    """One edit on its way: who wrote it, when (ns) and how many receivers still lack it."""

    __slots__ = ("author", "echoed", "remaining", "sent")

    def __init__(self, author: object, sent: int, remaining: int) -> None:
        self.author, self.sent, self.remaining, self.echoed = author, sent, remaining, False


@dataclass(slots=True, frozen=True)
class Chunk:
    """Whole frames: the edits in them, the answers due, whether a state came, and the length that was understood."""

    edits: tuple[Edit, ...]
    pings: tuple[bytes, ...]
    step1: int
    step2: bool
    refusal: str
    used: int


class Reader:
    """Reads chunks of one dialect against the edits that are on their way."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.edits: dict[bytes, Edit] = {}
        self._memory: dict[bytes, Chunk] = {}

    def read(self, data: bytes) -> Chunk:
        """The meaning of `data`, which starts at a frame."""
        known = self._memory.get(data)
        if known is not None:
            return known
        chunk = self._parse(data)
        if len(data) <= REMEMBERED:
            if len(self._memory) >= MEMORY:
                self._memory.clear()
            self._memory[data] = chunk
        return chunk

    def _parse(self, data: bytes) -> Chunk:
        pings: list[bytes] = []
        kinds: list[Kind] = []
        refusal, used = "", 0
        try:
            for frame in frames(data):
                used = frame.end
                if frame.opcode == PING:
                    pings.append(data[frame.start : frame.end])
                elif frame.opcode == CLOSE:
                    refusal = _close_reason(data, frame)
                else:
                    kinds += messages(self.dialect, data, frame.start, frame.end)
        except (Malformed, IndexError) as error:
            refusal = f"malformed: {error}"
        if Kind.DENIED in kinds:
            refusal = refusal or "denied"
        edits = self.edits
        found = tuple(edits[key] for key in TOKEN.findall(data, 0, used) if key in edits)
        return Chunk(found, tuple(pings), kinds.count(Kind.STEP1), Kind.STEP2 in kinds, refusal, used)


def _close_reason(data: bytes, frame: Frame) -> str:
    code = int.from_bytes(data[frame.start : frame.start + 2], "big")
    reason = data[frame.start + 2 : frame.end].decode(errors="replace")
    return f"closed with {code} {reason}".strip()
