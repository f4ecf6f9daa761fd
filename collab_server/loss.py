"""Was work lost here that had been told to others? Then whoever heard of it may bring it back."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from uuid import UUID

ASK_SECONDS = 5.0
"""By then another node has answered, and committed what it told, or it is gone."""
FOUND_SECONDS = 300.0
"""For so long an answer holds."""
PATIENCE_SECONDS = 60.0
"""After so long even a node whose database was away has committed what it told, and we have read it."""
DOUBTED_MAX = 1_000
"""Of these are remembered at most; then all are forgotten."""


class Loss(Enum):
    """What is known of it."""

    UNKNOWN = "unknown"
    HAPPENED = "happened"
    EXCLUDED = "excluded"


class Doubts:
    """Since when somebody has been bringing what is unknown here from which clock on of which client."""

    def __init__(self) -> None:
        self._since: dict[tuple[int, int], float] = {}

    def last(self, unknown: tuple[int, int], now: float) -> bool:
        """This is brought (again). Whether it has been for so long that nobody is about to commit it any more."""
        if unknown not in self._since and len(self._since) == DOUBTED_MAX:
            self._since.clear()
        return now - self._since.setdefault(unknown, now) >= PATIENCE_SECONDS


class Inquiry:
    """Asks who is there: work was lost if a node had people in the project and answers no more.

    `ask` asks the other nodes, `answered` says when each was heard last (seconds of the event loop), and `nodes` gives
    those that had people here and did not see them leave.
    """

    def __init__(
        self, ask: Callable[[], None], nodes: Callable[[], Awaitable[set[UUID]]], answered: Mapping[UUID, float]
    ) -> None:
        self._ask = ask
        self._nodes = nodes
        self._answered = answered
        self._loop = asyncio.get_running_loop()
        self._found = Loss.UNKNOWN
        self._until = -math.inf
        self._running = False
        self._again = False

    @property
    def found(self) -> Loss:
        """What is known now."""
        return self._found if self._loop.time() < self._until else Loss.UNKNOWN

    def suppose(self, until: float) -> None:
        """Something may have been lost: that is enough, until then."""
        self._found, self._until = Loss.HAPPENED, until

    def doubted(self) -> bool:
        """Somebody has brought what is unknown here: True if `run` is to be called for it."""
        self._again = True
        if self._running or self.found is Loss.HAPPENED:
            return False
        self._running, self._found = True, Loss.UNKNOWN
        return True

    async def run(self, seconds: float = ASK_SECONDS) -> None:
        """Find out; what is doubted meanwhile is asked for anew. Raises what `nodes` raises: then nothing is known."""
        silent: list[UUID] = []
        try:
            while self._again:
                self._again = False
                asked = self._loop.time()
                self._ask()
                await asyncio.sleep(seconds)
                silent = [node for node in await self._nodes() if self._answered.get(node, -math.inf) < asked]
                if silent:
                    break
            self._found = Loss.HAPPENED if silent else Loss.EXCLUDED
            self._until = self._loop.time() + FOUND_SECONDS
        finally:
            self._running = False
