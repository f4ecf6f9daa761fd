"""How large a document is, at most: what was added is summed, and all of it is measured only near the limit."""

from collections.abc import Callable


class Extent:
    """In encoded bytes. yrs collects what was deleted, so that the sum is an upper bound; `state` encodes it all."""

    __slots__ = ("_measured", "_state", "bytes")

    def __init__(self, bytes: int, state: Callable[[], bytes]) -> None:
        self.bytes = bytes
        self._state = state
        self._measured = 0

    def has_room(self, size: int, limit: int) -> bool:
        """Whether `size` bytes more keep to the limit. Measured at most once between two additions."""
        if self.bytes + size <= limit:
            return True
        if self.bytes != self._measured:
            self.bytes = self._measured = len(self._state())
        return self.bytes + size <= limit
