"""What a connection writes to, whatever carries it."""

from collections.abc import Callable
from typing import Protocol

from collab_server.closing import CloseCode


class Line(Protocol):
    """What a connection writes to: a Socket, or a document's seat on one (seats.py)."""

    @property
    def write(self) -> Callable[[bytes], object]:
        """Write whole frames; never blocks."""

    @property
    def frames(self) -> int:
        """How many frames have come: signs of life."""

    @property
    def deflates(self) -> bool:
        """Whether the peer takes compressed messages."""

    @property
    def full(self) -> bool:
        """Whether more was written than the peer takes: from then until it has drained."""

    @property
    def paused(self) -> bool:
        """Whether nothing is read at the moment, so that nothing can come."""

    def pause_reading(self) -> None:
        """Let the peer feel that it sends too fast."""

    def resume_reading(self) -> None:
        """Read on."""

    def buffered(self) -> int:
        """Bytes written but not yet taken by the system."""

    def close(self, code: CloseCode, reason: str) -> None:
        """Say why and hang up."""
