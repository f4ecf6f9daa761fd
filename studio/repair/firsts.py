"""The server's memory of what must not change: values as they were first seen.

Immutable fields (R5), stamps of authorship, locks and the server's own roots (R17) are compared with it. What comes
through the journal (the server's own edits, other nodes' already judged edits) is `accept`ed; what comes from a
client's socket is judged by `repair`. Without that difference two nodes would undo each other for ever.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, Self

from pycrdt import Doc

from studio import schema
from studio.binding import MISSING, RawMap, Reader, reading
from studio.schema import ENTITIES, IMMUTABLE, SERVER_FIELDS, SERVER_ROOTS, STAMPED
from studio.watch import Touched

GUARDED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        root: IMMUTABLE.get(root, frozenset()) | SERVER_FIELDS.get(root, frozenset()) | frozenset(STAMPED.get(root, ()))
        for root in ENTITIES
    }
)


def valid(root: str, entity: str, key: str, value: object) -> object:
    """What repair makes of a value: only that is worth remembering."""
    spec = schema.field(root, key)
    return value if spec is None else spec.fix(value, entity)


class Firsts:
    """First-seen values by (root, id), last known positions of clips that carry notes. One per loaded document."""

    __slots__ = ("_anchored", "_values")

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], dict[str, object]] = {}
        self._anchored: dict[str, float] = {}

    @classmethod
    def of(cls, doc: "Doc[Any]") -> Self:
        """What the server knows of a document it has just loaded: everything in it."""
        firsts = cls()
        with reading(doc) as reader:
            for root in SERVER_ROOTS:
                firsts._take_root(reader, root, reader.ids(root))
            for root, guarded in GUARDED.items():
                for entity in reader.ids(root) if guarded else ():
                    firsts.meet(reader, root, entity)
            for note in reader.ids("notes"):
                firsts.see_anchor(reader, note)
        return firsts

    def accept(self, doc: "Doc[Any]", touched: Iterable[Touched]) -> None:
        """Takes over what the journal brought: these values are the server's own now."""
        with reading(doc) as reader:
            for root, entity, keys in touched:
                if root in SERVER_ROOTS:
                    self._take_root(reader, root, keys)
                elif GUARDED.get(root) and (keys & GUARDED[root] or "" in keys):
                    self.meet(reader, root, entity)

    def meet(self, reader: Reader, root: str, entity: str) -> None:
        """Remembers the guarded fields of an entity as they are now; forgets an entity that is gone."""
        found = reader.entry(root, entity)
        if not isinstance(found, RawMap):
            self._values.pop((root, entity), None)
            return
        present = {key: reader.plain(reader.get(found, key)) for key in GUARDED[root]}
        self._values[root, entity] = {
            key: valid(root, entity, key, value) for key, value in present.items() if value is not MISSING
        }

    def recall(self, root: str, entity: str, key: str) -> object:
        """The value first seen, or MISSING."""
        return self._values.get((root, entity), {}).get(key, MISSING)

    def learn(self, root: str, entity: str, key: str, value: object) -> None:
        """A field that was absent is now set: this is its first value."""
        self._values.setdefault((root, entity), {})[key] = valid(root, entity, key, value)

    def _take_root(self, reader: Reader, root: str, keys: Iterable[str]) -> None:
        held = self._values.setdefault((root, ""), {})
        for key in keys:
            value = reader.entry(root, key)
            if value is MISSING:
                held.pop(key, None)
            else:
                held[key] = reader.plain(value)

    def see_anchor(self, reader: Reader, note: str) -> None:
        """A note that hangs on a clip: remember where that clip is, for the day it is gone (R16)."""
        anchor = reader.value("notes", note, "anchor")
        if isinstance(anchor, list) and len(anchor) == 3 and anchor[0] == "c" and isinstance(anchor[1], str):
            self._anchored.setdefault(anchor[1], 0.0)
            self.see_position(anchor[1], reader.value("clips", anchor[1], "pos"))

    def see_position(self, clip: str, pos: object) -> None:
        """The position of a clip was written; kept only for clips that carry notes."""
        if clip in self._anchored and isinstance(pos, float):
            self._anchored[clip] = pos

    def last_position(self, clip: str) -> float:
        """Where the clip was last seen, in ticks; 0 if it never was."""
        return self._anchored.get(clip, 0.0)
