"""How much work an update may make for yrs when it looks for the places of structs.

A sequence is walked to settle who comes first among concurrent inserts, and a cut copies the text that is cut; so the
cost is a product of two sizes that a hostile author chooses: 30 KB can take seconds, in which nothing else moves. The
gate does not know the order of a sequence, so it reckons with the worst: every struct passes every other.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from collab_server.gate.inspection import Id
from collab_server.gate.runs import Slot

_STRUCT = 128
"""A struct weighs as much as 128 UTF-16 units: yrs steps over it in the time it takes to copy them, some 150 ns."""
_CUT = 1024
_KEY_HISTORY = 5_000
"""How many values a key is taken to have had; they are not counted."""


class Sequence(NamedTuple):
    """A text: its weight, and where its last insert ended, so that a key stroke after a key stroke is one struct."""

    weight: int
    end: Id
    right: Id | None


_NEW = Sequence(0, (-1, 0), None)


class Work:
    """The steps of one update, counted against the sequences as they were before it."""

    __slots__ = ("_fresh", "_heavy", "_opened", "_sequences", "steps")

    def __init__(self, sequences: Mapping[Slot, Sequence]) -> None:
        self.steps = 0
        self._sequences = sequences
        self._fresh: dict[Slot, Sequence] = {}
        self._heavy: dict[Slot, int] = {}
        self._opened: set[Slot] = set()

    def insert(self, slot: Slot, own: Id, units: int, left: Id | None, right: Id | None) -> None:
        """A struct at `own` in a sequence; `units` of text, 0 for anything else.

        Text typed in one go is joined by yrs, but only when the whole update is in.
        """
        before = self._fresh.get(slot) or self._sequences.get(slot, _NEW)
        heavy = self._heavy.get(slot, before.weight)
        self.steps += heavy // _STRUCT
        self._heavy[slot] = heavy + _STRUCT + units
        joined = units and before.end == own and left == (own[0], own[1] - 1) and right == before.right
        weight = before.weight + units + (0 if joined else _STRUCT)
        self._fresh[slot] = Sequence(weight, (own[0], own[1] + units) if units else _NEW.end, right)

    def cut(self, slot: Slot | None) -> None:
        """A deletion that starts in `slot`."""
        if slot is not None and slot[1] is None:
            weight = self._heavy.get(slot) or self._sequences.get(slot, _NEW).weight
            self.steps += weight // _CUT

    def open(self, slot: Slot) -> None:
        """A value that claims to be a key's first: yrs walks over all that the key ever had. Once is honest."""
        if slot in self._opened:
            self.steps += _KEY_HISTORY
        self._opened.add(slot)

    def settled(self) -> Iterator[tuple[Slot, Sequence]]:
        """The sequences as they are once the update is in."""
        yield from self._fresh.items()
