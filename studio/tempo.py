"""Musical time: ticks (960 to the quarter) to seconds and back, bars and beats (document design §1.4).

The same formulas stand in the TypeScript client; shared vectors hold them equal to 1e-9.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, Self

from studio import schema
from studio.schema import PPQ


class Point(NamedTuple):
    """A tempo point: from `tick` on `bpm`, held (curve 0) or linear in beats to the next point (curve 1)."""

    tick: float
    bpm: float
    curve: int


class Signature(NamedTuple):
    """A time signature from `tick` on; `bar` is the number (from 1) of the bar that begins there."""

    tick: float
    numerator: int
    denominator: int
    bar: int

    @property
    def beat_ticks(self) -> float:
        return PPQ * 4 / self.denominator

    @property
    def bar_ticks(self) -> float:
        return self.beat_ticks * self.numerator


class Position(NamedTuple):
    """Bar and beat as musicians count them, from 1; `tick` is the rest within the beat."""

    bar: int
    beat: int
    tick: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of time with one formula. `end_bpm` is reached `quarters` later; math.inf quarters: the last one."""

    tick: float
    second: float
    bpm: float
    end_bpm: float
    quarters: float

    @property
    def ramps(self) -> bool:
        return math.isfinite(self.quarters) and abs(self.end_bpm - self.bpm) >= 1e-9

    def seconds(self, tick: float) -> float:
        quarters = (tick - self.tick) / PPQ
        if not self.ramps:
            return self.second + 60 / self.bpm * quarters
        rise = self.end_bpm - self.bpm
        now = self.bpm + rise * quarters / self.quarters
        return self.second + 60 * self.quarters / rise * math.log(now / self.bpm)

    def at(self, second: float) -> float:
        passed = second - self.second
        if not self.ramps:
            return self.tick + passed * self.bpm / 60 * PPQ
        rise = self.end_bpm - self.bpm
        now = self.bpm * math.exp(passed * rise / (60 * self.quarters))
        return self.tick + (now - self.bpm) * self.quarters / rise * PPQ


class TempoMap:
    """Tempo and signatures over a whole song. Before tick 0 the tempo of tick 0 holds."""

    __slots__ = ("_seconds", "_segments", "_signature_ticks", "_signatures", "_ticks", "points")

    def __init__(self, points: Sequence[Point], signatures: Sequence[Signature]) -> None:
        """`points` and `signatures` are sorted, without equal ticks, the first at tick 0."""
        self.points = tuple(points)
        self._segments = _segments(points)
        self._ticks = [segment.tick for segment in self._segments]
        self._seconds = [segment.second for segment in self._segments]
        self._signatures = tuple(signatures)
        self._signature_ticks = [signature.tick for signature in signatures]

    @classmethod
    def from_canonical(cls, canonical: Mapping[str, Any]) -> Self:
        """Reads `transport`, `tempo` and `signatures`; invalid values read as their defaults."""
        return cls(_points(canonical), _signatures(canonical))

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """The time signatures in order, the first at tick 0."""
        return self._signatures

    def bpm(self, tick: float) -> float:
        """The tempo at a tick, in quarters per minute."""
        segment = self._segments[max(0, bisect_right(self._ticks, tick) - 1)]
        if not segment.ramps:
            return segment.bpm
        return segment.bpm + (segment.end_bpm - segment.bpm) * (tick - segment.tick) / PPQ / segment.quarters

    def bar_ticks(self, tick: float) -> float:
        """How long a bar is at a tick, in ticks."""
        return self._signatures[max(0, bisect_right(self._signature_ticks, tick) - 1)].bar_ticks

    def seconds(self, tick: float) -> float:
        """The second at which a tick sounds."""
        return self._segments[max(0, bisect_right(self._ticks, tick) - 1)].seconds(tick)

    def tick(self, seconds: float) -> float:
        """The tick that sounds at a second; not rounded."""
        return self._segments[max(0, bisect_right(self._seconds, seconds) - 1)].at(seconds)

    def position(self, tick: float) -> Position:
        """Bar, beat and rest of a tick ≥ 0."""
        signature = self._signatures[max(0, bisect_right(self._signature_ticks, tick) - 1)]
        bars, rest = divmod(tick - signature.tick, signature.bar_ticks)
        beats, rest = divmod(rest, signature.beat_ticks)
        return Position(signature.bar + int(bars), int(beats) + 1, rest)

    def tick_of(self, bar: int, beat: int = 1, tick: float = 0) -> float:
        """The tick of a bar (from 1), beat (from 1) and rest."""
        signature = next(s for s in reversed(self._signatures) if s.bar <= max(bar, 1))
        return signature.tick + (bar - signature.bar) * signature.bar_ticks + (beat - 1) * signature.beat_ticks + tick


def _rows(canonical: Mapping[str, Any], root: str) -> list[list[Any]]:
    """The readable rows of a leaf root sorted by (tick, id), the last of equal ticks winning."""
    spec = schema.LEAVES[root]
    fixed = {entity: spec.fix(value, entity) for entity, value in canonical.get(root, {}).items()}
    rows = sorted((value[0], entity, value) for entity, value in fixed.items() if isinstance(value, list))
    return list({tick: value for tick, _, value in rows}.values())


def transport(canonical: Mapping[str, Any], key: str) -> Any:
    """A transport setting as a reader sees it."""
    spec = schema.FLAT["transport"][key]
    held = canonical.get("transport", {})
    return spec.fix(held[key], key) if key in held else spec.initial(key)


def _points(canonical: Mapping[str, Any]) -> list[Point]:
    points = [Point(row[0], row[1], int(row[2])) for row in _rows(canonical, "tempo")]
    if not points or points[0].tick > 0:
        points.insert(0, Point(0, transport(canonical, "bpm"), 0))
    return points


def _segments(points: Sequence[Point]) -> list[Segment]:
    segments: list[Segment] = []
    second = 0.0
    for point, following in pairwise(points):
        end = following.bpm if point.curve == 1 else point.bpm
        segment = Segment(point.tick, second, point.bpm, end, (following.tick - point.tick) / PPQ)
        segments.append(segment)
        second = segment.seconds(following.tick)
    last = points[-1]
    return [*segments, Segment(last.tick, second, last.bpm, last.bpm, math.inf)]


def _signatures(canonical: Mapping[str, Any]) -> list[Signature]:
    rows = [(row[0], int(row[1]), int(row[2])) for row in _rows(canonical, "signatures")]
    if not rows or rows[0][0] > 0:
        numerator, denominator = transport(canonical, "signature")
        rows.insert(0, (0, int(numerator), int(denominator)))
    return list(_counted(rows))


def _counted(rows: Iterable[tuple[float, int, int]]) -> Iterable[Signature]:
    """Numbers the bars; a signature off the bar line ends the bar before it early."""
    previous: Signature | None = None
    for tick, numerator, denominator in rows:
        bars = 0 if previous is None else math.ceil((tick - previous.tick) / previous.bar_ticks)
        previous = Signature(tick, numerator, denominator, 1 if previous is None else previous.bar + bars)
        yield previous
