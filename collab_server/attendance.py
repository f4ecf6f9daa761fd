"""Who is in a room and what they show: what that gives to tell, sans-I/O. Whose word counts is the roster's matter.

Where many move at once, what they show is heard together, when it is to be told: one by one, each would find the
processor's caches filled with something else, which costs far more than the hearing itself.
"""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from collab_server.audience import Audience
from collab_server.effects import NOTHING, PRESENCE_TICK, RENEWAL_TICK, Announce, Effects, Send, offence
from collab_server.gate.awareness import Entry, decode
from collab_server.gate.errors import Malformed, TooLarge
from collab_server.gate.limits import Limits as GateLimits
from collab_server.member import Member
from collab_server.roster import REPEATED_MAX, TOLD_TIMES, Heard, Roster

EVERYDAY_BYTES: Final = 1024
ONE_ENTRY: Final = b"\x01"
"""What is larger or speaks of several is heard when it comes: its author waits for as long as it takes, nobody else."""


class Attendance:
    """A room's. `bound`: whose each client id is; times are seconds of any monotonic clock."""

    def __init__(self, roster: Roster, audience: Audience, bound: Mapping[int, UUID], entry_bytes_max: int) -> None:
        self._roster = roster
        self._audience = audience
        self._bound = bound
        self._gate = GateLimits(
            presence_state_bytes_max=TOLD_TIMES * entry_bytes_max, presence_entries_max=REPEATED_MAX
        )
        self._due = Heard.NOTHING
        """For what a tick was asked for."""
        self._waiting: dict[Member, tuple[bytes, float]] = {}
        """What was shown since news asked for a tick, and when: it is heard no later than there, in this order."""

    def hear(self, member: Member, payload: bytes, now: float) -> Effects:
        """A member's awareness payload."""
        if self._due is not Heard.NEWS:
            return self._hear(member, payload, now)
        earlier = self._waiting.pop(member, None)
        effects = NOTHING if earlier is None else self._hear(member, *earlier)
        if len(payload) > EVERYDAY_BYTES or payload[:1] != ONE_ENTRY:
            return _then(effects, self._hear(member, payload, now))
        self._waiting[member] = payload, now
        return effects

    def ask(self, member: Member) -> Effects:
        """Query awareness: answer with everybody."""
        caught_up, present = self.catch_up(), self._roster.snapshot()
        return _then(caught_up, (Send(member, member.dialect.presence(present)),) if present else NOTHING)

    def hear_node(self, node: UUID, entries: Iterable[Entry], now: float) -> Effects:
        """Another node tells who is with it."""
        return _then(self.catch_up(), self._ask_for_tick(self._roster.hear_node(node, entries, now)))

    def leave(self, owner: Member | UUID) -> Effects:
        """A member is gone, or another node and everybody who was with it."""
        return _then(self.catch_up(), PRESENCE_TICK if self._roster.leave(owner) else NOTHING)

    def restamp(self, member: Member) -> Effects:
        """Somebody's role or credit is another from now on."""
        return _then(self.catch_up(), PRESENCE_TICK if self._roster.restamp(member) else NOTHING)

    def expire(self, before: float) -> Effects:
        """Forget who has not been heard since `before`."""
        return _then(self.catch_up(), PRESENCE_TICK if self._roster.expire(before) else NOTHING)

    def heard_first(self) -> float:
        """When whoever has been silent for longest was heard: infinity while nobody is present."""
        return self._roster.heard_first()

    def tick(self) -> Effects:
        """Tell everybody's newest presence in one frame, and the other nodes what ours said. Whoever has to count on
        hears so first: it would take what it is told of itself for newer than what it shows."""
        try:
            effects = [*self.catch_up()]
        finally:
            self._due = Heard.NOTHING
        behind = [(member, entries) for member, entries in self._roster.behind() if member.lag_vector is None]
        effects += [Send(member, member.dialect.presence(entries)) for member, entries in behind]
        everybody, ours = self._roster.gather()
        if everybody:
            effects += self._audience.spread(everybody)
        if ours:
            effects.append(Announce(ours))
        return effects

    def catch_up(self) -> Effects:
        """Hear what waits: all of it was said before whatever is done next. Its tick was asked for already."""
        if not self._waiting:
            return NOTHING
        waiting, self._waiting = self._waiting, {}
        return [effect for member, (payload, now) in waiting.items() for effect in self._hear(member, payload, now)]

    def _hear(self, member: Member, payload: bytes, now: float) -> Effects:
        try:
            heard = self._roster.hear(member, decode(payload, self._gate), self._bound, now)
        except (Malformed, TooLarge) as error:
            return offence(member, error)
        return self._ask_for_tick(heard)

    def _ask_for_tick(self, heard: Heard) -> Effects:
        if heard <= self._due:
            return NOTHING
        self._due = heard
        return PRESENCE_TICK if heard is Heard.NEWS else RENEWAL_TICK


def _then(first: Effects, second: Effects) -> Effects:
    """Both, in this order."""
    return [*first, *second] if first else second
