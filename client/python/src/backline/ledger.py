"""What was made, what was sent, and what the server said is committed.

The server sends an author's own update back, byte for byte, after the commit, in the order of sending. So an echo
vouches for everything sent before it on the same connection.
"""

import asyncio
from collections.abc import Callable

from backline.errors import BacklineError, NotSaved, Unsaved


def untold(_error: BacklineError) -> None:
    """Nobody wants to know."""


class Ledger:
    """Own edits by number, and the messages that are on their way."""

    def __init__(self) -> None:
        self.failure: BacklineError | None = None
        """Why nothing will be saved any more."""
        self.failed: Callable[[BacklineError], None] = untold
        """Called when that is known."""
        self._made = 0
        self._unsaved: dict[int, Unsaved] = {}
        self._awaited: dict[bytes, int] = {}
        self._waiting: dict[asyncio.Future[None], int] = {}

    @property
    def made(self) -> int:
        """How many own edits there were: the number of the newest."""
        return self._made

    @property
    def unsaved(self) -> list[Unsaved]:
        """Own edits without a confirmation, in order."""
        return list(self._unsaved.values())

    def edited(self, update: bytes, places: tuple[str, ...]) -> None:
        """One more own edit."""
        self._made += 1
        self._unsaved[self._made] = Unsaved(places, update)

    def sent(self, update: bytes) -> None:
        """A message left: with its echo, everything made until now is committed."""
        self._awaited[update] = self._made

    def echoed(self, update: bytes) -> bool:
        """An update arrived; True if it is the echo of an own one."""
        upto = self._awaited.get(update)
        if upto is None:
            return False
        for waiting in [other for other, number in self._awaited.items() if number <= upto]:
            del self._awaited[waiting]
        for number in [number for number in self._unsaved if number <= upto]:
            del self._unsaved[number]
        self._look()
        return True

    def disconnected(self) -> None:
        """What was on its way may be lost: it is sent again, and awaited anew, on the next connection."""
        self._awaited.clear()

    def fail(self, error: BacklineError) -> None:
        """Nothing will be saved any more: whoever waits hears of it."""
        if self.failure is None:
            self.failure = error
            self._look()
            self.failed(error)

    async def saved(self, within: float | None) -> None:
        """Return when every edit made before this call is committed. NotSaved after `within` seconds, or on failure."""
        upto = self._made
        if self._settled(upto):
            return
        if self.failure is None:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting[waiting] = upto
            try:
                await asyncio.wait_for(waiting, within)
            except TimeoutError:
                pass
            finally:
                self._waiting.pop(waiting, None)
        if not self._settled(upto):
            raise NotSaved([edit for number, edit in self._unsaved.items() if number <= upto]) from self.failure

    def _settled(self, upto: int) -> bool:
        return all(number > upto for number in self._unsaved)

    def _look(self) -> None:
        for waiting, upto in self._waiting.items():
            if not waiting.done() and (self.failure is not None or self._settled(upto)):
                waiting.set_result(None)
