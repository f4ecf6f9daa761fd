"""What every dialect can say: each method returns whole websocket frames, ready to be written and joined."""

from typing import Protocol


class Dialect(Protocol):
    """Turns the room's vocabulary into frames; an instance may be shared by every connection that speaks it alike."""

    def step1(self, vector: bytes) -> bytes:
        """Ask for what is missing: our state vector."""
        ...

    def step2(self, update: bytes) -> bytes:
        """Answer a state vector."""
        ...

    def update(self, update: bytes) -> bytes:
        """Tell an edit; to its own author, after the commit, this is the acknowledgement."""
        ...

    def presence(self, entries: bytes) -> bytes:
        """Tell presence: a y-protocols awareness payload."""
        ...

    def denied(self, reason: str) -> bytes:
        """Tell that writing is refused."""
        ...
