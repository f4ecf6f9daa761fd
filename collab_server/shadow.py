"""A restricted editor's updates are tried on a shadow of the document: whole, before anything of them is learned.

An update does not say what it will change: only applying it does, and what yrs has applied it can't take back. So
there is a second document, made when a restricted member first needs it, and nobody else pays for it: what others write
is only noted, and applied here when the next trial is due. After a refusal the shadow is thrown away.
"""

from collections.abc import Callable, Iterable
from typing import Any

from pycrdt import Doc

from collab_server.gate.limits import TRUSTED
from collab_server.gate.slices import slices
from collab_server.gate.update import inspect
from studio.belonging import DYNAMIC, track_of
from studio.binding import MISSING, Reader, reading
from studio.blank import open_doc
from studio.restriction import Restriction, refused
from studio.watch import Touched, Watch, watch

SLICE_BYTES = 128 * 1024
"""What yrs is given at once, as when a room is opened."""

LATE_BYTES_MAX = 2 * 1024 * 1024
LATE_MAX = 20_000
"""What may wait for the next trial: beyond, making a new shadow is as good."""


def copied(state: bytes) -> "Doc[Any]":
    """The document of an encoded state. Large ones are copied in a thread: yrs then holds nobody up for long."""
    doc = open_doc()
    if len(state) <= SLICE_BYTES:
        doc.apply_update(state)
        return doc
    for part in slices(state, inspect(state, TRUSTED, offsets=True), SLICE_BYTES):
        doc.apply_update(part)
    return doc


class Shadow:
    """Everything admitted. `live` gives the document, which lacks what waits for the tick.

    It is of use once it has a document: what was admitted since that was copied is `waiting`, or fed. `judge` raises
    whatever yrs raises or panics with (a BaseException).
    """

    __slots__ = ("_doc", "_late", "_late_bytes", "_live", "_moved", "_touched", "_watch")

    def __init__(self, live: "Callable[[], Doc[Any]]", waiting: Iterable[bytes]) -> None:
        self._live = live
        self._doc = open_doc()
        self._touched: list[Touched] = []
        self._watch: Watch | None = None
        self._late: list[bytes] = []
        self._late_bytes = 0
        self._moved: dict[tuple[str, str], str | None] = {}
        """Where things belong that were touched by what the live document has not applied yet."""
        for update in waiting:
            self.feed(update)

    @property
    def ready(self) -> bool:
        """Whether it has its document."""
        return self._watch is not None

    def open(self, doc: "Doc[Any]") -> None:
        """This is its document."""
        self._doc = doc
        self._watch = watch(doc, self._touched.append)

    @property
    def overfed(self) -> bool:
        """Whether so much waits that a new shadow is cheaper."""
        return self._late_bytes > LATE_BYTES_MAX or len(self._late) > LATE_MAX

    def feed(self, update: bytes) -> None:
        """Something was admitted: applied at the next trial."""
        self._late.append(update)
        self._late_bytes += len(update)

    def ticked(self) -> None:
        """The live document has applied everything that was admitted."""
        self._moved.clear()

    def judge(self, update: bytes, restriction: Restriction) -> str:
        """The root of the first thing it touches and may not; "" if all is well, and then the shadow has it."""
        if self._late:
            late, self._late, self._late_bytes = self._late, [], 0
            self._note(self._apply(late))
        touched = self._apply((update,))
        if not any(root in DYNAMIC for root, _, _ in touched):
            return refused(restriction, touched, _nowhere, _nowhere)
        with reading(self._live()) as before, reading(self._doc) as after:

            def owner_before(root: str, entry: str) -> str | None:
                if root == "events" and before.has(root, entry):
                    return owner_before("clips", entry.partition("/")[0])
                return self._moved[root, entry] if (root, entry) in self._moved else _owner(before, root, entry)

            root = refused(restriction, touched, owner_before, lambda root, entry: _owner(after, root, entry))
        self._note(touched)
        return root

    def close(self) -> None:
        """Let it go: an observer that is never removed pins it."""
        if self._watch is not None:
            self._watch.close()

    def _apply(self, updates: Iterable[bytes]) -> list[Touched]:
        with self._doc.transaction():
            for update in updates:
                self._doc.apply_update(update)
        touched = self._touched[:]
        self._touched.clear()
        return touched

    def _note(self, touched: list[Touched]) -> None:
        """Remember where things belong now that may have moved."""
        moved = [
            note for note in touched if note.root in ("clips", "effects") and not note.keys.isdisjoint(("", "track"))
        ]
        if moved:
            with reading(self._doc) as reader:
                for root, entry, _ in moved:
                    self._moved[root, entry] = _owner(reader, root, entry)


def _owner(reader: Reader, root: str, entry: str) -> str | None:
    return track_of(root, entry, reader.value) if reader.entry(root, entry) is not MISSING else None


def _nowhere(_root: str, _entry: str) -> str | None:
    return None
