"""One Yjs client of the test: which edits it made, when, and how far they are acknowledged."""

from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


def _numbers() -> "array[int]":
    return array("q")


@dataclass(slots=True)
class Author:
    """Edits in order: `ends` are the clocks behind them, `times` the ns at which they were made.

    `acked` edits were acknowledged by the server's word; `known` ones stand in a state vector of the server's.
    """

    client: int
    door: int
    ends: "array[int]" = field(default_factory=_numbers)
    times: "array[int]" = field(default_factory=_numbers)
    acked: int = 0
    known: int = 0
    _flights: deque[int] = field(default_factory=deque)

    def made(self, end: int, now: int) -> None:
        """One more edit."""
        self.ends.append(end)
        self.times.append(now)

    def echoed(self, end: int, now: int, record: Callable[[float], None]) -> int:
        """The server brought this client's edits back up to clock `end`; how many of them are newly acknowledged."""
        count = self.acked
        while count < len(self.ends) and self.ends[count] <= end:
            count += 1
        return self._acknowledge(count, now, record)

    def sent(self) -> None:
        """Everything made so far is on its way in one message, to be confirmed without a name (Hocuspocus)."""
        self._flights.append(len(self.ends))

    def confirmed(self, now: int, record: Callable[[float], None]) -> int:
        """The oldest message on its way was taken."""
        return self._acknowledge(self._flights.popleft(), now, record) if self._flights else 0

    def grounded(self) -> None:
        """The connection is gone: nothing is on its way any more."""
        self._flights.clear()

    def recognised(self, end: int) -> None:
        """The server's state vector covers this client up to clock `end`."""
        while self.known < len(self.ends) and self.ends[self.known] <= end:
            self.known += 1

    def unsaved(self) -> int:
        """Edits that the server has not confirmed in any way."""
        return len(self.ends) - max(self.acked, self.known)

    def missing(self, end: int, all_of_them: bool) -> int:
        """How many acknowledged edits (or all) a document that has this client up to clock `end` lacks."""
        upto = len(self.ends) if all_of_them else self.acked
        return sum(self.ends[index] > end for index in range(upto))

    def _acknowledge(self, count: int, now: int, record: Callable[[float], None]) -> int:
        before = self.acked
        for index in range(before, count):
            record((now - self.times[index]) / 1000)
        self.acked = max(before, count)
        return self.acked - before
