"""The project's Yjs document: read key by key, written in transactions, watched.

Own edits and what comes from the server are told apart by the origin of their transactions: undo follows own ones
alone.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeAlias

from pycrdt import Doc, Map, Text, TransactionEvent, UndoManager

from backline.draft import UNTOUCHED, Cell, Draft
from backline.errors import Closed, NoSuchEntity
from backline.frames import EMPTY
from backline.ids import client_id
from backline.lib0 import read_vector
from backline.specs import MISSING, Missing, tupled
from backline.text import rewrite
from backline.watch import Note, Watch

ROOTS: Final = (
    *("meta", "transport", "tempo", "signatures", "tracks", "clips", "lanes", "points"),
    *("effects", "sends", "events", "markers", "notes", "assets", "arrangement", "slots"),
)
SERVER_ROOTS: Final = frozenset({"meta", "assets"})
OWN: Final = "own"
SERVER: Final = "server"
TEXTS: Final = frozenset({("notes", "body")})
Rule: TypeAlias = Callable[["Document", str, str], None]
"""Looks at the entity `root`, `id` when a transaction ends. Raises InvalidValue if its fields do not go together."""


class Document:
    """Calls `edited(update, places)` after each own transaction, and `noticed(notes, clients)` after any that changed.

    `clients` are the Yjs clients whose work it was, None for ourselves. Both are looked for only while `listening()`.
    """

    def __init__(self, guard: Callable[[], None], rule: Rule) -> None:
        """`guard` raises when nothing may be written (now, or any more)."""
        self.client = client_id()
        self.user = ""
        self.edited: Callable[[bytes, tuple[str, ...]], None] = _untold
        self.noticed: Callable[[list[Note], frozenset[int] | None], None] = _untold
        self.listening: Callable[[], bool] = _nobody
        self._guard, self._rule = guard, rule
        self._doc: Doc[Any] = Doc(client_id=self.client)
        for root in ROOTS:
            self._doc[root] = Map()
        self._roots: dict[str, Map[Any]] = {root: self._doc.get(root, type=Map) for root in ROOTS}
        self._watch = Watch(self._roots, self._heard)
        self._updates: list[bytes] = []
        self._subscription = self._doc.observe(self._committed)
        self._undo = UndoManager(
            scopes=[self._roots[root] for root in ROOTS if root not in SERVER_ROOTS], capture_timeout_millis=0
        )
        self._undo.include_origin(OWN)
        self._draft: Draft | None = None

    # ------------------------------------------------------------------ reading

    def has(self, root: str, id: str) -> bool:
        """Whether there is such an entry."""
        if self._draft is not None:
            there = self._draft.entries(root).get(id)
            if there is not None:
                return there
        return id in self._roots[root]

    def ids(self, root: str) -> list[str]:
        """Every id of a root, those in the trash too; in no order."""
        found = dict.fromkeys(self._roots[root].keys())
        if self._draft is not None:
            for id, there in self._draft.entries(root).items():
                found.pop(id, None)
                if there:
                    found[id] = None
        return list(found)

    def value(self, root: str, id: str, key: str) -> object:
        """What stands in a cell as JSON, or MISSING. `id` "" for settings, `key` "" for a leaf root's value."""
        if self._draft is not None and (written := self._draft.value(root, id, key)) is not UNTOUCHED:
            return written
        if not id or not key:
            return self._at(self._roots[root], key or id)
        entity = self._at(self._roots[root], id)
        return self._at(entity, key) if isinstance(entity, Map) else MISSING

    @staticmethod
    def _at(found: "Map[Any]", key: str) -> object:
        try:
            value = found[key]  # a third faster than get()
        except KeyError:
            return MISSING
        return str(value) if isinstance(value, Text) else value

    def json(self) -> dict[str, dict[str, object]]:
        """Every root as it is stored, trash and all; whole numbers as int."""
        return {root: _whole(self._roots[root].to_py() or {}) for root in sorted(ROOTS)}

    def stamp(self) -> tuple[str, int]:
        """Who we are and what time it is, as the document notes it."""
        return (self.user, int(time.time() * 1000))

    # ------------------------------------------------------------------ writing

    @contextmanager
    def transaction(self) -> Iterator[Draft]:
        """Everything written inside becomes one update; nothing does if an exception leaves the block. It nests.

        Raises what `guard` raises, InvalidValue, NoSuchEntity, TransactionTooLarge.
        """
        if self._draft is not None:
            yield self._draft
            return
        self._guard()
        draft = self._draft = Draft()
        try:
            yield draft
            self._check(draft)
        finally:
            self._draft = None
        self._guard()
        self._own(lambda: self._write(draft), draft.places)

    def undo(self) -> bool:
        """Take back the last own transaction; False if there is none. What others changed meanwhile stays theirs."""
        self._guard()
        return self._own(lambda: self._undo.can_undo() and self._undo.undo(), ("undo",))

    def redo(self) -> bool:
        """Make the last undone transaction again; False if there is none."""
        self._guard()
        return self._own(lambda: self._undo.can_redo() and self._undo.redo(), ("redo",))

    def _check(self, draft: Draft) -> None:
        draft.measured()
        for root, id in dict.fromkeys((cell.root, cell.id) for cell in draft.cells if cell.id and cell.key):
            if not self.has(root, id):
                raise NoSuchEntity(root, id)
            self._rule(self, root, id)

    def _write(self, draft: Draft) -> bool:
        with self._doc.transaction(origin=OWN):
            for (root, id), values in draft.new_entities().items():
                fresh = {key: Text(str(value)) if (root, key) in TEXTS else value for key, value in values.items()}
                self._roots[root][id] = Map(fresh)
            for cell, value in draft.cells.items():
                if (cell.root, cell.id) not in draft.created:
                    self._put(cell, value)
        return True

    def _put(self, cell: Cell, value: object) -> None:
        if cell.id and cell.key:
            holder, key = self._roots[cell.root][cell.id], cell.key
        else:
            holder, key = self._roots[cell.root], cell.key or cell.id
        there = holder.get(key, MISSING)
        if isinstance(value, Missing):
            with suppress(KeyError):
                del holder[key]
        elif isinstance(there, Text):
            rewrite(there, str(value))
        elif isinstance(there, Missing) or there != value or isinstance(there, bool) != isinstance(value, bool):
            holder[key] = value

    def _own(self, change: Callable[[], bool], places: tuple[str, ...]) -> bool:
        self._updates.clear()
        try:
            return change()
        finally:
            for update in self._updates:
                self.edited(update, places)
            self._updates.clear()
            if notes := self._watch.take():
                self.noticed(notes, None)

    # ------------------------------------------------------------------ the server's side

    def vector(self) -> bytes:
        """The state vector: what we have."""
        return self._doc.get_state()

    def since(self, vector: bytes) -> bytes:
        """What somebody with this state vector lacks, as an update."""
        return self._doc.get_update(vector)

    def merge(self, update: bytes) -> None:
        """Take what came from the server."""
        before = read_vector(self._doc.get_state()) if self.listening() else {}
        with self._doc.transaction(origin=SERVER):
            self._doc.apply_update(update)
        self._updates.clear()
        notes = self._watch.take()
        if notes and self.listening():
            after = read_vector(self._doc.get_state())
            self.noticed(notes, frozenset(client for client, end in after.items() if end > before.get(client, 0)))

    def close(self) -> None:
        """Let go of everybody who was told: it can still be read, and writing raises Closed.

        No reference cycle is left: a pycrdt document that the garbage collector finds in another thread is an error.
        """
        self._watch.close()
        self._doc.unobserve(self._subscription)
        self._guard, self.listening, self.edited, self.noticed = _closed, _nobody, _untold, _untold

    def _heard(self) -> bool:
        return self.listening()

    def _committed(self, event: TransactionEvent) -> None:
        if event.update != EMPTY:
            self._updates.append(event.update)


def _closed() -> None:
    raise Closed("the project is closed")


def _nobody() -> bool:
    return False


def _untold(_what: object, _of: object) -> None:
    pass


def _whole(value: Any) -> dict[str, Any]:
    """JSON with whole floats as ints."""
    return {key: _whole(item) if isinstance(item, dict) else _listed(item) for key, item in value.items()}


def _listed(value: Any) -> Any:
    if isinstance(value, list):
        return [_listed(item) for item in value]
    if isinstance(value, dict):
        return _whole(value)
    return tupled(value)
