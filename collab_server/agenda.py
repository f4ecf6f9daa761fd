"""Who is to be looked at when: what is not due costs nothing, however much there is of it."""

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class Agenda(Generic[T]):
    """Appointments by the second, on any monotonic clock. What is put here is nobody's life: put names, not things."""

    def __init__(self, now: float) -> None:
        self._seconds: dict[int, list[T]] = {}
        self._next = int(now)

    def put(self, one: T, at: float) -> None:
        """Due at the first whole second from `at` on, or in the next `due` if that has passed."""
        second = max(-int(-at // 1), self._next)
        self._seconds.setdefault(second, []).append(one)

    def due(self, now: float) -> list[T]:
        """Everything whose second has come since the last time, oldest first; it is not due again until it is put."""
        found: list[T] = []
        while self._next <= now:
            found += self._seconds.pop(self._next, ())
            self._next += 1
        return found
