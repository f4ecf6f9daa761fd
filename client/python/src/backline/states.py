"""What the shared transport was told to be, one state after the other."""

from collections import deque
from typing import Final

from backline.playing import Playing
from backline.stream import Stream

STATES_MAX: Final = 1000


class States(Stream[Playing]):
    """The state as it is, then every new one. To a slow reader the oldest are lost."""

    def __init__(self, first: Playing | None) -> None:
        super().__init__(deque([first] if first is not None else (), maxlen=STATES_MAX))

    def tell(self, state: Playing) -> None:
        """There is a new one."""
        self._queue.append(state)
        self._woken.set()
