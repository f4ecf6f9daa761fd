"""One client's clocks and the slots they stand in."""

from array import array
from bisect import bisect_left, bisect_right

from collab_server.gate.inspection import Id

Slot = tuple[str | Id, str | None]
"""(root name or id of the containing type, key or None in a sequence)."""


class Runs:
    """One client's clocks up to `end`, each run standing in one slot; `dead` runs arrived as deleted content.

    `halves` are the clocks, ascending, that are second halves of a surrogate pair.
    """

    __slots__ = ("dead", "end", "halves", "slots", "starts")

    def __init__(self, end: int = 0) -> None:
        self.starts = array("I")
        self.slots: list[Slot | None] = []
        self.dead = bytearray()
        self.halves = array("I")
        self.end = end

    def add(self, start: int, slot: Slot | None, dead: bool) -> None:
        """A run from `start` on, joined to the last one if it is the same."""
        if not (self.slots and self.slots[-1] == slot and self.dead[-1] == dead):
            self.starts.append(start)
            self.slots.append(slot)
            self.dead.append(dead)

    def at(self, clock: int) -> tuple[Slot | None, bool]:
        """(slot, dead) of a clock below `end`."""
        index = bisect_right(self.starts, clock) - 1
        return (self.slots[index], bool(self.dead[index])) if index >= 0 else (None, False)

    def within(self, start: int, end: int, slot: Slot) -> bool:
        """Whether all clocks from `start` to below `end`, which are known, stand in `slot`."""
        index = bisect_right(self.starts, start) - 1
        last = bisect_left(self.starts, end)
        return index >= 0 and all(found == slot for found in self.slots[index:last])

    def halved(self, clock: int) -> bool:
        """Whether a cut before `clock` would go through a surrogate pair."""
        halves = self.halves
        index = bisect_left(halves, clock)
        return index < len(halves) and halves[index] == clock
