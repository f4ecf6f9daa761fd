"""Leaf roots whose values are objects: automation lanes, sections of the arrangement, slots of the live grid.

They are written whole, as named tuples; keys that this package does not know stay as they are.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, NamedTuple, TypeVar

from backline.entities import COLOR, ORDER, PARAMETER
from backline.errors import InvalidValue
from backline.ids import new_id
from backline.order import between
from backline.rows import Rows, cells
from backline.specs import Flag, Integer, Nullable, Pattern, Spec, String

SCENES: Final = 64


class Lane(NamedTuple):
    """An automation lane: what 0 and 1 of its points mean, and the value without points."""

    on: bool = True
    min: float = 0
    max: float = 1
    default: float = 0


class Section(NamedTuple):
    """A part of the arrangement: its place among the others, a name of at most 80 units, its length (0 to 10,000)."""

    order: str
    name: str = ""
    bars: int = 0


class Slot(NamedTuple):
    """A place of the live grid: the id of the clip that it launches, and a colour, or None."""

    clip: str | None = None
    color: str | None = None


R = TypeVar("R", bound="Lane | Section | Slot")


class RecordShape(Generic[R]):
    """A row stored as an object; `names` are its keys, in the order of the tuple's cells."""

    def __init__(self, kind: type[R], specs: Mapping[str, Spec[object]]) -> None:
        self.kind: Callable[..., R] = kind
        self.names, self.specs = tuple(specs), tuple(specs.values())

    def stored(self, row: R, was: object) -> object:
        """ValueError naming the key that is not allowed."""
        kept = {key: value for key, value in was.items() if key not in self.names} if isinstance(was, dict) else {}
        return {**kept, **dict(zip(self.names, cells(self.names, self.specs, row), strict=True))}

    def read(self, stored: object, id: str) -> R | None:
        """None for what cannot be read at all."""
        if not isinstance(stored, dict):
            return None
        return self.kind(*(spec.read(stored.get(name), id) for name, spec in zip(self.names, self.specs, strict=True)))


LANES: Final = RecordShape(Lane, {"on": Flag(True), "min": PARAMETER, "max": PARAMETER, "def": PARAMETER})
SECTIONS: Final = RecordShape(Section, {"order": ORDER, "name": String(80), "bars": Integer(0, 10_000, 0)})
SLOTS: Final = RecordShape(Slot, {"clip": Nullable(String(160)), "color": Nullable(Pattern(COLOR))})


class Arrangement(Rows[Section]):
    """The sections of the arrangement in their order."""

    def add(self, name: str, bars: int, order: str | None = None) -> str:
        """Another section, the last one unless `order` says otherwise; its id. Raises InvalidValue, NotAllowed."""
        id, last = new_id("s"), max((section.order for section in self.values()), default="")
        self[id] = Section(between(last, None) if order is None else order, name, bars)
        return id

    def rank(self, id: str, row: Section) -> tuple[Any, ...]:
        return (row.order, id)


class Slots(Rows[Slot]):
    """The live grid; ids are `<track>:<scene>`, scenes count from 0 to 63."""

    def put(self, track: str, scene: int, clip: str | None = None, color: str | None = None) -> str:
        """Fill the slot of a track (its id) in a scene; the slot's id. Raises InvalidValue, NotAllowed."""
        id = f"{track}:{scene}"
        if isinstance(scene, bool) or not isinstance(scene, int) or not 0 <= scene < SCENES:
            raise InvalidValue(f"slots/{id}", scene, f"a scene from 0 to {SCENES - 1} is needed")
        self[id] = Slot(clip, color)
        return id

    def of(self, track: str) -> dict[int, Slot]:
        """The slots of a track by their scenes."""
        found = {id: row for id, row in self.items() if id.rpartition(":")[0] == track}
        return {int(id.rpartition(":")[2]): row for id, row in found.items() if _scene(id) < SCENES}

    def rank(self, id: str, row: Slot) -> tuple[Any, ...]:
        return (id.rpartition(":")[0], _scene(id), id)


def _scene(id: str) -> int:
    """The scene that a slot's id names; SCENES for none."""
    scene = id.rpartition(":")[2]
    return int(scene) if scene.isascii() and scene.isdecimal() and len(scene) <= 2 else SCENES
