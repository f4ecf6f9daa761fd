"""Commands that wait for the server's word: given again on every new connection, in order, under the same id."""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from backline.errors import BacklineError

Message: TypeAlias = Mapping[str, Any]
AGAIN_SECONDS: Final = (0.5, 4.0)
"""After such a pause, the first and the longest, a command is given again that nobody could decide, or that came too
soon after others."""
WAITING_MAX: Final = 8
"""So many are on their way at a time; the others wait here. The server allows bursts of 120, and then 20 a second."""
AGAIN: Final = frozenset({"unavailable", "rate"})


class Orders:
    """What was commanded and not answered."""

    def __init__(self, say: Callable[[Message], None]) -> None:
        self._say = say
        self._waiting: dict[str, tuple[Message, asyncio.Future[Message]]] = {}
        self._turns = asyncio.Semaphore(WAITING_MAX)
        self._heard = False
        self._end: BacklineError | None = None

    async def decided(self, message: Message) -> Message:
        """The answer to a command: it is carried out once, however often it is given. Raises what `end` was told."""
        pause, longest = AGAIN_SECONDS
        async with self._turns:
            while (answer := await self._asked(message["id"], message)).get("code") in AGAIN:
                await asyncio.sleep(pause * (1 + random.random()) / 2)  # noqa: S311 - no secret
                pause = min(longest, pause * 2)
            return answer

    async def _asked(self, id: str, message: Message) -> Message:
        if self._end is not None:
            raise self._end
        waiting: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[id] = message, waiting
        if self._heard:
            self._say(message)
        try:
            return await waiting
        finally:
            del self._waiting[id]

    def welcome(self) -> None:
        """The server knows who we are, and may not know what we have commanded."""
        self._heard = True
        for message, waiting in self._waiting.values():
            if not waiting.done():
                self._say(message)

    def lost(self) -> None:
        """What is commanded from now on waits for the next connection."""
        self._heard = False

    def answered(self, told: Message) -> None:
        """The server's word."""
        _, waiting = self._waiting.get(str(told["id"]), (None, None))
        if waiting is not None and not waiting.done():
            waiting.set_result(told)

    def end(self, error: BacklineError) -> None:
        """No command will be answered any more."""
        self._end = error
        for _, waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(error)
