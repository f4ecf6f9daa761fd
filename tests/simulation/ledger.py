"""What the simulation holds the product to while it runs, and what was said by the way: the trace."""

import hashlib
from collections.abc import Callable
from typing import Any

import structlog

from collab_server.gate.limits import TRUSTED
from collab_server.gate.update import inspect
from tests.simulation.tables import Document


class Ledger:
    """Complaints, acknowledged updates by project, and the trace with its digest."""

    def __init__(self, now: Callable[[], float], shout: Callable[[str], None] | None = None) -> None:
        self.complaints: list[str] = []
        self.acknowledged: list[tuple[Document, bytes]] = []
        self.told: list[str] = []
        self.expected: set[str] = set()
        """Log events that a fault of this run explains."""
        self._now = now
        self._shout = shout
        self._digest = hashlib.sha256()

    def note(self, who: str, what: str) -> None:
        """One line of the trace."""
        line = f"{self._now():10.4f} {who:10} {what}"
        self._digest.update(line.encode())
        if self._shout is not None:
            self._shout(line)

    @property
    def digest(self) -> str:
        """Of the whole trace: two runs of one seed are the same run."""
        return self._digest.hexdigest()

    def complain(self, what: str) -> None:
        """Something is wrong."""
        self.note("!", what)
        self.complaints.append(what)

    def acknowledge(self, document: Document, update: bytes, who: str, how: str) -> None:
        """A client takes its edit for saved: so it must be committed, now."""
        self.acknowledged.append((document, update))
        for client, _, end in inspect(update, TRUSTED).ranges:
            if document.known.get(client, 0) < end:
                self.complain(f"{who} was told that {client}:{end} {how} is saved, and it is not")

    def log(self, logger: object, method: str, event: Any) -> Any:
        """A structlog processor: the product's log is part of the trace, and its errors are complaints."""
        event = dict(event)
        what = str(event.pop("event"))
        error = event.pop("exc_info", None)
        self.note("log", f"{method} {what} {event}")
        if method in ("error", "critical", "exception") and what not in self.expected:
            self.complain(f"logged: {what} {event} {error!r}")
        raise structlog.DropEvent
