"""What an update holds, and how that compares with what a room knows."""

from array import array
from collections.abc import Mapping

from collab_server.gate.order import stuck

Id = tuple[int, int]
"""(client, clock)."""
Place = tuple[int, int, int, int, Id | None, Id | None, str | Id | None, str | None]
"""(client, start, end, content, left origin, right origin, parent: a root's name or an id, key) of a struct."""


class Inspection:
    """What an update holds. Clocks are half open: `start` inside, `end` outside.

    ranges    (client, start, end) of structs, in the order of the update; several for a client only across Skip structs
    needs     (client, clock, other, end): the struct of `client` at `clock` leans on `other` being known up to `end`
    roots     names of the root types that structs name as their parent
    deletes   (client, clock, length), ascending and apart within a client
    types     (client, clock) -> kind (0 array, 1 map, 2 text) of structs that are types
    halves    (client, clock) of second halves of surrogate pairs in texts
    places    every struct but the skips, for `shape`
    offsets   if asked for: where in the update each struct begins, and behind each client's structs where they end
    """

    __slots__ = ("deletes", "halves", "needs", "offsets", "places", "ranges", "roots", "types")

    def __init__(self) -> None:
        self.ranges: list[tuple[int, int, int]] = []
        self.needs: list[tuple[int, int, int, int]] = []
        self.roots: set[str] = set()
        self.deletes: list[tuple[int, int, int]] = []
        self.types: dict[Id, int] = {}
        self.halves: list[Id] = []
        self.places: list[Place] = []
        self.offsets = array("Q")


def missing(found: Inspection, known: Mapping[int, int]) -> bool:
    """Whether the update leans on what neither `known` (client -> first unknown clock) nor the update itself has.

    True means: do not apply, ask the sender for everything (SyncStep1). Structs within one update may lean on each
    other across clients, but not in a ring.
    """
    get = known.get
    ranges = found.ranges
    for client, start, _ in ranges:
        if start > get(client, 0):
            return True
    if found.needs and stuck(found.needs, ranges, known):
        return True
    own: dict[int, int] | None = None
    for client, clock, length in found.deletes:
        end = clock + length
        if end > get(client, 0):
            if own is None:
                own = {writer: upto for writer, _, upto in ranges}
            if end > own.get(client, 0):
                return True
    return False


def news(found: Inspection, known: Mapping[int, int]) -> list[tuple[int, int, int]]:
    """The ranges, or the parts of them, that `known` does not have."""
    fresh = []
    for client, start, end in found.ranges:
        have = known.get(client, 0)
        if end > have:
            fresh.append((client, max(start, have), end))
    return fresh
