"""Where clips, effects and notes of clips belong, as far as that is certain between two ticks.

An editor of chosen tracks drags a clip: asking the shadow about each step would cost more than the step. As long as
nothing was admitted that may have moved it, the answer of before holds.
"""

from typing import Any, Protocol

from pycrdt import Doc

from studio.belonging import track_of
from studio.binding import MISSING, reading


class Seen(Protocol):
    """What is looked at."""

    @property
    def applied(self) -> "Doc[Any]":
        """The document without what is put aside."""


class Whereabouts:
    """Looks at a document with everything but plain values that were put aside."""

    __slots__ = ("_seen", "generation", "uncertain")

    def __init__(self) -> None:
        self._seen: Seen | None = None
        self.generation = 0
        """Answers hold while this stays the same."""
        self.uncertain = False
        """Something waits for the tick that may move things."""

    def look_at(self, document: Seen) -> None:
        """From now on at this one."""
        self._seen = document

    def look_away(self) -> None:
        """Let the document go: it has the admission that asks here, and nobody waits for the garbage collector."""
        self._seen = None

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
        if self.uncertain or self._seen is None:
            return None
        with reading(self._seen.applied) as reader:
            return track_of(root, entry, reader.value) if reader.entry(root, entry) is not MISSING else None
