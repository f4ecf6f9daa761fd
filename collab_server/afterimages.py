"""What readers still show that was told to them and is known here no more: lost with its node before it was committed.

Writers bring such work back, or are told that it will not be taken. A reader is asked for nothing, so only its state
vector tells of it. That may as well be news: another node is about to commit it, or its row has not been read yet. So
the reader comes in like everybody; only when it has waited and the room holds every row of the journal is it told to
begin anew. If that was too early, as a node takes long to commit or others bring the work back, it hears of it then.

A stock y-websocket does not begin anew at 4409: from 3.1 on it stays away until its page is loaded again, before that
it comes back with the same. So nobody is told twice of the same: who comes back with it has heard that it is nobody's,
or has written it for themselves, on a device that keeps it, and is let alone.
"""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Final
from uuid import UUID

from collab_server.closing import CloseCode
from collab_server.effects import NOTHING, Effect, Effects, Expel, Recheck, Send
from collab_server.member import Member

AHEAD_MAX: Final = 64
"""Of so many clients of which a reader knows more it is remembered: an honest one has lost the work of a few."""
TOLD_MAX: Final = 1_000
"""So many that were told are remembered; then all are forgotten."""
BEGIN_ANEW: Final = "this shows what nobody saved: begin anew"


class Afterimages:
    """A room's. `known`: how far each client is known here; `bound`: whose each client id is; `shown`: who is present
    under one, "" for nobody; `vector`: the state vector of what is here."""

    def __init__(
        self,
        known: Mapping[int, int],
        bound: Mapping[int, UUID],
        shown: Callable[[int], str],
        vector: Callable[[], bytes],
    ) -> None:
        self._known = known
        self._bound = bound
        self._shown = shown
        self._vector = vector
        self._ahead: dict[Member, dict[int, int]] = {}
        self._due: set[Member] = set()
        """Who of them was here at the last `settle`."""
        self._awaited = False
        self._told: set[tuple[UUID, frozenset[tuple[int, int]]]] = set()
        """Who was told to begin anew, with what they knew."""

    @property
    def remembered(self) -> int:
        """How many clients of how many readers, in all."""
        return sum(len(ahead) for ahead in self._ahead.values())

    def look(self, member: Member, vector: Mapping[int, int]) -> Effects:
        """A member has told what it knows: is it more than what is known here, of a reader?"""
        if member.writes:
            return NOTHING
        ahead = ((client, clock) for client, clock in vector.items() if clock > self._known.get(client, 0))
        first = dict(islice(ahead, AHEAD_MAX))
        if not first or (member.user_id, frozenset(first.items())) in self._told:
            return NOTHING
        if not first.items() <= self._ahead.get(member, {}).items():
            self._due.discard(member)  # that is news, and has to wait like all news
        self._ahead[member] = first
        return self._await()

    def forget(self, member: Member) -> None:
        """A member's connection ended."""
        self._ahead.pop(member, None)

    def settle(self) -> Effects:
        """A while has passed, and the room holds every row: who waited as long begins anew, the others wait on. Who may
        write by now is asked for it."""
        self._awaited = False
        still = [member for member in self._ahead if self._is_ahead(member)]
        effects: list[Effect] = [self._tell(member) for member in still if member in self._due]
        self._ahead = {member: self._ahead[member] for member in still if member not in self._due}
        self._due = set(self._ahead)
        return [*effects, *self._await()]

    def _tell(self, member: Member) -> Effect:
        if member.writes:
            return Send(member, member.dialect.step1(self._vector()))
        if len(self._told) >= TOLD_MAX:
            self._told.clear()
        self._told.add((member.user_id, frozenset(self._ahead[member].items())))
        return Expel(member, CloseCode.EPOCH_CHANGED, BEGIN_ANEW)

    def _await(self) -> Effects:
        if self._awaited or not self._ahead:
            return NOTHING
        self._awaited = True
        return (Recheck(),)

    def _is_ahead(self, member: Member) -> bool:
        """Whether it still knows of others' work that is unknown here."""
        ahead = self._ahead[member]
        return any(clock > self._known.get(c, 0) and not self._is_own(member, c) for c, clock in ahead.items())

    def _is_own(self, member: Member, client: int) -> bool:
        """Whether it is its own work, from before it became a reader: nobody is sent away for that. What it brought of
        it is a draft by now, and with it whatever nobody else is known to have written."""
        owner = self._bound.get(client)
        if owner is not None:
            return owner == member.user_id
        return self._shown(client) == str(member.user_id) or member.unsent is not None
