"""What a field may hold. `accept` is strict and guards what we write; `read` is kind and mends what others wrote.

Both follow the server's schema, version 1: what `accept` takes the server never repairs, and `read` gives what its
repair would leave.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeAlias, TypeVar, cast

from backline.leaves import finite, utf16_length

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Stored: TypeAlias = object
"""JSON: None, bool, int, float, str, list, dict."""


class Missing:
    """The type of `MISSING`."""

    __slots__ = ()


MISSING: Final = Missing()
"""There is no such key; a missing field reads as its default."""


class Spec(Protocol[T_co]):
    """A kind of value. `id` is the entity's: some defaults are made from it."""

    def accept(self, value: object) -> Stored:
        """The value as it is stored. ValueError with the reason if it is not allowed."""
        ...

    def read(self, stored: object, id: str) -> T_co:
        """The stored value as a reader sees it."""
        ...

    def holds(self, stored: object) -> bool:
        """Whether a stored value is of the right kind (if perhaps out of range)."""
        ...


def half_away(value: float) -> int:
    """Rounded, halves away from zero: the same in every language."""
    return int(math.copysign(math.floor(abs(value) + 0.5), value))


@dataclass(frozen=True, slots=True)
class Number:
    """A finite number, low ≤ x ≤ high."""

    low: float
    high: float
    default: float

    def accept(self, value: object) -> Stored:
        if not finite(value) or not self.low <= value <= self.high:
            raise ValueError(f"a number from {self.low:g} to {self.high:g} is needed")
        return float(value)

    def read(self, stored: object, id: str) -> float:
        return min(max(float(stored), self.low), self.high) if finite(stored) else self.default

    def holds(self, stored: object) -> bool:
        return finite(stored)


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number, low ≤ x ≤ high."""

    low: int
    high: int
    default: int

    def accept(self, value: object) -> Stored:
        if not finite(value) or value != int(value) or not self.low <= value <= self.high:
            raise ValueError(f"a whole number from {self.low} to {self.high} is needed")
        return float(value)

    def read(self, stored: object, id: str) -> int:
        return half_away(min(max(stored, self.low), self.high)) if finite(stored) else self.default

    def holds(self, stored: object) -> bool:
        return finite(stored)


@dataclass(frozen=True)
class Choice(Generic[T]):
    """One of a few values."""

    values: tuple[T, ...]
    default: T

    def accept(self, value: object) -> Stored:
        if isinstance(value, bool) or value not in self.values:
            raise ValueError(f"one of {', '.join(map(repr, self.values))} is needed")
        return listed(value)

    def read(self, stored: object, id: str) -> T:
        return next((value for value in self.values if not isinstance(stored, bool) and value == stored), self.default)

    def holds(self, stored: object) -> bool:
        return not isinstance(stored, bool) and stored in self.values


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    default: bool

    def accept(self, value: object) -> Stored:
        if not isinstance(value, bool):
            raise ValueError("True or False is needed")
        return value

    def read(self, stored: object, id: str) -> bool:
        return stored if isinstance(stored, bool) else self.default

    def holds(self, stored: object) -> bool:
        return isinstance(stored, bool)


@dataclass(frozen=True, slots=True)
class String:
    """A text of at most `units` UTF-16 units; `made` makes the default from the entity's id."""

    units: int
    default: str = ""
    made: Callable[[str], str] | None = None

    def accept(self, value: object) -> Stored:
        if not isinstance(value, str) or utf16_length(value) > self.units:
            raise ValueError(f"a text of at most {self.units} UTF-16 units is needed")
        return value

    def read(self, stored: object, id: str) -> str:
        if not isinstance(stored, str):
            return self.made(id) if self.made else self.default
        while (excess := utf16_length(stored) - self.units) > 0:
            stored = stored[: -max(1, excess // 2)]
        return stored

    def holds(self, stored: object) -> bool:
        return isinstance(stored, str)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text that matches a regular expression as a whole; `made` makes the default from the entity's id."""

    regex: str
    default: str = ""
    made: Callable[[str], str] | None = None

    def accept(self, value: object) -> Stored:
        if not self.holds(value):
            raise ValueError(f"a text like {self.regex} is needed")
        return value

    def read(self, stored: object, id: str) -> str:
        if isinstance(stored, str) and self.holds(stored):
            return stored
        return self.made(id) if self.made else self.default

    def holds(self, stored: object) -> bool:
        return isinstance(stored, str) and re.fullmatch(self.regex, stored) is not None


@dataclass(frozen=True)
class Leaf(Generic[T]):
    """A list (a tuple here) that is allowed or refused as a whole. `says`: what is allowed, for people."""

    allowed: Callable[[object], bool]
    default: T
    says: str

    def accept(self, value: object) -> Stored:
        stored = listed(value)
        if not self.allowed(stored):
            raise ValueError(f"{self.says} is needed")
        return stored

    def read(self, stored: object, id: str) -> T:
        return cast(T, tupled(stored)) if self.holds(stored) else self.default

    def holds(self, stored: object) -> bool:
        return not isinstance(stored, Missing) and self.allowed(stored)


@dataclass(frozen=True)
class Nullable(Generic[T]):
    """Another kind of value, or None, which is also the default."""

    inner: Spec[T]

    def accept(self, value: object) -> Stored:
        try:
            return None if value is None else self.inner.accept(value)
        except ValueError as error:
            raise ValueError(f"{error}, or None") from None

    def read(self, stored: object, id: str) -> T | None:
        return self.inner.read(stored, id) if stored is not None and self.inner.holds(stored) else None

    def holds(self, stored: object) -> bool:
        return stored is None or self.inner.holds(stored)


def listed(value: object) -> object:
    """Tuples as lists, whole numbers as floats: pycrdt writes an int as a BigInt, which Yjs clients cannot add up."""
    if isinstance(value, tuple | list):
        return [listed(cell) for cell in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def tupled(stored: object) -> object:
    """Lists as tuples, whole floats as ints."""
    if isinstance(stored, list):
        return tuple(map(tupled, stored))
    return int(stored) if isinstance(stored, float) and stored.is_integer() else stored
