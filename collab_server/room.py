"""One project's document and the people in it, without I/O: frames' contents go in, effects come out.

The way of an edit: role → size → gate → gap check → client-id binding → gathered; at the tick: applied, repaired,
relayed, pending for the journal; after the commit: acknowledged by its echo. What it leaves to others: sockets, the
clock, the database, the bus (hub.py) and the spelling of frames (dialects/).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from pycrdt import Doc

from collab_server.closing import CloseCode
from collab_server.dialects.dialect import Dialect
from collab_server.effects import (
    NOTHING,
    PRESENCE_TICK,
    TICK,
    Announce,
    Effect,
    Effects,
    Expel,
    KeepDraft,
    Record,
    Relay,
    Send,
    SnapshotFirst,
    Spoil,
    Spread,
)
from collab_server.gate.awareness import Entry as PresenceEntry
from collab_server.gate.awareness import decode as decode_presence
from collab_server.gate.errors import Malformed, TooLarge
from collab_server.gate.inspection import Inspection, missing
from collab_server.gate.limits import Limits as GateLimits
from collab_server.gate.shape import Plan, Shape
from collab_server.gate.update import inspect
from collab_server.gate.vector import inspect_vector
from collab_server.join_state import EMPTY_VECTOR, JoinState
from collab_server.member import Member
from collab_server.pending import Flight, Pending
from collab_server.roster import Roster
from collab_server.settings import Limits
from collab_server.wire import EMPTY_UPDATE
from persistence.body import Entry
from studio.repair import Census, Firsts, Stamp, repair_update
from studio.roles import Role
from studio.schema import ROOT_NAMES, SERVER_ROOTS
from studio.watch import Touched, watch

SEED_CLIENT = 1
"""The client id of the server's own edits under the document's row lock; nobody else may write with it."""

_Gathered = tuple[Member, bytes, bool]
"""Author, update, and whether it brings no new structs."""

TRUSTED = GateLimits(update_bytes_max=1 << 30, clients_max=1_000_000, structs_max=1 << 30, delete_ranges_max=1 << 30)


class Room:
    """A document, its members and what is not committed yet.

    `doc` holds everything up to journal row `head`, plus what is pending. Its client id is that of repairs: a fresh one
    at every load, so that a repair lost in a crash can never come back with other content under the same clock.
    """

    def __init__(
        self,
        project_id: UUID,
        epoch: int,
        head: int,
        doc: "Doc[Any]",
        shape: Shape,
        bound: dict[int, UUID],
        limits: Limits,
    ) -> None:
        self.project_id = project_id
        self.epoch = epoch
        self.head = head
        self.doc = doc
        self.shape = shape
        self.bound = bound
        self.limits = limits
        self.gate = GateLimits(
            update_bytes_max=limits.update_bytes_max, presence_state_bytes_max=limits.presence_entry_bytes_max
        )
        self.members: list[Member] = []
        self.roster = Roster(limits.presence_ids_per_connection_max)
        self.pending = Pending()
        self.known: dict[int, int] = inspect_vector(doc.get_state(), GateLimits(vector_clients_max=1_000_000))
        self.document_bytes = len(doc.get_update(EMPTY_VECTOR))
        self.firsts = Firsts.of(doc)
        self._census = Census.of(doc)
        self.join_state = JoinState()
        self._inbox: list[_Gathered] = []
        self._holders: dict[int, Member] = {}
        self._touched: list[Touched] = []
        self._watch = watch(doc, self._touched.append)
        self._mend_all()

    # ------------------------------------------------------------------ coming and going

    def join(self, member: Member) -> Effects:
        """Let a member in: it is asked for what it has, and told who is here."""
        self.members.append(member)
        frames = member.dialect.step1(self.doc.get_state())
        present = self.roster.snapshot()
        if present:
            frames += member.dialect.presence(present)
        return (Send(member, frames),)

    def leave(self, member: Member) -> Effects:
        """A member's connection ended; what it wrote stays."""
        if member in self.members:
            self.members.remove(member)
        for client in [client for client, holder in self._holders.items() if holder is member]:
            del self._holders[client]
        return PRESENCE_TICK if self.roster.leave(member) else NOTHING

    # ------------------------------------------------------------------ what members say

    def ask(self, member: Member, vector: bytes) -> Effects:
        """Step1: answer with what the member lacks."""
        if vector == EMPTY_VECTOR:
            return (Send(member, self.join_state.frames(self.doc, member.dialect)),)
        try:
            inspect_vector(vector, self.gate)
        except (Malformed, TooLarge) as error:
            return self._offence(member, error)
        return (Send(member, member.dialect.step2(self.doc.get_update(vector))),)

    def edit(self, member: Member, update: bytes, *, merge: bool = False) -> Effects:
        """An update; `merge` when it came as Step2, the answer to our Step1: offline work, perhaps of several tabs."""
        if update == EMPTY_UPDATE:
            return NOTHING
        if not member.writes:
            return self._deny(member)
        try:
            seen = inspect(update, self.gate)
        except (Malformed, TooLarge) as error:
            return self._offence(member, error)
        if seen.roots and not seen.roots.isdisjoint(SERVER_ROOTS) and merge and self._brings_news(seen):
            return (KeepDraft(member, update), Expel(member, CloseCode.EPOCH_CHANGED, "another lineage"))
        if missing(seen, self.known):
            return (Send(member, member.dialect.step1(self.doc.get_state())),)
        try:
            plan = self.shape.plan(seen)
        except Malformed as error:
            return self._offence(member, error)
        refusal = self._refusal(member, seen, plan, len(update), merge)
        if refusal is not None:
            return (refusal,)
        self.shape.learn(plan)
        return self._gather(member, update, seen, merge)

    def present(self, member: Member, payload: bytes, now: float) -> Effects:
        """An awareness payload."""
        try:
            entries = decode_presence(payload, self.gate)
        except (Malformed, TooLarge) as error:
            return self._offence(member, error)
        return PRESENCE_TICK if self.roster.hear(member, entries, self.bound, now) else NOTHING

    def ask_presence(self, member: Member) -> Effects:
        """Query awareness: answer with everybody."""
        present = self.roster.snapshot()
        return (Send(member, member.dialect.presence(present)),) if present else NOTHING

    # ------------------------------------------------------------------ what the hub says

    def tick(self, now_ms: int) -> Effects:
        """Apply what was gathered, repair, and tell everybody: one frame an edit, one write a member."""
        inbox, self._inbox = self._inbox, []
        fresh: list[tuple[Member | None, bytes]] = []
        try:
            for (member, quiet), run in groupby(inbox, _by_author):
                updates = [update for _, update, _ in run]
                fresh += self._run(member, updates, now_ms, quiet=quiet)
        except BaseException as error:
            return self._spoiled(error, inbox)
        return self._tell(inbox, fresh)

    def change_role(self, member: Member, role: Role) -> Effects:
        """A member's role is another from now on."""
        member.become(role)
        effects = list(self._deny(member)) if not member.writes else []
        return [*effects, *PRESENCE_TICK] if self.roster.restamp(member) else effects

    def hear_node(self, node: UUID, entries: Iterable[PresenceEntry], now: float) -> Effects:
        """Another node tells who is with it."""
        return PRESENCE_TICK if self.roster.hear_node(node, entries, now) else NOTHING

    def node_left(self, node: UUID) -> Effects:
        """Another node is gone, and everybody who was with it."""
        return PRESENCE_TICK if self.roster.leave(node) else NOTHING

    def expire(self, before: float) -> Effects:
        """Forget who has not been heard since `before`."""
        return PRESENCE_TICK if self.roster.expire(before) else NOTHING

    def grow(self, seq: int, entries: Sequence[Entry]) -> Effects:
        """Journal row `seq`, committed by another process, is applied and told; the caller keeps the rows in order."""
        self.head = max(self.head, seq)
        updates = [entry.update for entry in entries]
        try:
            self._apply(updates)
            for update in updates:
                self._own(update)
            self.firsts.accept(self.doc, self._taken())
        except BaseException as error:
            return self._spoiled(error, [])
        return self._tell([], [(None, update) for update in updates])

    def take(self) -> Flight:
        """Everything that waits for the journal, to be committed as one row."""
        return self.pending.take(self.project_id, self.epoch)

    def landed(self, flight: Flight, seq: int | None) -> Effects:
        """The flight is committed (as row `seq`, None when it was only acknowledgements): tell its authors."""
        if seq is not None:
            self.head = max(self.head, seq)
        by_member: dict[Member, list[bytes]] = {}
        for member, frame in flight.acks:
            by_member.setdefault(member, []).append(frame)
        return [Send(member, b"".join(frames)) for member, frames in by_member.items()]

    def presence_tick(self) -> Effects:
        """Tell everybody's newest presence in one frame, and the other nodes what ours said."""
        everybody, ours = self.roster.gather()
        effects: list[Effect] = [
            Spread(members, dialect.presence(everybody)) for dialect, members in self._by_dialect() if everybody
        ]
        if ours:
            effects.append(Announce(ours))
        return effects

    def keep_alive(self, entries: bytes) -> Effects:
        """Something for everybody: y-websocket hangs up after 30 s of silence."""
        return [Spread(members, dialect.presence(entries)) for dialect, members in self._by_dialect()]

    def resync(self, member: Member) -> Effects:
        """A slow reader has drained: one diff from where it was left, then its own late acknowledgements."""
        if member.lag_vector is None:
            return NOTHING
        diff = self.doc.get_update(member.lag_vector)
        member.lag_vector = None
        frames = b"".join((member.dialect.update(diff), *member.late_acks))
        member.late_acks.clear()
        member.late_bytes = 0
        return (Send(member, frames),)

    @property
    def gathering(self) -> bool:
        """Whether edits wait for the next tick."""
        return bool(self._inbox)

    def vector(self) -> bytes:
        """The state vector of everything told so far."""
        return self.doc.get_state()

    def state(self) -> bytes:
        """The whole document, encoded."""
        return self.doc.get_update(EMPTY_VECTOR)

    def close(self) -> None:
        """Let the document go: an observer that is never removed pins it."""
        self._watch.close()

    # ------------------------------------------------------------------ inside

    def _mend_all(self) -> None:
        """What an older server let pass is repaired at load."""
        _, mended = repair_update(self.doc, None, self.firsts)
        if mended:
            self._own(mended)
            self.pending.add(None, "repair", [mended], self._taken())
            self.join_state.forget()

    def _deny(self, member: Member) -> Effects:
        if member.told_denied:
            return NOTHING
        member.told_denied = True
        return (Send(member, member.dialect.denied(f"role {member.role.value} may not write")),)

    def _offence(self, member: Member, error: Malformed | TooLarge) -> Effects:
        code = CloseCode.TOO_LARGE if isinstance(error, TooLarge) else CloseCode.MALFORMED
        return (Expel(member, code, str(error)),)

    def _brings_news(self, seen: Inspection) -> bool:
        return any(end > self.known.get(client, 0) for client, _, end in seen.ranges)

    def _refusal(self, member: Member, seen: Inspection, plan: Plan, size: int, merge: bool) -> Expel | None:
        known, bound = self.known, self.bound
        for client, start, end in seen.ranges:
            before = known.get(client, 0)
            if end > before:
                owner = bound.get(client)
                if owner is None:
                    if before or client in (SEED_CLIENT, self.doc.client_id):
                        return Expel(member, CloseCode.NOT_ALLOWED, "client id is reserved")
                elif owner != member.user_id:
                    return Expel(member, CloseCode.NOT_ALLOWED, "client id belongs to somebody else: pick a new one")
            if start < before and not merge:
                holder = self._holders.get(client)
                if holder is not None and holder is not member:
                    return Expel(member, CloseCode.NOT_ALLOWED, "client id is in use: pick a new one")
        if not plan.roots <= ROOT_NAMES:
            return Expel(member, CloseCode.NOT_ALLOWED, "unknown root")
        if not plan.roots.isdisjoint(SERVER_ROOTS):
            return Expel(member, CloseCode.NOT_ALLOWED, "only the server writes this root")
        if seen.roots and self._brings_news(seen) and self._census.over(self.doc):
            return Expel(member, CloseCode.TOO_LARGE, "the project has too many entries")
        if seen.ranges and self.document_bytes + size > self.limits.document_bytes_max and self._over_limit(size):
            return Expel(member, CloseCode.TOO_LARGE, "the project is full")
        return None

    def _over_limit(self, size: int) -> bool:
        self.document_bytes = len(self.state())
        return self.document_bytes + size > self.limits.document_bytes_max

    def _gather(self, member: Member, update: bytes, seen: Inspection, merge: bool) -> Effects:
        effects: list[Effect] = []
        known = self.known
        quiet = True
        for client, start, end in seen.ranges:
            if end > known.get(client, 0):
                quiet = False
                if client not in self.bound:
                    self.bound[client] = member.user_id
                    self.pending.bind(client, member.user_id)
                if merge and end - start > self.limits.merge_snapshot_edits_min and not effects:
                    effects.append(SnapshotFirst(member, self.state()))
                known[client] = end
            if not merge:
                self._holders[client] = member
        member.edits += 1
        first = not self._inbox
        self._inbox.append((member, update, quiet))
        if effects:
            return [*effects, *TICK] if first else effects
        return TICK if first else NOTHING

    def _run(
        self, member: Member, updates: list[bytes], now_ms: int, *, quiet: bool
    ) -> list[tuple[Member | None, bytes]]:
        """Apply one author's consecutive updates and repair what they broke, before anybody hears of them."""
        if quiet:
            updates = [update for update in updates if self._changes(update)]
            if not updates:
                return []
        else:
            self._apply(updates)
        touched = self._taken()
        self.pending.add(member.user_id, "edit", updates, touched)
        told: list[tuple[Member | None, bytes]] = [(member, update) for update in updates]
        _, mended = repair_update(self.doc, touched, self.firsts, Stamp(str(member.user_id), now_ms))
        if mended:
            self._own(mended)
            self.pending.add(None, "repair", [mended], self._taken())
            told.append((None, mended))
        return told

    def _apply(self, updates: Iterable[bytes]) -> None:
        apply = self.doc.apply_update
        with self.doc.transaction():
            for update in updates:
                apply(update)

    def _changes(self, update: bytes) -> bool:
        """Apply an update that brings no new structs; whether its deletions were news."""
        before = len(self._touched)
        self._apply((update,))
        return len(self._touched) > before

    def _taken(self) -> list[Touched]:
        touched = self._touched[:]
        self._touched.clear()
        self._census.note(touched)
        return touched

    def _own(self, update: bytes) -> None:
        """An update of the server's own: its clocks and places are known from now on."""
        found = inspect(update, TRUSTED)
        self.shape.learn(self.shape.plan(found))
        for client, _, end in found.ranges:
            if end > self.known.get(client, 0):
                self.known[client] = end

    def _tell(self, inbox: list[_Gathered], fresh: list[tuple[Member | None, bytes]]) -> Effects:
        effects: list[Effect] = []
        for _, update in fresh:
            self.join_state.extend(update)
            self.document_bytes += len(update)
        authors = {author for author, _ in fresh if author is not None}
        for dialect, members in self._by_dialect():
            framed = [(author, dialect.update(update)) for author, update in fresh]
            if framed:
                effects += _relays(members, authors, framed)
        for member, update, _ in inbox:
            self.pending.acknowledge(member, member.dialect.update(update))
        if self.pending:
            effects.append(Record())
        return effects

    def _spoiled(self, error: BaseException, inbox: list[_Gathered]) -> Effects:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise error
        offenders = dict.fromkeys(member for member, _, _ in inbox)
        reason = f"{type(error).__name__} while applying an update"
        return [*(Expel(m, CloseCode.MALFORMED, "the update could not be applied") for m in offenders), Spoil(reason)]

    def _by_dialect(self) -> list[tuple[Dialect, list[Member]]]:
        """The members that keep up, by dialect."""
        groups: dict[Dialect, list[Member]] = {}
        for member in self.members:
            if member.lag_vector is None:
                groups.setdefault(member.dialect, []).append(member)
        return list(groups.items())


def _relays(members: list[Member], authors: set[Member], framed: list[tuple[Member | None, bytes]]) -> Iterator[Relay]:
    """The same bytes to everybody but the authors; to an author, what the others wrote."""
    audience = [member for member in members if member not in authors]
    if audience:
        yield Relay(audience, b"".join(frame for _, frame in framed))
    if len(framed) > 1:
        for author in authors:
            others = b"".join(frame for writer, frame in framed if writer is not author)
            if others and author in members:
                yield Relay((author,), others)


def _by_author(item: _Gathered) -> tuple[Member, bool]:
    return item[0], item[2]
