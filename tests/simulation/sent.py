"""What a tab has sent to a node and does not know to be saved."""

from collab_server.wire import EMPTY_UPDATE


class Sent:
    """`unsaved`: sent and not acknowledged."""

    def __init__(self) -> None:
        self.unsaved: list[bytes] = []
        self.answers: list[bytes] = []
        """What was said on this connection when everything was asked for."""
        self.passed: list[bytes] = []
        """Sent before something that was acknowledged: saved when nothing is awaited any more."""
        self.skipped: list[bytes] = []
        """What was not asked for again and whose acknowledgement did not come before a later one's; it has to come."""
        self.unsent = False
        """There is more, which no connection was told."""
        self._answered = False
        self._excused = False
        """Something sent on this connection was not taken: it was asked for again, or denied."""

    @property
    def waits(self) -> bool:
        """Whether anything is not known to be saved."""
        return bool(self.unsaved or self.unsent)

    def connected(self) -> None:
        """A connection begins."""
        self._answered = self._excused = False

    def lost(self) -> None:
        """The connection is gone: what was not acknowledged has to be said again."""
        self.unsent = self.waits
        self.unsaved.clear()
        self.passed.clear()
        self.answers.clear()
        self.skipped.clear()
        self._answered = False

    def asked(self) -> None:
        """The server asks for what it lacks; for the second time, as something was not taken."""
        self._excused = self._excused or self._answered

    def denied(self) -> None:
        """The server does not take what it was sent."""
        self._excused = True

    def answered(self, missing: bytes) -> None:
        """The server was told all that it lacks."""
        self._answered = True
        self.unsent = False
        if missing != EMPTY_UPDATE:
            self.answers.append(missing)
            self.passed += self.unsaved
            self.unsaved = [missing]  # it holds all that was refused, and what was not comes before it

    def acknowledged(self, at: int) -> list[bytes]:
        """An unsaved one came back: what is saved by that.

        What was sent before has been committed too, or was asked for again and is in an answer behind. But of an update
        that only deletes, somebody else's may have the very same bytes: it speaks for itself alone.
        """
        saved = [self.unsaved.pop(at)]
        if saved[0][:1] != b"\0":
            if not self._excused:
                self.skipped += self.unsaved[:at]
            self.passed += self.unsaved[:at]
            del self.unsaved[:at]
        if not self.unsaved:
            saved, self.passed = self.passed + saved, []
        return saved

    def repeated(self, update: bytes) -> None:
        """An update that is not awaited came: it may be one that was skipped."""
        if update in self.skipped:
            self.skipped.remove(update)
