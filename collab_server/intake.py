"""What becomes of an edit when it comes: judged, and gathered for the next tick, or why not.

role → everyday lane → gate → gap check → client-id binding → restriction → gathered.
"""

from collab_server.admission import Admission, Admitted, Doubtful, Gap, OtherLineage, Refusal
from collab_server.audience import Audience
from collab_server.closing import CloseCode
from collab_server.effects import (
    NOTHING,
    TICK,
    Doubt,
    Effect,
    Effects,
    Expel,
    KeepDraft,
    KeepUnsent,
    Send,
    SnapshotFirst,
)
from collab_server.express import Everyday
from collab_server.extent import Extent
from collab_server.gathered import Inbox
from collab_server.live_document import LiveDocument
from collab_server.loss import Doubts, Loss
from collab_server.member import Member
from collab_server.pending import Pending
from collab_server.settings import Limits
from collab_server.trials import LATER, RESTRICTED, Trials
from collab_server.unsent import Unsent
from collab_server.whereabouts import Whereabouts
from collab_server.wire import EMPTY_UPDATE

DOUBTFUL = "this is work of others that is not saved here: come back"


class Intake:
    """A room's, and made of its parts."""

    def __init__(
        self,
        *,
        document: LiveDocument,
        admission: Admission,
        trials: Trials,
        inbox: Inbox,
        pending: Pending,
        audience: Audience,
        whereabouts: Whereabouts,
        extent: Extent,
        limits: Limits,
    ) -> None:
        self._document = document
        self._admission = admission
        self._trials = trials
        self._inbox = inbox
        self._pending = pending
        self._audience = audience
        self._whereabouts = whereabouts
        self._extent = extent
        self._limits = limits
        self._doubts = Doubts()

    def edit(self, member: Member, update: bytes, *, merge: bool, loss: Loss, now: float) -> Effects:
        """An update; see Room.edit. Raises StoredMalformed when the stored document can't be read."""
        if not merge and member.writes and self._extent.bytes < self._limits.document_bytes_max:
            everyday = self._admission.everyday(member, update)
            if everyday is not None:
                return self._gather_everyday(member, update, everyday)
        if update == EMPTY_UPDATE:
            return self._nothing_new(member)
        if not member.writes:
            return self._refuse(member, update, merge)
        forbids = None
        if member.restriction is not None:
            size = self._extent.bytes
            forbids = self._trials.judge_of(member.restriction, update, merge=merge, document_bytes=size)
        full = self._full(update)
        salvage, deleted = loss is Loss.HAPPENED, self._document.has_deleted
        verdict = self._admission.judge(
            member, update, merge=merge, salvage=salvage, full=full, deleted=deleted, forbids=forbids
        )
        match verdict:
            case Gap():
                return (Send(member, member.dialect.step1(self._document.vector())),)
            case OtherLineage():
                return (KeepDraft(member, update), Expel(member, CloseCode.EPOCH_CHANGED, "another lineage"))
            case Refusal() as refusal if refusal is LATER:
                return (self._trials.later(member, update, merge),)
            case Doubtful(client, clock):
                return self._doubt(member, update, (client, clock), loss, now)
            case Refusal(code, reason):
                told = (Send(member, member.dialect.denied(reason)),) if reason.startswith(RESTRICTED) else ()
                return (*told, Expel(member, code, reason))
            case Admitted() as admitted:
                return self._gather(member, update, admitted, merge)

    def deny(self, member: Member) -> Effects:
        """Tell a member, once, that it may not write."""
        if member.told_denied:
            return NOTHING
        member.told_denied = True
        return (Send(member, member.dialect.denied(f"role {member.role.value} may not write")),)

    # ------------------------------------------------------------------ it may not come in

    def _refuse(self, member: Member, update: bytes, merge: bool) -> Effects:
        # A Step2 repeats every deletion its sender knows of. One that is news is unsent work, or was told and lost.
        if merge and not self._admission.brings_news(update, self._document.has_deleted):
            return self._nothing_new(member)
        return [*self.deny(member), *self._keep_unsent(member, update)]

    def _keep_unsent(self, member: Member, update: bytes) -> Effects:
        """Work that comes too late is kept, if its author could ever write here: nobody else fills the database."""
        if not member.could_write:
            return NOTHING
        if member.unsent is None:
            member.unsent = Unsent()
        kept = self._admission.readable(update) and member.unsent.lay_by(update)
        return (KeepUnsent(member),) if kept else NOTHING

    def _doubt(self, member: Member, update: bytes, unknown: tuple[int, int], loss: Loss, now: float) -> Effects:
        """Others' work is unknown here: another node may still commit it, or it was lost, or it never was."""
        if self._doubts.last(unknown, now) and loss is Loss.EXCLUDED:
            return (
                KeepDraft(member, update),
                Expel(member, CloseCode.EPOCH_CHANGED, "this leans on what nobody saved"),
            )
        return (Doubt(), Expel(member, CloseCode.TRY_AGAIN_LATER, DOUBTFUL))

    def _full(self, update: bytes) -> str:
        """Why nothing may be added any more; "" while there is room."""
        if not self._extent.has_room(len(update), self._limits.document_bytes_max):
            return "the project is full"
        return "the project has too many entries" if self._document.crowded() else ""

    def _nothing_new(self, member: Member) -> Effects:
        answer = member.dialect.nothing_new()
        return (Send(member, answer),) if answer else NOTHING

    # ------------------------------------------------------------------ it may

    def _gather(self, member: Member, update: bytes, admitted: Admitted, merge: bool) -> Effects:
        effects: list[Effect] = []
        for client, user in admitted.claimed:
            self._pending.bind(client, user)
        if merge and admitted.structs > self._limits.merge_snapshot_edits_min:
            effects.append(SnapshotFirst(member))
        if merge:
            self._audience.answered(update)
        member.edits += 1
        if self._inbox.add(member, update, quiet=admitted.quiet):
            effects += TICK
        self._whereabouts.may_move()
        if member.restriction is None:  # the others' were tried, and are there already
            self._trials.feed(update)
        return effects

    def _gather_everyday(self, member: Member, update: bytes, everyday: Everyday) -> Effects:
        member.edits += 1
        first = self._inbox.add_everyday(member, update, everyday)
        if everyday.touched is None and member.lane is not None and member.lane.moves:
            self._whereabouts.may_move()
        self._trials.feed(update)
        return TICK if first else NOTHING
