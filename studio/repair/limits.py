"""R18: how many living entries a document may hold.

Counting a root costs time in proportion to it, so a room keeps a `Census`: an upper bound that grows with each
created entry and is counted exactly only when it reaches the limit.
"""

from collections.abc import Iterable
from typing import Any, Self

from pycrdt import Doc

from studio.binding import MISSING, RawMap, Reader, reading
from studio.schema import ENTRY_LIMITS, FIXED_TRACKS, LEAVES, SOFT_DELETED
from studio.watch import Touched


def over_limit(doc: "Doc[Any]") -> bool:
    """True if a root holds more living entries than it may: then only deletions are welcome."""
    return Census.of(doc).over(doc)


class Census:
    """Upper bounds of living entries per limited root."""

    __slots__ = ("_bounds",)

    def __init__(self, bounds: dict[str, int]) -> None:
        self._bounds = bounds

    @classmethod
    def of(cls, doc: "Doc[Any]") -> Self:
        """Counts a loaded document."""
        with reading(doc) as reader:
            return cls({root: _living(reader, root) for root in ENTRY_LIMITS})

    def note(self, touched: Iterable[Touched]) -> None:
        """Raises the bounds for what a transaction may have created or brought back: a few hundred ns per entry."""
        for root, _, keys in touched:
            if root in self._bounds:
                if root in LEAVES:
                    self._bounds[root] += len(keys)
                elif "" in keys or "deleted" in keys:
                    self._bounds[root] += 1

    def over(self, doc: "Doc[Any]") -> bool:
        """True if a limit is exceeded. Counts exactly only the roots whose bound says they might be."""
        doubtful = [root for root, limit in ENTRY_LIMITS.items() if self._bounds[root] > limit]
        if not doubtful:
            return False
        with reading(doc) as reader:
            self._bounds.update({root: _living(reader, root) for root in doubtful})
        return any(self._bounds[root] > ENTRY_LIMITS[root] for root in doubtful)


def _living(reader: Reader, root: str) -> int:
    ids = reader.ids(root)
    if root not in SOFT_DELETED:
        return len(ids)
    return sum(1 for entity in ids if entity not in FIXED_TRACKS and _alive(reader, root, entity))


def _alive(reader: Reader, root: str, entity: str) -> bool:
    entry = reader.entry(root, entity)
    return isinstance(entry, RawMap) and reader.get(entry, "deleted") in (None, MISSING)
