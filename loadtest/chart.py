"""Line charts as inline SVG: drawn here, coloured by the page's style sheet, read with the pointer or without."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 26
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
GAP = 3.0  # seconds without a value break a line
ROUND = (1, 2, 2.5, 5, 10)
TICKS = 4

Points = Sequence[tuple[float, float]]


@dataclass(slots=True, frozen=True)
class Curve:
    """A line: `tone` is its number in the palette; `filled` paints what is below it."""

    name: str
    points: Points
    tone: int = 1
    filled: bool = False


@dataclass(slots=True, frozen=True)
class Chart:
    """Curves over the seconds of a run. `bound` is a threshold; `log` makes the height logarithmic."""

    title: str
    unit: str
    curves: Sequence[Curve]
    seconds: float
    bound: float | None = None
    log: bool = False
    note: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to see."""
        return not any(curve.points for curve in self.curves)

    def svg(self) -> str:
        """The figure's drawing."""
        scale = _Scale.of(self)
        parts = [*_grid(scale, self.unit), *_seconds(scale)]
        for curve in self.curves:
            parts += _drawn(curve, scale)
        if self.bound is not None and scale.low < self.bound <= scale.high:
            y = scale.y(self.bound)
            parts.append(f'<line class="bound" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        label = escape(f"{self.title}, {self.unit}")
        return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


@dataclass(slots=True, frozen=True)
class _Scale:
    low: float
    high: float
    ticks: tuple[float, ...]
    seconds: float
    log: bool

    @classmethod
    def of(cls, chart: Chart) -> "_Scale":
        values = [height for curve in chart.curves for _, height in curve.points] or [1.0]
        top = max(values)
        if chart.bound is not None and chart.bound < 3 * top:
            top = max(top, chart.bound * 1.05)
        if chart.log:
            positive = [value for value in values if value > 0] or [1.0]
            low, high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(top, min(positive) * 1.01)))
            ticks = tuple(10.0**power for power in range(low, max(high, low + 1) + 1))
            return cls(ticks[0], ticks[-1], ticks, chart.seconds, True)
        step = _round_step(top / TICKS)
        ticks = tuple(step * index for index in range(math.ceil(top / step - 1e-9) + 1))
        return cls(0.0, ticks[-1] or 1.0, ticks, chart.seconds, False)

    def x(self, second: float) -> float:
        return LEFT + PLOT_WIDTH * min(1.0, second / max(1.0, self.seconds))

    def y(self, value: float) -> float:
        if self.log:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = value / self.high
        return TOP + PLOT_HEIGHT * (1 - min(1.0, max(0.0, share)))


def _round_step(rough: float) -> float:
    if rough <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in ROUND if power * factor >= rough * 0.999)


def _grid(scale: _Scale, unit: str) -> list[str]:
    parts = []
    for tick in scale.ticks:
        y = scale.y(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{short(tick)}</text>')
    return parts


def _seconds(scale: _Scale) -> list[str]:
    step, parts = _round_step(scale.seconds / 6), []
    for index in range(int(scale.seconds / step + 1e-9) + 1):
        second = index * step
        anchor = "end" if second > scale.seconds * 0.98 else "middle"
        text = f"{second:g} s"
        parts.append(
            f'<text class="tick" x="{scale.x(second):.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{text}</text>'
        )
    return parts


def _drawn(curve: Curve, scale: _Scale) -> list[str]:
    parts = []
    for run in _runs(curve.points):
        places = [f"{scale.x(at):.1f},{scale.y(height):.1f}" for at, height in run]
        if len(places) == 1:
            x, y = places[0].split(",")
            parts.append(f'<circle class="dot tone{curve.tone}" cx="{x}" cy="{y}" r="2.5"/>')
            continue
        if curve.filled:
            ends = f"{scale.x(run[-1][0]):.1f},{TOP + PLOT_HEIGHT} {scale.x(run[0][0]):.1f},{TOP + PLOT_HEIGHT}"
            parts.append(f'<polygon class="area tone{curve.tone}" points="{" ".join(places)} {ends}"/>')
        parts.append(f'<polyline class="line tone{curve.tone}" points="{" ".join(places)}"/>')
    return parts


def _runs(points: Points) -> list[list[tuple[float, float]]]:
    """The points, broken where nothing was measured for a while."""
    if not points:
        return []
    runs = [[points[0]]]
    for before, after in pairwise(points):
        if after[0] - before[0] > GAP:
            runs.append([])
        runs[-1].append(after)
    return runs


def short(value: float) -> str:
    """A figure for an axis or a tile: 12k, 3.4, 0.05."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            scaled = value / (1000 if letter == "k" else size)
            return f"{scaled:.3g}{letter}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
