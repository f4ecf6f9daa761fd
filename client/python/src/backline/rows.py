"""Leaf roots: values that are written whole, as named tuples. Positions are ticks, 960 to the quarter note."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Final, Generic, NamedTuple, Protocol, TypeVar

from backline.document import Document
from backline.entities import TICK_MAX
from backline.errors import InvalidValue, NoSuchEntity
from backline.ids import new_id
from backline.leaves import DENOMINATORS
from backline.specs import Choice, Integer, Number, Spec
from backline.timeline import SignatureChange, TempoPoint

TICK: Final = Integer(0, TICK_MAX, 0)
UNIT: Final = Number(0, 1, 0)


class Event(NamedTuple):
    """A MIDI note of a clip: content tick, duration in ticks (≥ 1), pitch 0-127 (36 a kick), velocity 0-1."""

    tick: int
    dur: int
    pitch: int
    vel: float = 0.8


class Point(NamedTuple):
    """A point of an automation lane: value 0-1 of the lane's range; curve 0 hold, 1 linear, 2-4 ease in, out, both."""

    tick: int
    value: float
    curve: int = 1


R = TypeVar("R", bound=tuple[Any, ...])


class Shape(Protocol[R]):
    """How a row is stored."""

    def stored(self, row: R, was: object) -> object: ...

    def read(self, stored: object, id: str) -> R | None: ...


class ListShape(Generic[R]):
    """A row stored as a list."""

    def __init__(self, kind: type[R], *specs: Spec[object]) -> None:
        self.kind: Callable[..., R] = kind
        self.specs, self.names = specs, tuple(kind.__annotations__)

    def stored(self, row: R, was: object) -> object:
        """ValueError naming the cell that is not allowed."""
        return cells(self.names, self.specs, row)

    def read(self, stored: object, id: str) -> R | None:
        """None for what cannot be read at all."""
        if not isinstance(stored, list) or len(stored) < len(self.specs):
            return None
        return self.kind(*(spec.read(cell, id) for spec, cell in zip(self.specs, stored, strict=False)))


def cells(names: tuple[str, ...], specs: Sequence[Spec[object]], row: Sequence[object]) -> list[object]:
    """Each cell as it is stored. ValueError."""
    accepted: list[object] = []
    for name, spec, value in zip(names, specs, row, strict=True):
        try:
            accepted.append(spec.accept(value))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return accepted


TEMPO: Final = ListShape(TempoPoint, TICK, Number(20, 400, 120), Integer(0, 1, 0))
SIGNATURES: Final = ListShape(SignatureChange, TICK, Integer(1, 32, 4), Choice[int](DENOMINATORS, 4))
EVENTS: Final = ListShape(Event, TICK, Integer(1, TICK_MAX, 240), Integer(0, 127, 60), UNIT)
POINTS: Final = ListShape(Point, TICK, UNIT, Integer(0, 4, 0))


class Rows(Generic[R]):
    """A leaf root as a mapping: id → row. Rows are replaced whole: `project.tempo[id] = TempoPoint(3840, 90)`."""

    prefix: ClassVar[str] = "p"

    def __init__(self, document: Document, root: str, shape: Shape[R]) -> None:
        self._document, self._root, self._shape = document, root, shape

    def __getitem__(self, id: str) -> R:
        """A row. Raises NoSuchEntity."""
        row = self._shape.read(self._document.value(self._root, id, ""), id)
        if row is None:
            raise NoSuchEntity(self._root, id)
        return row

    def __setitem__(self, id: str, row: R) -> None:
        """Write a row. Raises InvalidValue, NotAllowed."""
        try:
            stored = self._shape.stored(row, self._document.value(self._root, id, ""))
        except ValueError as error:
            raise InvalidValue(f"{self._root}/{id}", row, str(error)) from None
        with self._document.transaction() as draft:
            draft.set(self._root, id, "", stored)

    def __delitem__(self, id: str) -> None:
        """Remove a row, for good (undo brings it back). Raises NoSuchEntity, NotAllowed."""
        if id not in self:
            raise NoSuchEntity(self._root, id)
        with self._document.transaction() as draft:
            draft.remove(self._root, id)

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and self._document.has(self._root, id)

    def __iter__(self) -> Iterator[str]:
        return iter(id for id, _ in self.items())

    def __len__(self) -> int:
        return len(self.items())

    def items(self) -> list[tuple[str, R]]:
        """Id and row, in musical order; what cannot be read is left out."""
        read, root = self._shape.read, self._root
        found = ((id, read(self._document.value(root, id, ""), id)) for id in self._document.ids(root))
        rows = [(id, row) for id, row in found if row is not None]
        return sorted(rows, key=lambda item: self.rank(*item))

    def values(self) -> list[R]:
        """The rows, in the same order."""
        return [row for _, row in self.items()]

    def rank(self, id: str, row: R) -> tuple[Any, ...]:
        """What rows are sorted by."""
        return (getattr(row, "tick", 0), id)


class Tempo(Rows[TempoPoint]):
    """The tempo map. A point at tick 0 goes before `transport.bpm`; of equal ticks the last id counts."""

    def add(self, tick: int, bpm: float, curve: int = 0) -> str:
        """Another point; its id. `bpm` 20 to 400, `curve` 0 or 1. Raises InvalidValue, NotAllowed."""
        id = new_id("p")
        self[id] = TempoPoint(tick, bpm, curve)
        return id


class Signatures(Rows[SignatureChange]):
    """Changes of the time signature."""

    def add(self, tick: int, numerator: int, denominator: int = 4) -> str:
        """Another change; its id. Raises InvalidValue, NotAllowed."""
        id = new_id("s")
        self[id] = SignatureChange(tick, numerator, denominator)
        return id


class Events(Rows[Event]):
    """The MIDI notes of all clips; ids are `<clip>/<n_…>`."""

    def add(self, clip: str, tick: int, dur: int, pitch: int, vel: float = 0.8) -> str:
        """Another note of a clip (its id); the note's id. Raises InvalidValue, NotAllowed."""
        id = f"{clip}/{new_id('n')}"
        self[id] = Event(tick, dur, pitch, vel)
        return id

    def of(self, clip: str) -> list[tuple[str, Event]]:
        """Id and note of one clip, by (tick, id)."""
        return [(id, row) for id, row in self.items() if id.startswith(f"{clip}/")]


class Points(Rows[Point]):
    """The points of all automation lanes; ids are `<lane>/<p_…>`."""

    def add(self, lane: str, tick: int, value: float, curve: int = 1) -> str:
        """Another point of a lane (`<track>.<parameter>`); its id. Raises InvalidValue, NotAllowed."""
        id = f"{lane}/{new_id('p')}"
        self[id] = Point(tick, value, curve)
        return id
