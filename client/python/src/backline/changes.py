"""What happens in the document, as events: who, where, old value, new value."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from backline.errors import BacklineError, ChangesLost
from backline.presence import Person
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


class Changes:
    """An endless async iterator over changes from the moment it was made."""

    def __init__(self, own: bool) -> None:
        self._own = own
        self._queue: deque[Change] = deque()
        self._lost = False
        self._end: BacklineError | None = None
        self._over = False
        self._woken = asyncio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Change:
        """The next change. Raises ChangesLost once if too many waited, and what ended the project."""
        while True:
            if self._lost:
                self._lost = False
                raise ChangesLost(f"more than {WAITING_MAX} changes were waiting")
            if self._queue:
                return self._queue.popleft()
            if self._end is not None:
                raise self._end
            if self._over:
                raise StopAsyncIteration
            self._woken.clear()
            await self._woken.wait()

    def tell(self, notes: Iterable[Note], by: Person | None, own: bool) -> None:
        """Something happened."""
        if own and not self._own:
            return
        self._queue.extend(Change(*note, by, own) for note in notes)
        if len(self._queue) > WAITING_MAX:
            self._queue.clear()
            self._lost = True
        self._woken.set()

    def close(self, error: BacklineError | None) -> None:
        """Nothing will happen any more."""
        self._end, self._over = error, True
        self._woken.set()
