"""A transaction of the simulated database: what it holds locked, and what it leaves for its end."""

import asyncio
from collections.abc import Callable


class Transaction:
    """`effects` happen at the commit, `undo` at the rollback; the end comes once."""

    def __init__(self) -> None:
        self.effects: list[Callable[[], None]] = []
        self.undo: list[Callable[[], None]] = []
        self.over = False
        self._held: list[asyncio.Lock] = []

    async def acquire(self, lock: asyncio.Lock) -> None:
        """Wait for a lock and keep it until the end. Raises ConnectionResetError when the end came first."""
        if lock not in self._held:
            await lock.acquire()
            self._held.append(lock)
        if self.over:
            self._release()
            raise ConnectionResetError("connection lost")

    def commit(self) -> None:
        if not self.over:
            for effect in self.effects:
                effect()
            self._end()

    def rollback(self) -> None:
        if not self.over:
            for undo in reversed(self.undo):
                undo()
            self._end()

    def _end(self) -> None:
        self.over = True
        self._release()

    def _release(self) -> None:
        held, self._held = self._held, []
        for lock in held:
            lock.release()
