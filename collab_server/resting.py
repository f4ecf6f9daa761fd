"""A document that is put away while nobody looks at it: its encoded form is a twentieth of what yrs keeps in memory.

Ten thousand rooms are open in the evening, and in most of them people listen, talk or sleep.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from pycrdt import Doc

from collab_server.join_state import EMPTY_VECTOR
from studio.binding import apply
from studio.blank import open_doc
from studio.watch import Touched, watch

ROUNDS: Final = 12
"""So often nobody has looked before it is put away, if there is room in memory; a round is five seconds."""

BYTES_MAX: Final = 256 * 1024
"""Of the encoded form: taking it out again is done at once, and takes 15 ms for a megabyte."""


class Resting:
    """A watched Doc. Whoever reads `doc` has it, put away or not, and the client id stays the same. Newcomers need but
    `vector` and `state`, and leave it where it is."""

    def __init__(self, doc: "Doc[Any]", sink: Callable[[Touched], None]) -> None:
        self.client_id = doc.client_id
        self._sink = sink
        self._doc: Doc[Any] | None = doc
        self._watch = watch(doc, sink)
        self._away = b""
        self._away_vector = b""
        self._looked = True
        self._rounds = 0
        self._notice: Callable[[], object] = _nobody
        self._stays = False
        """It was found too large, and nobody has looked since."""

    @property
    def doc(self) -> "Doc[Any]":
        """The document, taken out if it was put away."""
        if not self._looked:
            if self._doc is None:
                self._take_out()
            self._looked = True
            self._notice()
        assert self._doc is not None
        return self._doc

    def on_look(self, notice: Callable[[], object]) -> None:
        """Call `notice` when somebody looks for the first time since `round`, and whenever what is put away is read."""
        self._notice = notice

    @property
    def away(self) -> bool:
        """Whether it is put away."""
        return self._doc is None

    def glance(self) -> "Doc[Any]":
        """To read it once: if it is put away it stays so, and this is a copy."""
        return self.doc if self._doc is not None else self._opened()

    def state(self) -> bytes:
        """The whole document, encoded: what is put away is that already."""
        if self._doc is None:
            self._notice()
            return self._away
        return self.doc.get_update(EMPTY_VECTOR)

    def vector(self) -> bytes:
        """The document's state vector, put away or not."""
        return self._away_vector if self._doc is None else self.doc.get_state()

    def round(self, patience: int = ROUNDS) -> bool:
        """Some seconds have passed: put it away if nobody has looked for so many rounds. Whether it is put away."""
        if self._doc is None:
            return True
        if self._looked:
            self._rounds, self._stays = 0, False
        else:
            self._rounds += 1
        self._looked = False
        if self._rounds >= patience and not self._stays:
            self._put_away(self._doc)
        return self._doc is None

    def apply_unnoticed(self, updates: Iterable[bytes]) -> None:
        """Applies updates in one transaction without a note about them: whoever brings them knows what they touch."""
        doc = self.doc
        self._watch.looks_away = True
        try:
            apply(doc, updates)
        finally:
            self._watch.looks_away = False

    def close(self) -> None:
        """Let the document go: an observer that is never removed pins it."""
        self._watch.close()

    def _put_away(self, doc: "Doc[Any]") -> None:
        encoded = doc.get_update(EMPTY_VECTOR)
        self._stays = len(encoded) > BYTES_MAX
        if not self._stays:
            self._away, self._away_vector = encoded, doc.get_state()
            self._watch.close()
            self._doc = None

    def _take_out(self) -> None:
        self._doc = doc = self._opened()
        self._watch = watch(doc, self._sink)
        self._away = self._away_vector = b""

    def _opened(self) -> "Doc[Any]":
        doc = open_doc(self.client_id)
        doc.apply_update(self._away)
        return doc


def _nobody() -> None:
    """Nobody wants to know."""
