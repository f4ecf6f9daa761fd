"""One project's shared transport as one node sees it: who listens here, what was told last, who leads."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from collab_server import frames
from collab_server.control.conductor import Conductor
from collab_server.control.line import Line
from collab_server.control.messages import Ask, encoded, voice
from collab_server.hosted import Hosted
from persistence.options import Cast
from studio.roles import Options, Role
from studio.transport import Mode

GUEST_SECONDS: Final = 6.0
"""A node that has not spoken for so long has nobody here any more."""


@dataclass(slots=True, eq=False)
class Pending:
    """A command on its way to the node that leads."""

    line: Line
    ask: Ask
    told: dict[str, Any]
    read_at: float
    until: float
    sent_at: float


@dataclass(frozen=True, slots=True)
class Guest:
    """Another node with people in this project: when it last said so (own monotonic seconds), its slowest follower."""

    heard_at: float
    rtt: float


@dataclass(slots=True, eq=False)
class Stage:
    """`token` and `seq` order what was told by whichever node; `conductor` exists while this node leads."""

    project_id: UUID
    lines: set[Line] = field(default_factory=set)
    roles: dict[UUID, Role] = field(default_factory=dict)
    options: Options = field(default_factory=Options)
    asked: int = 0
    answered: int = 0
    """The latest question about roles and options, and the latest that was answered: 0 before the first."""
    closed: bool = False
    token: int = 0
    seq: int = 0
    holder: UUID | None = None
    state: Mapping[str, Any] | None = None
    tempo: Mapping[str, Any] | None = None
    shown: int = 0
    """The clock of its presence (y-protocols awareness), for clients without a control socket."""
    voice: tuple[UUID, ...] | None = None
    """Who is in the voice room; None while nobody has looked."""
    voice_heard: int = 0

    conductor: Conductor | None = None
    lease_token: int = 0
    """Of the lease this node holds; 0 for none."""
    lease_until: float = 0.0
    """Own monotonic seconds: until then nobody else can have taken it."""
    kept_position: float = 0.0
    hosted: Hosted | None = None
    unfollow: Callable[[], None] | None = None
    """Ends the hearing of edits of its document, while it is led here."""
    edited: bool = False
    claiming: bool = False
    dirty: bool = False
    saving: bool = False
    idle_since: float = 0.0

    guests: dict[UUID, Guest] = field(default_factory=dict)
    pending: dict[tuple[UUID, str], Pending] = field(default_factory=dict)

    def question(self) -> int:
        """The number of a new question about roles and options."""
        self.asked += 1
        return self.asked

    def told(self, question: int, found: Cast) -> bool:
        """The answer to a question. False if a later one was answered already: it knew all of this, or more."""
        if question < self.answered:
            return False
        self.answered = question
        self.roles, self.options = found
        return True

    def leads(self, now: float) -> bool:
        """Whether this node may decide, at its own monotonic second `now`."""
        return self.conductor is not None and now < self.lease_until

    @property
    def ready(self) -> bool:
        """Whether roles and options have ever been told."""
        return self.answered > 0

    @property
    def plays(self) -> bool:
        return self.conductor is not None and self.conductor.state.mode is not Mode.STOPPED

    def newer(self, token: int, seq: int) -> bool:
        """Whether a state of this reign and number comes after the one we know."""
        return (token, seq) > (self.token, self.seq)

    def learn(self, token: int, seq: int, state: Mapping[str, Any], tempo: Mapping[str, Any]) -> None:
        """A newer state: everybody here hears of it."""
        same_tempo = self.tempo is not None and self.tempo.get("rev") == tempo.get("rev")
        self.token, self.seq = token, seq
        self.state, self.tempo = state, tempo
        self._tell(self._state_frame() if same_tempo else self._tempo_frame() + self._state_frame())

    def learn_voice(self, users: tuple[UUID, ...]) -> None:
        """Who is in the voice room now: everybody here hears of it."""
        self.voice = users
        self._tell(frames.text(encoded(voice(users))))

    def introduce(self, line: Line) -> None:
        """Somebody comes in: where things are."""
        if self.state is not None:
            line.write(self._tempo_frame() + self._state_frame())
        if self.voice is not None:
            line.write(frames.text(encoded(voice(self.voice))))

    def round_trip(self) -> float:
        """The slowest follower's, here or elsewhere, in ms."""
        ours = [line.rtt for line in self.lines if line.follows]
        return max((*ours, *(guest.rtt for guest in self.guests.values())), default=0.0)

    def _tell(self, message: bytes) -> None:
        for line in self.lines:
            if line.role is not None:
                line.write(message)

    def _state_frame(self) -> bytes:
        return frames.text(encoded({"t": "transport", **(self.state or {})}))

    def _tempo_frame(self) -> bytes:
        return frames.text(encoded({"t": "tempo", **(self.tempo or {})}))


def payload(told: Mapping[str, Any]) -> bytes:
    """What goes over the bus."""
    return encoded(told)


def of_payload(data: bytes) -> dict[str, Any]:
    """What came over the bus. Raises ValueError."""
    told = json.loads(data)
    if not isinstance(told, dict):
        raise ValueError("not an object")
    return told
