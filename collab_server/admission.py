"""May this update in? Every check between a member's role and the document, on what is known beside yrs.

The gate's reading, the gap check, the shape, the client-id binding, the roots, the size: whatever is refused has
changed nothing. What is admitted is known from then on, before it is applied.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from collab_server.closing import CloseCode
from collab_server.express import Everyday, Lane, Narrowed
from collab_server.gate.contents import STRING
from collab_server.gate.deletions import Deletion
from collab_server.gate.errors import Malformed, TooLarge
from collab_server.gate.inspection import Inspection, missing, news
from collab_server.gate.limits import TRUSTED
from collab_server.gate.limits import Limits as GateLimits
from collab_server.gate.shape import Plan, Shape
from collab_server.gate.update import inspect
from collab_server.member import Member
from collab_server.settings import Limits
from collab_server.whereabouts import Whereabouts
from studio.schema import ROOT_NAMES, SERVER_ROOTS

SEED_CLIENT = 1
"""The client id of the server's own edits under the document's row lock; nobody else may write with it."""

NOBODY = UUID(int=0)
"""Whom the server's own client ids belong to."""


class Admitted(NamedTuple):
    """`quiet`: no new structs, so only its deletions can be news. `structs`: how many clocks are new."""

    quiet: bool
    claimed: list[tuple[int, UUID]]
    structs: int


@dataclass(frozen=True, slots=True)
class Gap:
    """The update leans on something unknown: ask for everything."""


@dataclass(frozen=True, slots=True)
class OtherLineage:
    """The update is of another document: a restored or rebuilt one has other ancestors."""


@dataclass(frozen=True, slots=True)
class Doubtful:
    """It is work of somebody else that is unknown here from this client's clock on. That is no verdict yet."""

    client: int
    clock: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """The member has to go."""

    code: CloseCode
    reason: str


class Admission:
    """What is known of a document beside yrs: clocks, places, and whose client ids are whose."""

    def __init__(
        self,
        shape: Shape,
        known: dict[int, int],
        bound: dict[int, UUID],
        own: int,
        limits: Limits,
        whereabouts: Whereabouts,
        shown: Callable[[int], str],
    ) -> None:
        """`shown`: the user who is present under a client id and may write, "" for nobody."""
        self.bound = bound
        self.whereabouts = whereabouts
        self.known = known
        self._shape = shape
        self._shown = shown
        self._own = own
        self._ours = frozenset((SEED_CLIENT, own))
        self._servers: set[int] = set()
        """Client ids of other servers' repairs."""
        self.strangers: set[int] = set()
        """Client ids of people who write through other processes, until it is known whose they are."""
        self._gate = GateLimits(update_bytes_max=limits.update_bytes_max, structs_max=limits.update_structs_max)
        self._holders: dict[int, Member] = {}

    def everyday(self, member: Member, update: bytes) -> Everyday | None:
        """The short way in, for what a member writes again and again; None: take `judge`."""
        lane = member.lane
        if lane is None:
            return None
        narrowed = None if member.restriction is None else Narrowed(member.restriction, self.whereabouts)
        everyday = lane.read(update, self._shape, narrowed)
        if everyday is not None:
            self.known[lane.client] = everyday.clock + 1
        return everyday

    def judge(
        self,
        member: Member,
        update: bytes,
        *,
        merge: bool,
        salvage: bool = False,
        full: str = "",
        deleted: Callable[[Sequence[Deletion]], bool],
        forbids: "Callable[[Inspection, bool], Refusal | None] | None" = None,
    ) -> Admitted | Gap | OtherLineage | Doubtful | Refusal:
        """Read the update and admit it, or say why not. `merge`: it is the answer to our Step1.

        `salvage`: what was told but not committed may have been lost; then a merge may bring it back for its absent
        author. `full`: why the document takes no more; then only what adds no entry and no text is welcome, such as
        marking as deleted. `deleted` tells whether all of these are, in the document as it is. `forbids` has the last
        word, on what was read and whether any struct of it is new. Raises StoredMalformed.
        """
        try:
            seen = inspect(update, self._gate)
            if (
                merge
                and not seen.roots.isdisjoint(SERVER_ROOTS)
                and (news(seen, self.known) or not deleted(seen.deletes))
            ):
                return OtherLineage()
            if missing(seen, self.known):
                return Gap()
            plan = self._shape.plan(seen, self._gate.work_max)
            if plan.gone and not deleted([(client, clock, 1) for client, clock in plan.gone]):
                raise Malformed("known part collected")
        except Malformed as malformed:
            return Refusal(CloseCode.MALFORMED, malformed.reason)
        except TooLarge as too_large:
            return Refusal(CloseCode.TOO_LARGE, str(too_large))
        refusal = self._wrong_client(member, seen, merge, merge and salvage) or self._wrong_root(plan)
        if refusal is None and full and _adds(seen) and news(seen, self.known):
            refusal = Refusal(CloseCode.TOO_LARGE, full)
        if refusal is None and forbids is not None:
            refusal = forbids(seen, bool(news(seen, self.known)))
        if refusal is not None:
            return refusal
        self._shape.learn(plan)
        return self._admit(member, seen, merge, merge and salvage)

    def brings_news(self, update: bytes, deleted: Callable[[Sequence[Deletion]], bool]) -> bool:
        """Whether an update that will not be applied holds any struct or deletion that is not known, or bytes that
        can't be read."""
        try:
            seen = inspect(update, self._gate)
        except (Malformed, TooLarge):
            return True
        return bool(news(seen, self.known)) or not deleted(seen.deletes)

    def readable(self, update: bytes) -> bool:
        """Whether an update that will not be applied can be read to its end."""
        try:
            inspect(update, self._gate)
        except (Malformed, TooLarge):
            return False
        return True

    def own(self, update: bytes, *, reserve: bool = False) -> None:
        """An update of the server's own, or of another process that admitted it; `reserve` its client ids."""
        seen = inspect(update, TRUSTED)
        clients = {client for client, _, _ in seen.ranges}
        if reserve:
            self._servers |= clients
        else:
            self.strangers |= clients - self.bound.keys()
        self._shape.learn(self._shape.plan(seen))
        for client, _, end in seen.ranges:
            if end > self.known.get(client, 0):
                self.known[client] = end

    def introduce(self, owners: Mapping[int, UUID]) -> None:
        """Whose client ids the strangers are; one that nobody has claimed yet stays free."""
        self.bound.update({client: owners[client] for client in self.strangers if client in owners})
        self.strangers.clear()

    def reserve(self, client: int) -> None:
        """A client id of this server's own: nobody may write with it, now or later."""
        self.bound[client] = NOBODY

    def leave(self, member: Member) -> None:
        """A member's connection ended: it holds no client id any more."""
        member.lane = None
        for client in [client for client, holder in self._holders.items() if holder is member]:
            del self._holders[client]

    def _wrong_client(self, member: Member, seen: Inspection, merge: bool, salvage: bool) -> Refusal | Doubtful | None:
        """Two that write under one client id diverge for ever, so the second has to go.

        A stock client that loads its own store after connecting says everything again, of all authors and the server:
        that is no second writer.
        """
        alone = len(seen.ranges) == 1
        for client, start, end in seen.ranges:
            before = self.known.get(client, 0)
            holder = self._holders.get(client, member)
            if end > before:
                reserved = client in self._ours or (client in self._servers and not salvage)
                # An author who is here brings back lost work without help: from anybody else it is a forgery.
                if reserved or not (holder.user_id == member.user_id if salvage else self._may_claim(client, member)):
                    return self._foreign(client, before, merge, reserved)
            if start < before and not merge and holder is not member and (end > before or alone):
                return Refusal(CloseCode.NOT_ALLOWED, "client id is in use: pick a new one")
        return None

    def _may_claim(self, client: int, member: Member) -> bool:
        """A client id is whose who wrote with it first; before, it is whose who is here with it and may write."""
        owner = self.bound.get(client)
        if owner is not None:
            return owner == member.user_id
        return self._shown(client) in ("", str(member.user_id))

    def _foreign(self, client: int, clock: int, merge: bool, reserved: bool) -> Refusal | Doubtful:
        """Somebody writes with a client id that is another's. Whoever comes from another node may have heard there what
        is not committed yet, or never will be, as that node is gone: that is found out by coming back. While its author
        is here, only the author brings it."""
        if merge and client != self._own:
            return Doubtful(client, clock)
        reason = "client id is reserved" if reserved else "client id belongs to somebody else: pick a new one"
        return Refusal(CloseCode.NOT_ALLOWED, reason)

    def _wrong_root(self, plan: Plan) -> Refusal | None:
        if not plan.roots <= ROOT_NAMES:
            return Refusal(CloseCode.NOT_ALLOWED, "unknown root")
        if not plan.roots.isdisjoint(SERVER_ROOTS):
            return Refusal(CloseCode.NOT_ALLOWED, "only the server writes this root")
        return None

    def _admit(self, member: Member, seen: Inspection, merge: bool, salvage: bool) -> Admitted:
        claimed: list[tuple[int, UUID]] = []
        structs = 0
        for client, _, end in seen.ranges:
            before = self.known.get(client, 0)
            if end > before:
                structs += end - before
                self.known[client] = end
                if not merge and client not in self.bound:  # what is brought back may be somebody else's
                    self.bound[client] = member.user_id
                    claimed.append((client, member.user_id))
                if not merge:
                    self._hold(client, member)
        return Admitted(structs == 0, claimed, structs)

    def _hold(self, client: int, member: Member) -> None:
        """`member` writes with this client id now; whoever did before has to take the long way again."""
        before = self._holders.get(client)
        if before is not member:
            self._holders[client] = member
            member.lane = Lane(client)
            if before is not None:
                before.lane = None


def _adds(seen: Inspection) -> bool:
    """Whether the document grows by it: entries do, and texts; a value takes the place of another."""
    return bool(seen.roots) or any(place[3] == STRING for place in seen.places)
