"""What the shared transport was told to be, one state after the other."""

import asyncio
from collections import deque
from typing import Final, Self

from backline.errors import BacklineError
from backline.playing import Playing

STATES_MAX: Final = 1000


class States:
    """An endless async iterator: the state as it is, then every new one. To a slow reader the oldest are lost."""

    def __init__(self, first: Playing | None) -> None:
        self._queue: deque[Playing] = deque([first] if first is not None else (), maxlen=STATES_MAX)
        self._end: BacklineError | None = None
        self._over = False
        self._woken = asyncio.Event()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Playing:
        """The next state. Raises what has ended the connection for good."""
        while not self._queue:
            if self._end is not None:
                raise self._end
            if self._over:
                raise StopAsyncIteration
            self._woken.clear()
            await self._woken.wait()
        return self._queue.popleft()

    def tell(self, state: Playing) -> None:
        """There is a new one."""
        self._queue.append(state)
        self._woken.set()

    def close(self, error: BacklineError | None) -> None:
        """There will be no other."""
        self._end, self._over = error, True
        self._woken.set()
