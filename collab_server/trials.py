"""A room's trials: may a restricted member make this change? Decided on a shadow, which is there while it is needed."""

from collections.abc import Callable, Iterable
from typing import Any

from pycrdt import Doc

from collab_server.admission import Refusal
from collab_server.closing import CloseCode
from collab_server.effects import Try
from collab_server.gate.inspection import Inspection
from collab_server.live_document import LiveDocument
from collab_server.member import Member
from collab_server.shadow import Shadow, copied
from studio.restriction import Restriction

COPIED_AT_ONCE_BYTES = 128 * 1024
"""A shadow of so much is made in 4 ms; of more, beside everything else."""

LATER = Refusal(CloseCode.TRY_AGAIN_LATER, "there is no shadow yet")
"""It can't be decided yet: see `later`."""

RESTRICTED = "restricted:"
"""How the reason begins that a restricted editor is told when its work is refused: it has to start afresh."""


class Trials:
    """Tries updates of restricted members. `waiting` gives what the room has gathered for the next tick."""

    def __init__(self, document: LiveDocument, waiting: Callable[[], Iterable[bytes]]) -> None:
        self._document = document
        self._waiting = waiting
        self._shadow: Shadow | None = None

    @property
    def running(self) -> bool:
        """Whether there is a shadow, or one is being made."""
        return self._shadow is not None

    def judge_of(
        self, restriction: Restriction, update: bytes, *, merge: bool, document_bytes: int
    ) -> Callable[[Inspection, bool], Refusal | None]:
        """What Admission.judge asks at the end: None, or why not. `document_bytes`: how large the document is."""

        def forbids(seen: Inspection, news: bool) -> Refusal | None:
            if merge and not news and self._document.has_deleted(seen.deletes):
                return None  # a client that says again what is known
            try:
                if self._shadow is None and document_bytes <= COPIED_AT_ONCE_BYTES:
                    self._new_shadow().open(copied(self._document.state()))
                if self._shadow is None or not self._shadow.ready:
                    return LATER
                root = self._shadow.judge(update, restriction)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt | SystemExit):
                    raise
                self._shadow = None  # nothing of it can be trusted, its observers neither
                return Refusal(CloseCode.MALFORMED, "the update could not be applied")
            if root:
                self.end()
                return Refusal(CloseCode.NOT_ALLOWED, f"{RESTRICTED} {restriction.only.value} only, not {root}")
            return None

        return forbids

    def later(self, member: Member, update: bytes, merge: bool) -> Try:
        """To be decided when there is a shadow."""
        state = self._document.state() if self._shadow is None else None
        return Try(member, update, merge, self._shadow or self._new_shadow(), state)

    def opened(self, shadow: Shadow, doc: "Doc[Any]") -> None:
        """A shadow's document is copied; it may not be wanted any more."""
        if shadow is self._shadow:
            shadow.open(doc)

    def failed(self, shadow: Shadow) -> bool:
        """A shadow's document could not be copied; True if it was wanted, and then the next trial makes a new one."""
        wanted = shadow is self._shadow
        if wanted:
            self.end()
        return wanted

    def feed(self, update: bytes) -> None:
        """Something was admitted that was not tried here."""
        if self._shadow is not None:
            self._shadow.feed(update)
            if self._shadow.overfed:
                self.end()

    def ticked(self) -> None:
        """The document has applied everything that was admitted."""
        if self._shadow is not None:
            self._shadow.ticked()

    def end(self) -> None:
        """Let the shadow go: the next trial makes a new one."""
        if self._shadow is not None:
            self._shadow.close()
            self._shadow = None

    def _new_shadow(self) -> Shadow:
        self._shadow = Shadow(lambda: self._document.applied, self._waiting())
        return self._shadow
