"""What happens as an endless async iterator: it is told, waits in a queue, and is read when somebody asks."""

import asyncio
from collections import deque
from typing import Generic, Self, TypeVar

from backline.errors import BacklineError

T = TypeVar("T")


class Stream(Generic[T]):
    """Yields what is in its queue, and waits while that is empty."""

    def __init__(self, queue: deque[T]) -> None:
        self._queue = queue
        self._end: BacklineError | None = None
        self._over = False
        self._woken = asyncio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        """The next one. Raises what has ended it."""
        while not self._ready():
            if self._end is not None:
                raise self._end
            if self._over:
                raise StopAsyncIteration
            self._woken.clear()
            await self._woken.wait()
        return self._take()

    def close(self, error: BacklineError | None) -> None:
        """There will be no other."""
        self._end, self._over = error, True
        self._woken.set()

    def _ready(self) -> bool:
        return bool(self._queue)

    def _take(self) -> T:
        return self._queue.popleft()
