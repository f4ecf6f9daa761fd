"""One project's document and the people in it, without I/O: frames' contents go in, effects come out.

The way of an edit: role → size → gate → gap check → client-id binding → gathered; at the tick: applied, repaired,
relayed, pending for the journal; after the commit: acknowledged by its echo. What it leaves to others: sockets, the
clock, the database, the bus (hub.py) and the spelling of frames (dialects/).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from pycrdt import Doc

from collab_server.admission import DOUBTFUL, Admission, Admitted, Gap, OtherLineage, Refusal
from collab_server.closing import CloseCode
from collab_server.dialects.dialect import Dialect
from collab_server.effects import (
    NOTHING,
    PRESENCE_TICK,
    RECORD,
    TICK,
    Announce,
    Deflate,
    Doubt,
    Effect,
    Effects,
    Expel,
    KeepDraft,
    KeepUnsent,
    Relay,
    Send,
    SnapshotFirst,
    Spoil,
    Spread,
    Try,
)
from collab_server.express import Everyday, Lane
from collab_server.gate.awareness import Entry as PresenceEntry
from collab_server.gate.awareness import decode as decode_presence
from collab_server.gate.errors import Malformed, TooLarge
from collab_server.gate.inspection import Inspection
from collab_server.gate.limits import Limits as GateLimits
from collab_server.gate.shape import Shape
from collab_server.gate.vector import inspect_vector
from collab_server.gathered import Run
from collab_server.join_state import EMPTY_VECTOR, JoinState
from collab_server.live_document import LiveDocument
from collab_server.member import Member
from collab_server.pending import Flight, Pending
from collab_server.roster import Roster
from collab_server.settings import Limits
from collab_server.shadow import Shadow, copied
from collab_server.unsent import Unsent
from collab_server.whereabouts import Whereabouts
from collab_server.wire import EMPTY_UPDATE
from persistence.body import Entry
from studio.restriction import Restriction
from studio.roles import Role

COPIED_AT_ONCE_BYTES = 128 * 1024
"""A shadow of so much is made in 4 ms; of more, beside everything else."""

LATER = Refusal(CloseCode.TRY_AGAIN_LATER, "there is no shadow yet")

RESTRICTED = "restricted:"
"""How the reason begins that a restricted editor is told when its work is refused: it has to start afresh."""


LOCKED = "locked:"
"""How the reason begins that somebody is told whose edit on a locked track was undone: what else they did stays."""


class Room:
    """A document, its members and what is not committed yet.

    `document` holds everything up to journal row `head`, plus what is pending. `document_bytes` is an upper bound: the
    sum of what was added, while yrs collects what was deleted.
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
        document_bytes: int,
    ) -> None:
        self.project_id = project_id
        self.epoch = epoch
        self.head = head
        self.limits = limits
        self.gate = GateLimits(presence_state_bytes_max=limits.presence_entry_bytes_max)
        self.members: list[Member] = []
        self.roster = Roster(limits.presence_ids_per_connection_max)
        self.pending = Pending()
        known = inspect_vector(doc.get_state(), GateLimits(vector_clients_max=1_000_000))
        self._whereabouts = Whereabouts(lambda: self.document.applied)
        self.admission = Admission(shape, known, bound, doc.client_id, limits, self._whereabouts)
        self.document = LiveDocument(doc, self.admission, self.pending)
        self.document_bytes = document_bytes
        self.join_state = JoinState()
        self._inbox: list[Run] = []
        self._answers: set[bytes] = set()
        """What came as Step2 since the last tick."""
        self._groups: list[tuple[Dialect, list[Member]]] | None = None
        self._broken = ""
        self._shadow: Shadow | None = None

    # ------------------------------------------------------------------ coming and going

    def join(self, member: Member) -> Effects:
        """Let a member in: it is asked for what it has, and told who is here."""
        self.members.append(member)
        self._groups = None
        dialect = member.dialect
        frames = dialect.welcome(member.role)
        if not dialect.asks_back:
            frames += dialect.step1(self.document.vector())
        present = self.roster.snapshot()
        if present:
            frames += dialect.presence(present)
        return (Send(member, frames),)

    def leave(self, member: Member) -> Effects:
        """A member's connection ended; what it wrote stays."""
        if member in self.members:
            self.members.remove(member)
            self._groups = None
        self.admission.leave(member)
        if self._shadow is not None and all(other.restriction is None for other in self.members):
            self._drop_shadow()
        return PRESENCE_TICK if self.roster.leave(member) else NOTHING

    # ------------------------------------------------------------------ what members say

    def ask(self, member: Member, vector: bytes) -> Effects:
        """Step1: answer with what the member lacks."""
        if member.lag_vector is not None:
            member.late_ask = vector
            return NOTHING
        if not member.asked:
            member.asked = True
            self._groups = None
        back = member.dialect.step1(self.document.vector()) if member.dialect.asks_back else b""
        if vector == EMPTY_VECTOR:
            frames = self.join_state.frames(self.doc, member.dialect, deflated=member.deflates)
            state = self.join_state.to_deflate(member.dialect) if member.deflates else None
            answer = Send(member, frames + back)
            return (answer,) if state is None else (answer, Deflate(member.dialect, state))
        try:
            inspect_vector(vector, self.gate)
        except (Malformed, TooLarge) as error:
            return self._offence(member, error)
        return (Send(member, member.dialect.step2(self.document.diff(vector)) + back),)

    def edit(self, member: Member, update: bytes, *, merge: bool = False, salvage: bool = False) -> Effects:
        """An update; `merge` when it came as Step2, the answer to our Step1: offline work, perhaps of several tabs.

        `salvage`: see Admission.judge.
        """
        if not merge and member.writes and self.document_bytes < self.limits.document_bytes_max:
            everyday = self.admission.everyday(member, update)
            if everyday is not None:
                return self._gather_everyday(member, update, everyday)
        if update == EMPTY_UPDATE:
            return self._nothing_new(member)
        if not member.writes:
            # A reader's Step2 repeats every deletion it knows of: only new structs are an attempt to write.
            quiet = merge and not self.admission.brings_structs(update)
            return self._nothing_new(member) if quiet else [*self._deny(member), *self._keep_unsent(member, update)]
        forbids = None if member.restriction is None else self._trial_of(member.restriction, update, merge)
        full = self._full(update)
        match self.admission.judge(member, update, merge=merge, salvage=salvage, full=full, forbids=forbids):
            case Gap():
                return (Send(member, member.dialect.step1(self.document.vector())),)
            case OtherLineage():
                return (KeepDraft(member, update), Expel(member, CloseCode.EPOCH_CHANGED, "another lineage"))
            case Refusal() as refusal if refusal is LATER:
                return (self._try(member, update, merge),)
            case Refusal(code, reason) if reason == DOUBTFUL:
                return (Doubt(), Expel(member, code, reason))
            case Refusal(code, reason):
                told = (Send(member, member.dialect.denied(reason)),) if reason.startswith(RESTRICTED) else ()
                return (*told, Expel(member, code, reason))
            case Admitted() as admitted:
                return self._gather(member, update, admitted, merge)

    def present(self, member: Member, payload: bytes, now: float) -> Effects:
        """An awareness payload."""
        try:
            entries = decode_presence(payload, self.gate)
        except (Malformed, TooLarge) as error:
            return self._offence(member, error)
        return PRESENCE_TICK if self.roster.hear(member, entries, self.admission.bound, now) else NOTHING

    def ask_presence(self, member: Member) -> Effects:
        """Query awareness: answer with everybody."""
        present = self.roster.snapshot()
        return (Send(member, member.dialect.presence(present)),) if present else NOTHING

    def say(self, member: Member | None, payload: str) -> Effects:
        """A stateless message of a member, or of somebody on another node, for everybody else with such a dialect."""
        told = [(dialect.stateless(payload), members) for dialect, members in self._by_dialect()]
        return [Spread([to for to in members if to is not member], frame) for frame, members in told if frame]

    # ------------------------------------------------------------------ what the hub says

    def tick(self, now_ms: int) -> Effects:
        """Apply what was gathered, repair, and tell everybody: one write a member."""
        inbox, self._inbox = self._inbox, []
        fresh: list[tuple[Member | None, bytes]] = []
        try:
            locked = self.document.locked(now_ms)
            for run in inbox:
                updates = run.joined()
                if run.sound and not locked:
                    self.document.put_aside(run)
                    fresh += [(run.member, update) for update in updates]
                elif run.quiet:
                    fresh += self.document.edit_quietly(run.member, updates, now_ms)
                else:
                    fresh += self.document.edit(run.member, updates, len(run.updates), now_ms)
        except BaseException as error:
            return self._spoiled(error, inbox)
        if self._whereabouts.uncertain:
            self._whereabouts.moved()
        if self._shadow is not None:
            self._shadow.ticked()
        for run in inbox:
            self.pending.acknowledge(run.member, run.updates)
        undone, self.document.undone = self.document.undone, []
        told = [Send(member, member.dialect.undone(f"{LOCKED} {track}")) for member, track in dict.fromkeys(undone)]
        return [*self._tell(fresh), *told] if told else self._tell(fresh)

    def change_role(
        self, member: Member, role: Role, restriction: Restriction | None = None, credited: bool | None = None
    ) -> Effects:
        """A member's role, what it may write of the document, or its credit is another from now on."""
        member.become(role, restriction, credited)
        effects = list(self._deny(member)) if not member.writes else []
        return [*effects, *PRESENCE_TICK] if self.roster.restamp(member) else effects

    def opened(self, shadow: Shadow, doc: "Doc[Any]") -> None:
        """A shadow's document is copied; it may not be wanted any more."""
        if shadow is self._shadow:
            shadow.open(doc)

    def hear_node(self, node: UUID, entries: Iterable[PresenceEntry], now: float) -> Effects:
        """Another node tells who is with it."""
        return PRESENCE_TICK if self.roster.hear_node(node, entries, now) else NOTHING

    def node_left(self, node: UUID) -> Effects:
        """Another node is gone, and everybody who was with it."""
        return PRESENCE_TICK if self.roster.leave(node) else NOTHING

    def expire(self, before: float) -> Effects:
        """Forget who has not been heard since `before`."""
        return PRESENCE_TICK if self.roster.expire(before) else NOTHING

    def grow(self, seq: int, entries: Sequence[Entry], now_ms: int = 0) -> Effects:
        """Journal row `seq`, committed by another process, is applied and told; the caller keeps the rows in order."""
        self.head = max(self.head, seq)
        try:
            grown = self.document.grow(entries, now_ms)
        except BaseException as error:
            return self._spoiled(error, [])
        return self._tell([(None, update) for update in grown])

    def take(self) -> Flight:
        """Everything that waits for the journal, to be committed as one row."""
        try:
            self.document.settle()
        except BaseException as error:
            self._spoiled(error, [])
            self.pending = Pending()  # nobody is told that it was saved
        return self.pending.take(self.project_id, self.epoch, self.head)

    def landed(self, flight: Flight, seq: int | None) -> Effects:
        """The flight is committed (as row `seq`, None when it was only acknowledgements): tell its authors."""
        if seq is not None:
            self.head = max(self.head, seq)
        by_member: dict[Member, list[bytes]] = {}
        for member, updates in flight.acks:
            by_member.setdefault(member, []).extend(updates)
        effects: list[Effect] = [Send(member, member.dialect.saved(updates)) for member, updates in by_member.items()]
        return [*effects, Spoil(self._broken)] if self._broken else effects

    def fell_behind(self, member: Member) -> None:
        """A member reads too slowly: from now on it gets nothing until it has drained."""
        if member.lag_vector is None:
            member.lag_vector = self.document.vector()
            self._groups = None

    def deflated(self, dialect: Dialect, state: bytes, frame: bytes) -> None:
        """The document is compressed for newcomers."""
        self.join_state.keep(dialect, state, frame)

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
        frames = [member.dialect.step2(self.document.diff(member.lag_vector)), *member.late_acks]
        member.lag_vector = None
        self._groups = None
        member.late_acks.clear()
        member.late_bytes = 0
        late_ask, member.late_ask = member.late_ask, None
        answer = self.ask(member, late_ask) if late_ask is not None else NOTHING
        return [Send(member, b"".join(frames)), *answer]

    @property
    def gathering(self) -> bool:
        """Whether edits wait for the next tick."""
        return bool(self._inbox)

    @property
    def trials(self) -> bool:
        """Whether it keeps a shadow, for restricted members' edits."""
        return self._shadow is not None

    @property
    def doc(self) -> "Doc[Any]":
        """The document with everything applied that was told."""
        return self.document.doc

    @property
    def repairer(self) -> int | None:
        """The client id of its repairs, if there were any."""
        return self.document.repairer

    def rest(self) -> None:
        """Some seconds have passed."""
        self.document.rest()
        if self.document.resting:
            self._drop_shadow()

    def gathered_from(self) -> set[Member]:
        """Whose edits wait for the next tick."""
        return {run.member for run in self._inbox}

    def vector(self) -> bytes:
        """The state vector of everything told so far."""
        return self.document.vector()

    def state(self) -> bytes:
        """The whole document, encoded."""
        return self.document.state()

    def close(self) -> None:
        """Let the document go."""
        self._drop_shadow()
        self.document.close()

    # ------------------------------------------------------------------ inside

    def _deny(self, member: Member) -> Effects:
        if member.told_denied:
            return NOTHING
        member.told_denied = True
        return (Send(member, member.dialect.denied(f"role {member.role.value} may not write")),)

    def _keep_unsent(self, member: Member, update: bytes) -> Effects:
        """Work that comes too late is kept, if its author could ever write here: nobody else fills the database."""
        if member.unsent is None:
            if not member.demoted and member.user_id not in self.admission.bound.values():
                return NOTHING
            member.unsent = Unsent()
        if not member.unsent.room_for(update) or not self.admission.readable(update):
            return NOTHING
        due = not member.unsent.fresh
        member.unsent.add(update)
        return (KeepUnsent(member),) if due else NOTHING

    def _nothing_new(self, member: Member) -> Effects:
        answer = member.dialect.nothing_new()
        return (Send(member, answer),) if answer else NOTHING

    def _offence(self, member: Member, error: Malformed | TooLarge) -> Effects:
        code = CloseCode.TOO_LARGE if isinstance(error, TooLarge) else CloseCode.MALFORMED
        return (Expel(member, code, str(error)),)

    def _full(self, update: bytes) -> str:
        """Why nothing may be added any more; "" while there is room."""
        limit = self.limits.document_bytes_max
        if self.document_bytes + len(update) > limit:
            self.document_bytes = len(self.document.state())
            if self.document_bytes + len(update) > limit:
                return "the project is full"
        return "the project has too many entries" if self.document.crowded() else ""

    def _gather(self, member: Member, update: bytes, admitted: Admitted, merge: bool) -> Effects:
        effects: list[Effect] = []
        for client, user in admitted.claimed:
            self.pending.bind(client, user)
        if merge and admitted.structs > self.limits.merge_snapshot_edits_min:
            effects.append(SnapshotFirst(member, self.document.state()))
        if merge:
            self._answers.add(update)
        first = not self._inbox
        self._run_of(member, None, quiet=admitted.quiet).updates.append(update)
        self._whereabouts.may_move()
        if self._shadow is not None and member.restriction is None:  # the others' are there already
            self._feed_shadow(update)
        return [*effects, *TICK] if first else effects

    def _gather_everyday(self, member: Member, update: bytes, everyday: Everyday) -> Effects:
        first = not self._inbox
        run = self._run_of(member, member.lane, sound=everyday.sound)
        run.updates.append(update)
        run.express(everyday)
        if not everyday.sound and run.lane is not None and run.lane.moves:
            self._whereabouts.may_move()
        if self._shadow is not None:
            self._feed_shadow(update)
        return TICK if first else NOTHING

    def _run_of(self, member: Member, lane: Lane | None, *, quiet: bool = False, sound: bool = False) -> Run:
        member.edits += 1
        inbox = self._inbox
        if inbox and inbox[-1].takes(member, lane, quiet=quiet, sound=sound):
            return inbox[-1]
        run = Run(member, lane, quiet=quiet, sound=sound)
        inbox.append(run)
        return run

    def _trial_of(
        self, restriction: Restriction, update: bytes, merge: bool
    ) -> Callable[[Inspection, bool], Refusal | None]:
        """What Admission.judge asks at the end: may a member that is restricted so make this change?"""

        def forbids(seen: Inspection, news: bool) -> Refusal | None:
            if merge and not news and self.document.has_deleted(seen.deletes):  # a client that says again what is known
                return None
            try:
                if self._shadow is None and self.document_bytes <= COPIED_AT_ONCE_BYTES:
                    self._new_shadow().open(copied(self.document.state()))
                if self._shadow is None or not self._shadow.ready:
                    return LATER
                root = self._shadow.judge(update, restriction)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt | SystemExit):
                    raise
                self._shadow = None  # nothing of it can be trusted, its observers neither
                return Refusal(CloseCode.MALFORMED, "the update could not be applied")
            if root:
                self._drop_shadow()
                return Refusal(CloseCode.NOT_ALLOWED, f"{RESTRICTED} {restriction.only.value} only, not {root}")
            return None

        return forbids

    def _try(self, member: Member, update: bytes, merge: bool) -> Try:
        """To be decided when there is a shadow."""
        state = self.document.state() if self._shadow is None else None
        return Try(member, update, merge, self._shadow or self._new_shadow(), state)

    def _new_shadow(self) -> Shadow:
        waiting = [held for run in self._inbox for held in run.updates]
        self._shadow = Shadow(lambda: self.document.applied, waiting)
        return self._shadow

    def _feed_shadow(self, update: bytes) -> None:
        assert self._shadow is not None
        self._shadow.feed(update)
        if self._shadow.overfed:
            self._drop_shadow()

    def _drop_shadow(self) -> None:
        if self._shadow is not None:
            self._shadow.close()
            self._shadow = None

    def _tell(self, fresh: list[tuple[Member | None, bytes]]) -> Effects:
        effects: list[Effect] = []
        for author, update in fresh:
            self.join_state.extend(update)
            self.document_bytes += len(update)
            if author is None:  # what members write was noted when it came
                self._whereabouts.changed()
                if self._shadow is not None:
                    self._feed_shadow(update)
        if fresh:
            for dialect, members in self._by_dialect():
                framed = [(author, self._told(dialect, author, update)) for author, update in fresh]
                effects += _relays(members, framed)
            self._answers.clear()
        if self.pending:
            effects.append(RECORD)
        return effects

    def _told(self, dialect: Dialect, author: Member | None, update: bytes) -> bytes:
        """An edit for the others. Deletions and answers may be the very bytes that one of them has sent as well: told
        as an Update they would read as the acknowledgement of what is not committed yet."""
        if author is not None and (update[:1] == b"\0" or update in self._answers):
            return dialect.step2(update)
        return dialect.update(update)

    def _spoiled(self, error: BaseException, inbox: list[Run]) -> Effects:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise error
        offenders = dict.fromkeys(run.member for run in inbox)
        self._broken = f"{type(error).__name__} while applying an update"
        expelled = [Expel(member, CloseCode.MALFORMED, "the update could not be applied") for member in offenders]
        return [*expelled, Spoil(self._broken)]

    def _by_dialect(self) -> list[tuple[Dialect, list[Member]]]:
        """The members that follow, by dialect."""
        if self._groups is None:
            groups: dict[Dialect, list[Member]] = {}
            for member in self.members:
                if member.follows:
                    groups.setdefault(member.dialect, []).append(member)
            self._groups = list(groups.items())
        return self._groups


def _relays(members: list[Member], framed: list[tuple[Member | None, bytes]]) -> Iterator[Relay]:
    """The same bytes to everybody but the authors; to an author, what the others wrote."""
    authors = {author for author, _ in framed if author is not None}
    audience = [member for member in members if member not in authors]
    if audience:
        yield Relay(audience, b"".join([frame for _, frame in framed]))
    if len(framed) > 1:
        for author in authors:
            others = b"".join([frame for writer, frame in framed if writer is not author])
            if others and author.follows:
                yield Relay((author,), others)
