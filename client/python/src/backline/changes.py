"""What happens in the document, as events: who, where, old value, new value."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from backline.errors import ChangesLost
from backline.presence import Person
from backline.stream import Stream
from backline.watch import Note

WAITING_MAX: Final = 50_000


@dataclass(frozen=True, slots=True)
class Change:
    """One value changed, or (key "") one entity or row came (`old` None) or went (`new` None).

    `root`, `id`, `key` say where, in the document's vocabulary; settings have the id "". Lists are tuples. `by` is None
    where the update does not tell: it only deleted something, joined several people's work, or was the server's own.
    """

    root: str
    id: str
    key: str
    old: object
    new: object
    by: Person | None
    own: bool


class Changes(Stream[Change]):
    """The changes from the moment it was made. It raises ChangesLost once if too many waited."""

    def __init__(self, own: bool) -> None:
        super().__init__(deque())
        self._own = own
        self._lost = False

    def tell(self, notes: Iterable[Note], by: Person | None, own: bool) -> None:
        """Something happened."""
        if own and not self._own:
            return
        self._queue.extend(Change(*note, by, own) for note in notes)
        if len(self._queue) > WAITING_MAX:
            self._queue.clear()
            self._lost = True
        self._woken.set()

    def _ready(self) -> bool:
        return self._lost or super()._ready()

    def _take(self) -> Change:
        if self._lost:
            self._lost = False
            raise ChangesLost(f"more than {WAITING_MAX} changes were waiting")
        return super()._take()
