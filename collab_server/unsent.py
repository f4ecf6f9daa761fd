"""What somebody wrote who may not write any more: kept for a private draft, merged with nothing."""

from pycrdt import merge_updates

UNSENT_BYTES_MAX = 1024 * 1024
UNSENT_MAX = 2_000
"""For a connection: what comes beyond is not kept."""


class Unsent:
    """The refused updates of one connection, in order: read by the gate, but nobody knows where they stand."""

    __slots__ = ("_size", "_updates", "fresh")

    def __init__(self) -> None:
        self._updates: list[bytes] = []
        self._size = 0
        self.fresh = False
        """Whether anything came since `taken`."""

    def lay_by(self, update: bytes) -> bool:
        """One more, if there is room; True if it is the first since `taken`."""
        if len(self._updates) >= UNSENT_MAX or self._size + len(update) > UNSENT_BYTES_MAX:
            return False
        self._updates.append(update)
        self._size += len(update)
        first, self.fresh = not self.fresh, True
        return first

    def taken(self) -> list[bytes]:
        """Everything so far."""
        self.fresh = False
        return self._updates[:]


def merged(updates: list[bytes]) -> bytes | None:
    """One update of them all; None if yrs can't make one."""
    try:
        return merge_updates(*updates) if len(updates) > 1 else updates[0]
    except BaseException as error:  # yrs panics are BaseExceptions
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        return None
