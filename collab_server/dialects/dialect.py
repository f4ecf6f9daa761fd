"""What every dialect can say: each method returns whole websocket frames, ready to be written and joined."""

from collections.abc import Sequence
from typing import Protocol

from studio.roles import Role


class Dialect(Protocol):
    """Turns the room's vocabulary into frames. Connections that speak alike have equal dialects: they share frames."""

    @property
    def shared(self) -> bool:
        """Whether many connections speak exactly alike, so that what a newcomer gets is worth keeping."""

    @property
    def asks_back(self) -> bool:
        """Whether the server's Step1 follows its answer to each Step1 of the client, instead of standing first."""

    def welcome(self, role: Role) -> bytes:
        """Tell who has just been let in what it may do; b"" if the dialect has no word for it."""
        ...

    def step1(self, vector: bytes) -> bytes:
        """Ask for what is missing: our state vector."""
        ...

    def step2(self, update: bytes, *, deflated: bool = False) -> bytes:
        """Answer a state vector; `deflated` for a connection that negotiated compression."""
        ...

    def update(self, update: bytes) -> bytes:
        """Tell somebody else's edit."""
        ...

    def saved(self, updates: Sequence[bytes]) -> bytes:
        """Tell an author, after the commit, that these updates of its own are durable."""
        ...

    def nothing_new(self) -> bytes:
        """Answer an update that brings nothing, if the client waits for an answer."""
        ...

    def presence(self, entries: bytes) -> bytes:
        """Tell presence: a y-protocols awareness payload."""
        ...

    def keep_alive(self) -> bytes:
        """Tell nothing: a message that a client's watchdog hears, and a ping whose answer is a sign of life."""
        ...

    def denied(self, reason: str) -> bytes:
        """Tell that writing is refused."""
        ...

    def undone(self, reason: str) -> bytes:
        """Tell that an edit was taken in, and what it changed on a locked track changed back."""
        ...

    def stateless(self, payload: str) -> bytes:
        """Tell what another client said to everybody; b"" if the dialect has no word for it."""
        ...
