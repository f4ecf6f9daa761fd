"""Where clips, effects and notes of clips belong, as far as that is certain between two ticks.

An editor of chosen tracks drags a clip: asking the shadow about each step would cost more than the step. As long as
nothing was admitted that may have moved it, the answer of before holds.
"""

from collections.abc import Callable
from typing import Any

from pycrdt import Doc

from studio.belonging import track_of
from studio.binding import MISSING, reading


class Whereabouts:
    """`live` gives the document with everything but plain values that were put aside."""

    __slots__ = ("_live", "generation", "uncertain")

    def __init__(self, live: "Callable[[], Doc[Any]]") -> None:
        self._live = live
        self.generation = 0
        """Answers hold while this stays the same."""
        self.uncertain = False
        """Something waits for the tick that may move things."""

    def may_move(self) -> None:
        """Something was admitted that may move things."""
        self.uncertain = True

    def moved(self) -> None:
        """Everything that was admitted is applied, and may have moved things."""
        self.uncertain = False
        self.generation += 1

    def changed(self) -> None:
        """Something was applied that did not wait for the tick."""
        self.generation += 1

    def owner(self, root: str, entry: str) -> str | None:
        """The track it belongs to, "" for none; None if it is not there, or nobody can tell before the tick."""
        if self.uncertain:
            return None
        with reading(self._live()) as reader:
            return track_of(root, entry, reader.value) if reader.entry(root, entry) is not MISSING else None
