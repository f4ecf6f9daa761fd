"""A room in a process: performs its effects, keeps its timers and what its housekeeping needs to know."""

import asyncio
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol, assert_never
from uuid import UUID

from collab_server.care import Care
from collab_server.chores import Chores
from collab_server.closing import CloseCode
from collab_server.delivery import Delivery
from collab_server.dialects.dialect import Dialect
from collab_server.effects import (
    Announce,
    Deflate,
    Doubt,
    Effects,
    Expel,
    KeepDraft,
    KeepUnsent,
    PresenceTick,
    Recheck,
    Record,
    Relay,
    Saved,
    Send,
    SnapshotFirst,
    Spoil,
    Spread,
    Tick,
    Try,
)
from collab_server.loss import Inquiry, Loss
from collab_server.member import Member
from collab_server.metrics import Metrics
from collab_server.neighbours import Neighbours
from collab_server.presence_timer import PresenceTimer
from collab_server.room import Room
from collab_server.settings import CollabSettings
from collab_server.shadow import Shadow, copied
from persistence.body import Entry
from persistence.journal import Known
from studio.roles import Action, may

ANSWER_SECONDS = 30.0
"""For so long an empty room waits for those who were sent away until it is known whether something was lost."""

RECHECK_SECONDS = 5.0
"""By then another node has committed what it told, and the row has come, in everyday life."""

SLOW_TICK_SECONDS = 0.005
"""Up to here a tick is everyday work, which was counted when it came."""


UNSENT_SECONDS = 3.0
"""For so long unsent work is gathered before it is kept."""


class Keeping(Protocol):
    """Where work is kept that is not merged, and what a merge may ruin."""

    def draft(self, hosted: "Hosted", member: Member, update: bytes) -> None:
        """Keep work of another lineage."""

    def unsent(self, hosted: "Hosted", member: Member) -> None:
        """Keep what somebody wrote who may not write any more."""

    def before_merge(self, hosted: "Hosted", member: Member) -> None:
        """Keep the document as it is, before many offline edits."""


class Surroundings(Protocol):
    """What a hosted room needs of its hub."""

    settings: CollabSettings
    metrics: Metrics
    care: Care

    @property
    def safekeeping(self) -> Keeping:
        """Where work is kept that is not merged."""

    def record(self, hosted: "Hosted") -> None:
        """The room has something for the journal."""

    def expel(self, hosted: "Hosted", member: Member, code: CloseCode, reason: str) -> None:
        """Close a member's connection."""

    def charge(self, member: Member, seconds: float) -> None:
        """Count the time that a member's edits have taken against its rate."""

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something beside everything else."""

    def release(self, hosted: "Hosted") -> None:
        """A visitor of the room needs it no more."""

    def hold(self, member: Member, update: bytes, merge: bool) -> None:
        """Hear nothing more of a member until `hear_again`, and then this first."""

    def hear_again(self, member: Member) -> None:
        """Hear a member again that was held."""

    async def holds_all(self, hosted: "Hosted") -> bool:
        """Whether the room holds every row of the journal; False also when nobody can tell."""

    def spoiled(self, hosted: "Hosted", reason: str) -> None:
        """The room must be loaded anew."""


class Hosted:
    """One room and its surroundings. All methods run in the event loop and none blocks."""

    def __init__(
        self,
        room: Room,
        hub: Surroundings,
        neighbours: Neighbours,
        inquiry: Inquiry,
        loop: asyncio.AbstractEventLoop,
        chores: Chores,
    ) -> None:
        self.room = room
        self.hub = hub
        self.neighbours = neighbours
        self._inquiry = inquiry
        self.project_id: UUID = room.project_id
        self.recording = False
        """The journal knows that this room has something for it."""
        self.spoken_at = loop.time()
        """When all who follow were last told something: an edit is not told to its author."""
        self.chores = chores
        self.look_at = 0.0
        """When it is looked at next, whether anybody says anything or not."""
        self.closed = False
        self.visitors = 0
        """Connections that are about to join."""
        self.unloading = False
        self.flying = False
        """A flight of this room is being committed."""
        self.behind = False
        """Rows of other processes are missing and being read: the document is not what `head` says."""
        self.standing_news = 0
        """Counts what was heard of memberships: an answer that was asked for before the last of it may be too old."""
        self._loop = loop
        self._presence_timer = PresenceTimer(loop, hub.settings.presence_gather_seconds, self._tell_presence)
        self._edits_of_gone = 0
        self._delivery = Delivery()

    def perform(self, effects: Effects) -> None:
        """Carry out what the room decided, in order."""
        for effect in effects:
            match effect:
                case Relay():
                    self._delivery.relay(effect.to, effect.data)
                    self.hub.metrics.deliveries += len(effect.to)
                case Tick():
                    self._loop.call_soon(self._tick)
                case Send():
                    self._send(effect.to, effect.data)
                case Saved(member, data):
                    if self.room.gathering and member.lag_vector is None:  # one write tells this and the edits
                        self._delivery.wait(member, data)
                    else:
                        self._send(member, data)
                case Record():
                    self.record()
                case PresenceTick(late):
                    self._presence_timer.ask(late=late)
                case Spread(to, data, everybody):
                    for member in to:
                        member.write(data)
                    if everybody:
                        self.spoken_at = self._loop.time()
                case Announce(entries):
                    self.neighbours.present(entries)
                case Expel(member, code, reason):
                    self.hub.expel(self, member, code, reason)
                case KeepDraft(member, update):
                    self.hub.safekeeping.draft(self, member, update)
                case Try(member, update, merge, shadow, state):
                    self.hub.hold(member, update, merge)
                    if state is not None:
                        self.hub.start(self._copy(shadow, state))
                case KeepUnsent(member):
                    self._loop.call_later(UNSENT_SECONDS, self.hub.safekeeping.unsent, self, member)
                case SnapshotFirst(member):
                    self.hub.safekeeping.before_merge(self, member)
                case Deflate(dialect, state):
                    self.hub.start(self._deflate(dialect, state))
                case Doubt():
                    self._doubt()
                case Recheck():
                    self._recheck_later()
                case Spoil(reason):
                    self.hub.spoiled(self, reason)
                case _:
                    assert_never(effect)

    @property
    def edits(self) -> int:
        """How many edits people have made here since the room was opened, those who have left too."""
        return self._edits_of_gone + sum(member.edits for member in self.room.members)

    def leave(self, member: Member) -> None:
        """Somebody goes; what it did here is remembered."""
        self._edits_of_gone += member.edits
        if not self.closed:
            self.perform(self.room.leave(member))

    @property
    def loss(self) -> Loss:
        """Whether work was lost that had been told, as far as was found out."""
        return self._inquiry.found

    @property
    def empty(self) -> bool:
        """Nobody is here and nobody is about to come."""
        return not self.room.members and not self.visitors

    @property
    def known(self) -> Known:
        """How far the journal is as far as is known here."""
        return self.project_id, self.room.epoch, self.room.head

    @property
    def settled(self) -> bool:
        """The document is exactly what the journal holds up to the room's head."""
        return not (self.recording or self.flying or self.behind or self.room.gathering)

    def record(self) -> None:
        """The room has something for the journal."""
        if not self.recording:
            self.recording = True
            self.hub.record(self)

    def grow(self, seq: int, entries: Sequence[Entry]) -> None:
        """Row `seq` of the journal was written by another process."""
        self.chores.rows += 1
        self._changed()
        self.perform(self.room.grow(seq, entries, time.time_ns() // 1_000_000))
        self.moved()

    def moved(self) -> None:
        """The head is another."""
        if not self.closed:
            self.hub.care.heads.put(self.known)

    def say(self, member: Member | None, payload: str) -> None:
        """A stateless message, for everybody else."""
        if self.closed:
            return
        if member is None:
            self.perform(self.room.audience.say(None, payload))
        elif may(member.role, Action.NOTE_ADD):
            self.perform(self.room.audience.say(member, payload))
            self.neighbours.say(payload)

    def fell_behind(self, member: Member) -> None:
        """A member's outbox is full: from now on it gets nothing until it has drained."""
        if not self.closed:
            self.room.fell_behind(member)

    def caught_up(self, member: Member) -> None:
        """A member's outbox has drained: one diff brings it to the present."""
        if member.lag_vector is not None and not self.closed:
            self.hub.metrics.resyncs += 1
            self.perform(self.room.resync(member))

    async def recheck(self) -> None:
        """Some readers knew of more than was known here; while rows may be missing, that says nothing."""
        everything = False
        try:
            everything = await self.hub.holds_all(self)
        finally:
            if not everything and not self.closed:
                self._recheck_later()
        if everything and not self.closed:
            self.perform(self.room.settle())

    def flush_now(self) -> None:
        """Apply what is gathered without waiting for the tick."""
        if self.room.gathering:
            self._tick()

    def tell_saved(self) -> None:
        """Tell now what was to be told with the next tick, to those who are told nothing else."""
        for member, data in self._delivery.rest():
            self._send(member, data)

    def _doubt(self) -> None:
        if self._inquiry.doubted():
            self.visitors += 1  # whoever is sent away may be alone, and has to find the answer here
            self.hub.start(self._inquire())

    async def _inquire(self) -> None:
        try:
            await self._inquiry.run()
        finally:
            self._loop.call_later(ANSWER_SECONDS, self.hub.release, self)

    def _recheck_later(self) -> None:
        self._loop.call_later(RECHECK_SECONDS, lambda: self.closed or self.hub.start(self.recheck()))

    async def _copy(self, shadow: Shadow, state: bytes) -> None:
        """Make the document of a shadow beside everything else; whoever waits for it is heard again. If it can't be
        made, they come back later: heard again at once, they would ask for the same."""
        try:
            doc = await asyncio.to_thread(copied, state)
            if not self.closed:
                self.room.trials.opened(shadow, doc)
        except BaseException:  # yrs panics are BaseExceptions
            if not self.closed and self.room.trials.failed(shadow):
                for member in [member for member in self.room.members if member.restriction is not None]:
                    self.hub.expel(self, member, CloseCode.TRY_AGAIN_LATER, "this can't be decided now: come back")
            raise
        finally:
            for member in list(self.room.members):
                self.hub.hear_again(member)

    async def _deflate(self, dialect: Dialect, state: bytes) -> None:
        frame = await asyncio.to_thread(dialect.step2, state, deflated=True)
        self.room.join_state.keep(dialect, state, frame)

    def _tick(self) -> None:
        if not self.room.gathering or self.closed:
            return
        self._changed()
        gathered = self.room.inbox.runs
        started = time.perf_counter()
        try:
            self.perform(self.room.tick(time.time_ns() // 1_000_000))
        finally:
            if self._delivery:
                self.tell_saved()
        spent = time.perf_counter() - started
        if spent > SLOW_TICK_SECONDS:  # some edits look small and keep yrs busy: whoever sends them waits, not the rest
            authors = {run.member for run in gathered}
            for author in authors:
                self.hub.charge(author, spent / len(authors))

    def _changed(self) -> None:
        """The document is another than snapshots and projections say."""
        if not self.chores.all_due:
            self.chores.edited(self._loop.time())
            self.hub.care.edited.add(self.project_id)

    def _send(self, member: Member, data: bytes) -> None:
        if member.lag_vector is None:
            member.write(data)
            return
        member.late_acks.append(data)
        member.late_bytes += len(data)
        if member.late_bytes > self.hub.settings.limits.outbox_bytes_max:
            self.hub.expel(self, member, CloseCode.SLOW_READER, "too slow a reader")

    def _tell_presence(self) -> None:
        if not self.closed:
            self.perform(self.room.attendance.tick())

    def close(self) -> None:
        """Let the room go."""
        self.closed = True
        self._presence_timer.cancel()
        self.room.close()
