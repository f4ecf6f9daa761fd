"""The encoded full state for newcomers, cached: 150 people joining 4 MB cost 150 writes of the same bytes.

While edits come in, the cached state stays and the edits since are sent behind it; it is encoded anew when that tail
has grown to a fraction of it. Who takes compressed messages gets the state compressed once for all; a large one is
compressed beside the event loop, and meanwhile newcomers get it as it is.
"""

from collections.abc import Callable, Iterable
from typing import Final

from collab_server.dialects.dialect import Dialect

EMPTY_VECTOR = b"\x00"
_TAIL_BYTES_MIN = 16 * 1024
DEFLATE_BYTES_MIN: Final = 1024
DEFLATE_AT_ONCE_BYTES_MAX: Final = 128 * 1024
"""One millisecond."""


class JoinState:
    """What a client with nothing needs, in every dialect that was asked for."""

    def __init__(self) -> None:
        self._frames: dict[tuple[Dialect, bool], bytes] = {}
        self._deflating: set[Dialect] = set()
        self._state = b""
        self._tail: list[bytes] = []
        self._tail_bytes = 0

    def prime(self, state: bytes, since: Iterable[bytes]) -> None:
        """The document was just loaded from this encoded state and these edits after it: nothing need be encoded."""
        self._state = state
        for update in since:
            self.extend(update)

    def extend(self, update: bytes) -> None:
        """An edit was applied to the document."""
        if not self._state:
            return
        self._tail.append(update)
        self._tail_bytes += len(update)
        if self._tail_bytes > max(_TAIL_BYTES_MIN, len(self._state) // 8):
            self.forget()

    def forget(self) -> None:
        """Encode anew at the next join."""
        self._state = b""
        self._frames.clear()
        self._deflating.clear()
        self._tail.clear()
        self._tail_bytes = 0

    def frames(self, state: Callable[[], bytes], dialect: Dialect, *, deflated: bool = False) -> bytes:
        """Step2 with the whole state, compressed if it is asked for and there, followed by the edits since. `state`
        encodes the document."""
        if not self._state:
            self._state = state()
        step2 = self._step2(dialect, deflated)
        return b"".join((step2, *map(dialect.update, self._tail))) if self._tail else step2

    def to_deflate(self, dialect: Dialect) -> bytes | None:
        """The state if somebody should compress it beside the event loop: told once, and `keep` is awaited."""
        large = len(self._state) > DEFLATE_AT_ONCE_BYTES_MAX
        if not large or not dialect.shared or dialect in self._deflating or (dialect, True) in self._frames:
            return None
        self._deflating.add(dialect)
        return self._state

    def keep(self, dialect: Dialect, state: bytes, frame: bytes) -> None:
        """A compressed Step2 of `state` is there, if that is still what newcomers get."""
        if state is self._state:
            self._frames[dialect, True] = frame

    def _step2(self, dialect: Dialect, deflated: bool) -> bytes:
        found = self._frames.get((dialect, True)) if deflated else None
        if found is not None:
            return found
        at_once = deflated and DEFLATE_BYTES_MIN <= len(self._state) <= DEFLATE_AT_ONCE_BYTES_MAX
        frame = self._frames.get((dialect, at_once))
        if frame is None:
            frame = dialect.step2(self._state, deflated=at_once)
            if dialect.shared:
                self._frames[dialect, at_once] = frame
        return frame
