"""One project's document and the people in it, without I/O: frames' contents go in, effects come out.

The way of an edit: judged and gathered (intake.py); at the tick: applied, repaired, relayed, pending for the journal;
after the commit: acknowledged by its echo. What it leaves to others: sockets, the
clock, the database, the bus (hub.py) and the spelling of frames (dialects/).
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from pycrdt import Doc

from collab_server.admission import SEED_CLIENT, Admission
from collab_server.afterimages import Afterimages
from collab_server.attendance import Attendance
from collab_server.audience import Audience, News
from collab_server.closing import CloseCode
from collab_server.effects import (
    NOTHING,
    RECORD,
    Deflate,
    Effect,
    Effects,
    Expel,
    Saved,
    Send,
    Spoil,
    offence,
)
from collab_server.extent import Extent
from collab_server.gate.errors import Malformed, StoredMalformed, TooLarge
from collab_server.gate.limits import Limits as GateLimits
from collab_server.gate.shape import Shape
from collab_server.gate.vector import inspect_vector
from collab_server.gathered import Inbox, Run
from collab_server.intake import Intake
from collab_server.join_state import EMPTY_VECTOR, JoinState
from collab_server.live_document import LiveDocument
from collab_server.loss import Loss
from collab_server.member import Member
from collab_server.pending import Flight, Pending
from collab_server.resting import ROUNDS
from collab_server.roster import Roster
from collab_server.settings import Limits
from collab_server.trials import Trials
from collab_server.whereabouts import Whereabouts
from persistence.body import Entry
from studio.restriction import Restriction
from studio.roles import Role

VECTOR = GateLimits()
"""What a state vector may be."""

LOCKED = "locked:"
"""How the reason begins that somebody is told whose edit on a locked track was undone: what else they did stays."""


class Room:
    """A document, its members and what is not committed yet.

    `document` holds everything up to journal row `head`, plus what is pending.
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
        self.audience = Audience()
        self.roster = Roster(
            limits.presence_ids_per_connection_max,
            frozenset({SEED_CLIENT, doc.client_id}),
            limits.presence_entry_bytes_max,
        )
        self.pending = Pending()
        known = inspect_vector(doc.get_state(), GateLimits(vector_clients_max=1_000_000))
        self._whereabouts = Whereabouts()
        self.admission = Admission(shape, known, bound, doc.client_id, limits, self._whereabouts, self.roster.author)
        self.document = LiveDocument(doc, self.admission, self.pending)
        self._whereabouts.look_at(self.document)
        self._extent = Extent(document_bytes, self.document.state)
        self.join_state = JoinState()
        self.inbox = Inbox()
        self.trials = Trials(self.document, self.inbox.updates)
        self._intake = Intake(
            document=self.document,
            admission=self.admission,
            trials=self.trials,
            inbox=self.inbox,
            pending=self.pending,
            audience=self.audience,
            whereabouts=self._whereabouts,
            extent=self._extent,
            limits=limits,
        )
        self.afterimages = Afterimages(known, bound, self.roster.person, self.document.vector)
        self.attendance = Attendance(self.roster, self.audience, bound, limits.presence_entry_bytes_max)
        self._broken = ""

    # ------------------------------------------------------------------ coming and going

    def join(self, member: Member) -> Effects:
        """Let a member in: it is asked for what it has, and told who is here."""
        self.audience.add(member)
        dialect = member.dialect
        frames = dialect.welcome(member.role)
        if not dialect.asks_back:
            frames += dialect.step1(self.document.vector())
        caught_up, present = self.attendance.catch_up(), self.roster.snapshot()
        if present and member.lag_vector is None:
            frames += dialect.presence(present)
        return (*caught_up, Send(member, frames))

    def leave(self, member: Member) -> Effects:
        """A member's connection ended; what it wrote stays."""
        self.audience.remove(member)
        self.admission.leave(member)
        self.afterimages.forget(member)
        if self.trials.running and all(other.restriction is None for other in self.members):
            self.trials.end()
        return self.attendance.leave(member)

    # ------------------------------------------------------------------ what members say

    def ask(self, member: Member, vector: bytes) -> Effects:
        """Step1: answer with what the member lacks."""
        if member.lag_vector is not None:
            member.late_ask = vector
            return NOTHING
        if not member.asked:
            member.asked = True
            self.audience.changed()
        back = member.dialect.step1(self.document.vector()) if member.dialect.asks_back else b""
        if vector == EMPTY_VECTOR:
            frames = self.join_state.frames(self.document.state, member.dialect, deflated=member.deflates)
            state = self.join_state.to_deflate(member.dialect) if member.deflates else None
            answer = Send(member, frames + back)
            return (answer,) if state is None else (answer, Deflate(member.dialect, state))
        try:
            known = inspect_vector(vector, VECTOR)
        except (Malformed, TooLarge) as error:
            return offence(member, error)
        answer = Send(member, member.dialect.step2(self.document.diff(vector)) + back)
        return (answer, *self.afterimages.look(member, known))

    def edit(
        self, member: Member, update: bytes, *, merge: bool = False, loss: Loss = Loss.UNKNOWN, now: float = 0.0
    ) -> Effects:
        """An update; `merge` when it came as Step2, the answer to our Step1: offline work, perhaps of several tabs.

        `loss`: whether others' work that nobody knows here may be what was lost; `now`: seconds of any monotonic clock.
        Both matter for a merge alone.
        """
        try:
            return self._intake.edit(member, update, merge=merge, loss=loss, now=now)
        except StoredMalformed as error:
            return self._spoiled(error, [])

    # ------------------------------------------------------------------ what the hub says

    def tick(self, now_ms: int) -> Effects:
        """Apply what was gathered, repair, and tell everybody: one write a member."""
        inbox = self.inbox.take()
        fresh: News = []
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
        self.trials.ticked()
        for run in inbox:
            self.pending.acknowledge(run.member, run.updates)
        effects = self._tell(fresh)
        self.audience.ticked()
        if self.document.undone:
            undone, self.document.undone = self.document.undone, []
            for member, track in dict.fromkeys(undone):
                effects.append(Send(member, member.dialect.undone(f"{LOCKED} {track}")))
        return effects

    def change_role(
        self, member: Member, role: Role, restriction: Restriction | None = None, credited: bool | None = None
    ) -> Effects:
        """A member's role, what it may write of the document, or its credit is another from now on."""
        wrote = member.writes
        member.become(role, restriction, credited)
        denied = self._intake.deny(member) if wrote and not member.writes else NOTHING
        return [*denied, *self.attendance.restamp(member)]

    def settle(self) -> Effects:
        """Some readers know of more than is known here, a while has passed, and no row is missing."""
        return self.afterimages.settle()

    def grow(self, seq: int, entries: Sequence[Entry], now_ms: int = 0) -> Effects:
        """Journal row `seq`, committed by another process, is applied and told; the caller keeps the rows in order."""
        try:
            grown = self.document.grow(entries, now_ms)
        except BaseException as error:
            return self._spoiled(error, [])
        self.head = max(self.head, seq)
        return self._tell([(None, update) for update in grown])

    def take(self) -> Flight:
        """Everything that waits for the journal, to be committed as one row."""
        try:
            self.document.settle()
        except BaseException as error:
            self._spoiled(error, [])
            self.pending.forget()
        return self.pending.take(self.project_id, self.epoch, self.head)

    def landed(self, flight: Flight, seq: int | None) -> Effects:
        """The flight is committed (as row `seq`, None when it was only acknowledgements): tell its authors."""
        if seq is not None:
            self.head = max(self.head, seq)
        by_member: dict[Member, list[bytes]] = {}
        for member, updates in flight.acks:
            by_member.setdefault(member, []).extend(updates)
        effects: list[Effect] = [Saved(member, member.dialect.saved(updates)) for member, updates in by_member.items()]
        return [*effects, Spoil(self._broken)] if self._broken else effects

    def fell_behind(self, member: Member) -> None:
        """A member reads too slowly: from now on it gets nothing until it has drained."""
        if member.lag_vector is None:
            member.lag_vector = self.document.vector()
            self.audience.changed()

    def resync(self, member: Member) -> Effects:
        """A slow reader has drained: one diff from where it was left, if it was anywhere, then its own late
        acknowledgements."""
        if member.lag_vector is None:
            return NOTHING
        frames = [member.dialect.step2(self.document.diff(member.lag_vector))] if member.asked else []
        frames += member.late_acks
        member.lag_vector = None
        self.audience.changed()
        member.late_acks.clear()
        member.late_bytes = 0
        late_ask, member.late_ask = member.late_ask, None
        answer = self.ask(member, late_ask) if late_ask is not None else NOTHING
        return [Send(member, b"".join(frames)), *answer] if frames else answer

    @property
    def gathering(self) -> bool:
        """Whether edits wait for the next tick."""
        return bool(self.inbox)

    @property
    def members(self) -> Sequence[Member]:
        """Who is here, in the order in which they came."""
        return self.audience.members

    @property
    def document_bytes(self) -> int:
        """An upper bound of the encoded document's size."""
        return self._extent.bytes

    @property
    def doc(self) -> "Doc[Any]":
        """The document with everything applied that was told."""
        return self.document.doc

    @property
    def repairer(self) -> int | None:
        """The client id of its repairs, if there were any."""
        return self.document.repairer

    def rest(self, patience: int = ROUNDS) -> bool:
        """Some seconds have passed; in so many of such rounds nobody has looked at a document that is put away. Whether
        it is."""
        resting = self.document.rest(patience)
        if resting:
            self.trials.end()
            self.join_state.forget()  # what newcomers need is the form in which it was put away
        return resting

    def on_look(self, notice: Callable[[], object]) -> None:
        """Call `notice` when somebody looks at the document for the first time since `rest`."""
        self.document.on_look(notice)

    def vector(self) -> bytes:
        """The state vector of everything told so far."""
        return self.document.vector()

    def state(self) -> bytes:
        """The whole document, encoded."""
        return self.document.state()

    def close(self) -> None:
        """Let the document go."""
        self._whereabouts.look_away()
        self.trials.end()
        self.document.close()

    # ------------------------------------------------------------------ inside

    def _tell(self, fresh: News) -> list[Effect]:
        effects: list[Effect] = []
        for author, update in fresh:
            self.join_state.extend(update)
            self._extent.bytes += len(update)
            if author is None:  # what members write was noted when it came
                self._whereabouts.changed()
                self.trials.feed(update)
        if fresh:
            effects += self.audience.relay(fresh)
        if self.pending:
            effects.append(RECORD)
        return effects

    def _spoiled(self, error: BaseException, inbox: list[Run]) -> Effects:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise error
        offenders = dict.fromkeys(run.member for run in inbox)
        self._broken = f"{type(error).__name__} while applying an update"
        expelled = [Expel(member, CloseCode.MALFORMED, "the update could not be applied") for member in offenders]
        return [*expelled, Spoil(self._broken)]
