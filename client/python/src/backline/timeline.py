"""Musical time: ticks (960 to the quarter) to seconds and back, bars and beats.

    hold:    seconds = 60 / bpm · q                              q: quarters since the tempo point
    linear:  bpm(q) = b0 + (b1 - b0) · q / Q;  seconds = 60 · Q / (b1 - b0) · ln(bpm(q) / b0)

The same formulas stand in the server and in the studio page.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

PPQ: Final = 960
"""Ticks of a quarter note."""


class TempoPoint(NamedTuple):
    """From `tick` on `bpm` (20 to 400): held (`curve` 0), or on its way to the next point, linear in beats (1)."""

    tick: int
    bpm: float
    curve: int = 0


class SignatureChange(NamedTuple):
    """From `tick` on, which should be a bar line, `numerator` (1-32) beats of a `denominator`th (1 … 32) a bar."""

    tick: int
    numerator: int
    denominator: int = 4


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
        """Whether the tempo changes within it."""
        return math.isfinite(self.quarters) and abs(self.end_bpm - self.bpm) >= 1e-9

    def seconds(self, tick: float) -> float:
        """The second of a tick."""
        quarters = (tick - self.tick) / PPQ
        if not self.ramps:
            return self.second + 60 / self.bpm * quarters
        rise = self.end_bpm - self.bpm
        now = self.bpm + rise * quarters / self.quarters
        return self.second + 60 * self.quarters / rise * math.log(now / self.bpm)

    def at(self, second: float) -> float:
        """The tick of a second."""
        passed = second - self.second
        if not self.ramps:
            return self.tick + passed * self.bpm / 60 * PPQ
        rise = self.end_bpm - self.bpm
        now = self.bpm * math.exp(passed * rise / (60 * self.quarters))
        return self.tick + (now - self.bpm) * self.quarters / rise * PPQ


class Bars(NamedTuple):
    """A time signature from `tick` on; `bar` is the number (from 1) of the bar that begins there."""

    tick: float
    numerator: int
    denominator: int
    bar: int

    @property
    def beat_ticks(self) -> float:
        """Ticks of a beat."""
        return PPQ * 4 / self.denominator

    @property
    def bar_ticks(self) -> float:
        """Ticks of a bar."""
        return self.beat_ticks * self.numerator


class Timeline:
    """Tempo and signatures over a whole song, as they were when it was made. Before tick 0 the first tempo holds."""

    def __init__(
        self,
        bpm: float,
        signature: tuple[int, int],
        tempo: Sequence[TempoPoint] = (),
        signatures: Sequence[SignatureChange] = (),
    ) -> None:
        """`bpm` and `signature` hold until the first point; rows are sorted, and of equal ticks the last one counts."""
        points = list({point.tick: point for point in tempo}.values())
        if not points or points[0].tick > 0:
            points.insert(0, TempoPoint(0, bpm))
        changes = list({change.tick: change for change in signatures}.values())
        if not changes or changes[0].tick > 0:
            changes.insert(0, SignatureChange(0, *signature))
        self._segments = _segments(points)
        self._ticks = [segment.tick for segment in self._segments]
        self._seconds = [segment.second for segment in self._segments]
        self._bars = list(_counted(changes))
        self._bar_ticks = [bars.tick for bars in self._bars]

    def bpm(self, tick: float) -> float:
        """The tempo at a tick, in quarters per minute."""
        segment = self._segments[max(0, bisect_right(self._ticks, tick) - 1)]
        if not segment.ramps:
            return segment.bpm
        return segment.bpm + (segment.end_bpm - segment.bpm) * (tick - segment.tick) / PPQ / segment.quarters

    def seconds(self, tick: float) -> float:
        """The second at which a tick sounds."""
        return self._segments[max(0, bisect_right(self._ticks, tick) - 1)].seconds(tick)

    def tick(self, seconds: float) -> float:
        """The tick that sounds at a second; not rounded."""
        return self._segments[max(0, bisect_right(self._seconds, seconds) - 1)].at(seconds)

    def bars(self, tick: float) -> Bars:
        """The signature that holds at a tick, with the lengths of its bars and beats."""
        return self._bars[max(0, bisect_right(self._bar_ticks, tick) - 1)]

    def position(self, tick: float) -> Position:
        """Bar, beat and rest of a tick ≥ 0."""
        bars = self.bars(tick)
        number, rest = divmod(tick - bars.tick, bars.bar_ticks)
        beat, rest = divmod(rest, bars.beat_ticks)
        return Position(bars.bar + int(number), int(beat) + 1, rest)

    def tick_of(self, bar: int, beat: int = 1, tick: float = 0) -> float:
        """The tick of a bar (from 1), beat (from 1) and rest."""
        bars = next(each for each in reversed(self._bars) if each.bar <= max(bar, 1))
        return bars.tick + (bar - bars.bar) * bars.bar_ticks + (beat - 1) * bars.beat_ticks + tick


def _segments(points: Sequence[TempoPoint]) -> list[Segment]:
    segments: list[Segment] = []
    second = 0.0
    for point, following in pairwise(points):
        end = following.bpm if point.curve == 1 else point.bpm
        segment = Segment(point.tick, second, point.bpm, end, (following.tick - point.tick) / PPQ)
        segments.append(segment)
        second = segment.seconds(following.tick)
    last = points[-1]
    return [*segments, Segment(last.tick, second, last.bpm, last.bpm, math.inf)]


def _counted(changes: Iterable[SignatureChange]) -> Iterable[Bars]:
    """Numbers the bars; a signature off the bar line ends the bar before it early."""
    previous: Bars | None = None
    for tick, numerator, denominator in changes:
        count = 0 if previous is None else math.ceil((tick - previous.tick) / previous.bar_ticks)
        previous = Bars(tick, numerator, denominator, 1 if previous is None else previous.bar + count)
        yield previous
