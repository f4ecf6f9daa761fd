"""What a field may hold: each spec knows its default and how to bring a wrong value back (rules R2-R4).

`fix(value, entity)` returns *the same object* when the value is allowed, so that the hot path asks `fix(v) is v`.
`entity` is the id of the entity the field belongs to: some defaults are made from it. `rule(value)` names the rule
that a wrong value broke. Numbers arrive from pycrdt as floats, from canonical JSON as ints: both are fine.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from studio.unknown import large_value, surplus


class Dropped:
    """The type of `DROP`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "DROP"


DROP: Final = Dropped()
"""What `fix` returns for an entry that cannot be read at all: it is removed (R1)."""


class Spec(Protocol):
    """What every kind of field can do."""

    def fix(self, value: object, entity: str) -> object: ...

    def initial(self, entity: str) -> object: ...

    def rule(self, value: object) -> str: ...


def finite(value: object) -> float | None:
    """The value as a finite number, or None: booleans, strings, NaN and infinities are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


def half_away(value: float) -> float:
    """Rounded to an integer, halves away from zero: the same in every language."""
    return math.copysign(math.floor(abs(value) + 0.5), value) + 0.0


def utf16_length(text: str) -> int:
    """How long JavaScript thinks the text is."""
    return len(text) + sum(1 for char in text if char > "\uffff")


def shortened(text: str, units: int) -> str:
    """The longest beginning of `text` of at most `units` UTF-16 units; a code point is never cut."""
    while utf16_length(text) > units:
        excess = utf16_length(text) - units
        text = text[: -max(1, excess // 2)]
    return text


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number between two bounds."""

    low: float
    high: float
    default: float | None
    integer: bool = False
    nullable: bool = False

    def fix(self, value: object, entity: str) -> object:
        if value is None and self.nullable:
            return value
        number = finite(value)
        if number is None:
            return self.default
        bounded = min(max(number, self.low), self.high)
        if self.integer:
            bounded = half_away(bounded)
        return value if bounded == number else bounded

    def initial(self, entity: str) -> object:
        return self.default

    def rule(self, value: object) -> str:
        return "R2" if finite(value) is None else "R3"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few values."""

    values: tuple[str | int, ...]
    default: str | int

    def fix(self, value: object, entity: str) -> object:
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value in self.values:
            return value
        return self.default

    def initial(self, entity: str) -> object:
        return self.default

    def rule(self, value: object) -> str:
        return "R4" if isinstance(value, str) else "R2"


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    default: bool

    def fix(self, value: object, entity: str) -> object:
        return value if isinstance(value, bool) else self.default

    def initial(self, entity: str) -> object:
        return self.default

    def rule(self, value: object) -> str:
        return "R2"


@dataclass(frozen=True, slots=True)
class String:
    """A short text, last writer wins; `units` are UTF-16 units. `made` makes the default from the id."""

    units: int
    default: str | None = ""
    nullable: bool = False
    made: Callable[[str], str] | None = None

    def fix(self, value: object, entity: str) -> object:
        if not isinstance(value, str):
            return value if value is None and self.nullable else self.initial(entity)
        return value if len(value) * 2 <= self.units or utf16_length(value) <= self.units else self._cut(value)

    def _cut(self, value: str) -> str:
        return shortened(value, self.units)

    def initial(self, entity: str) -> object:
        return self.made(entity) if self.made else self.default

    def rule(self, value: object) -> str:
        return "R4" if isinstance(value, str) else "R2"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text that matches a regular expression as a whole."""

    regex: str
    default: str | None = None
    nullable: bool = False
    made: Callable[[str], str] | None = None
    broken: str = "R4"
    _matches: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_matches", re.compile(self.regex))

    def fix(self, value: object, entity: str) -> object:
        if isinstance(value, str) and self._matches.fullmatch(value):
            return value
        return value if value is None and self.nullable else self.initial(entity)

    def initial(self, entity: str) -> object:
        return self.made(entity) if self.made else self.default

    def rule(self, value: object) -> str:
        return self.broken


@dataclass(frozen=True, slots=True)
class Leaf:
    """Values that only make sense together: allowed as a whole, or the default as a whole."""

    allowed: Callable[[object], bool]
    default: tuple[int | str, ...] | None
    broken: str = "R14"

    def fix(self, value: object, entity: str) -> object:
        return value if self.allowed(value) else self.initial(entity)

    def initial(self, entity: str) -> object:
        return None if self.default is None else list(self.default)

    def rule(self, value: object) -> str:
        return self.broken


@dataclass(frozen=True, slots=True)
class Row:
    """A leaf list whose cells are repaired one by one; anything but a list of that length is dropped."""

    cells: tuple[Spec, ...]
    names: tuple[str, ...]

    def fix(self, value: object, entity: str) -> object:
        if not isinstance(value, list) or len(value) < len(self.cells):
            return DROP
        fixed = [cell.fix(item, entity) for cell, item in zip(self.cells, value, strict=False)]
        same = all(new is old for new, old in zip(fixed, value, strict=False))
        return value if same else [*fixed, *value[len(fixed) :]]

    def initial(self, entity: str) -> object:
        return DROP

    def rule(self, value: object) -> str:
        if not isinstance(value, list) or len(value) < len(self.cells):
            return "R1"
        if "tick" in self.names and (finite(value[self.names.index("tick")]) or 0) < 0:
            return "R15"
        broken = (c.rule(v) for c, v in zip(self.cells, value, strict=False) if c.fix(v, "") is not v)
        return next(broken, "R2")


@dataclass(frozen=True, slots=True)
class Record:
    """A leaf object whose known keys are repaired one by one; unknown keys stay, within the bounds of R19."""

    cells: Mapping[str, Spec]

    def fix(self, value: object, entity: str) -> object:
        if not isinstance(value, dict):
            return DROP
        wrong = {k: c.fix(value[k], entity) for k, c in self.cells.items() if k in value}
        wrong = {k: v for k, v in wrong.items() if v is not value[k]}
        gone = self._surplus(value)
        if not wrong and not gone:
            return value
        return {k: wrong.get(k, v) for k, v in value.items() if k not in gone}

    def initial(self, entity: str) -> object:
        return DROP

    def rule(self, value: object) -> str:
        if not isinstance(value, dict):
            return "R1"
        broken = (c.rule(value[k]) for k, c in self.cells.items() if k in value and c.fix(value[k], "") is not value[k])
        return next(broken, "R19")

    def _surplus(self, value: dict[str, object]) -> frozenset[str]:
        unknown = value.keys() - self.cells.keys()
        return frozenset(surplus(unknown, lambda key: large_value(value[key])))


@dataclass(frozen=True, slots=True)
class Body:
    """A Y.Text of at most `units` UTF-16 units. A plain string is read as its text."""

    units: int

    def fix(self, value: object, entity: str) -> object:
        return shortened(value, self.units) if isinstance(value, str) else ""

    def initial(self, entity: str) -> object:
        return ""

    def rule(self, value: object) -> str:
        return "R4" if isinstance(value, str) else "R1"


@dataclass(frozen=True, slots=True)
class Anything:
    """Server-written, not judged here."""

    def fix(self, value: object, entity: str) -> object:
        return value

    def initial(self, entity: str) -> object:
        return None

    def rule(self, value: object) -> str:
        return "R17"
