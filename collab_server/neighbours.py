"""The other nodes that have a project open: what they are told of it, and when each was heard last."""

from collections.abc import Mapping
from uuid import UUID

from collab_server.gate.awareness import EMPTY_PRESENCE
from presence.bus import Bus
from presence.events import Grew, PresenceSpread, PresenceWanted, Said


class Neighbours:
    """Of one project, as far as heard. While there are none, nothing is sent but the question who is there."""

    __slots__ = ("_bus", "_heard_at", "_node_id", "_project_id")

    def __init__(self, bus: Bus, node_id: UUID, project_id: UUID) -> None:
        self._bus = bus
        self._node_id = node_id
        self._project_id = project_id
        self._heard_at: dict[UUID, float] = {}

    def __len__(self) -> int:
        return len(self._heard_at)

    @property
    def heard_at(self) -> Mapping[UUID, float]:
        """By node, in seconds of the event loop."""
        return self._heard_at

    def heard(self, node: UUID, now: float) -> bool:
        """A node has spoken: True if it is the first time."""
        first = node not in self._heard_at
        self._heard_at[node] = now
        return first

    def gone(self, node: UUID) -> None:
        """A node has left."""
        self._heard_at.pop(node, None)

    def ask(self) -> None:
        """Ask who is there, and who is with them: those that are there answer."""
        self._bus.publish(PresenceWanted(self._project_id, self._node_id))

    def present(self, entries: bytes) -> None:
        """Tell our members' presence, an awareness payload; an empty one says that we are there, with nobody."""
        if self._heard_at:
            self._bus.publish(PresenceSpread(self._project_id, self._node_id, entries or EMPTY_PRESENCE))

    def say(self, payload: str) -> None:
        """Tell a stateless message."""
        if self._heard_at:
            self._bus.publish(Said(self._project_id, self._node_id, payload.encode()))

    def grew(self, epoch: int, seq: int, body: bytes) -> None:
        """Row `seq` of the journal is committed; without a body it is only said how far we are."""
        if self._heard_at:
            self._bus.publish(Grew(self._project_id, epoch, seq, body))
