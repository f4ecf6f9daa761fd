"""Which of several overlapping clips is heard: the one that starts later (tie: the higher id)."""

from collections import defaultdict
from collections.abc import Iterable
from heapq import heappop, heappush
from itertools import pairwise
from typing import NamedTuple

from studio.parts import ClipView


class Stretch(NamedTuple):
    """From one tick to another this clip is heard on its track."""

    start: float
    end: float
    clip: str


class _Latest(NamedTuple):
    """Heap order: the latest start first, then the highest id."""

    start: float
    rank: int
    end: float
    clip: str


def sounding(parts: Iterable[ClipView]) -> dict[str, tuple[Stretch, ...]]:
    """By track, in time; muted clips neither sound nor cover others."""
    tracks: dict[str, list[ClipView]] = defaultdict(list)
    for part in parts:
        if not part.mute:
            tracks[part.track].append(part)
    return {track: tuple(_heard(found)) for track, found in sorted(tracks.items())}


def _heard(parts: list[ClipView]) -> Iterable[Stretch]:
    ranked = {part.id: rank for rank, part in enumerate(sorted(parts, key=lambda part: part.id))}
    edges = sorted({edge for part in parts for edge in (part.start, part.end)})
    waiting = sorted(parts, key=lambda part: (part.start, part.id), reverse=True)
    active: list[_Latest] = []
    runs: list[Stretch] = []
    for edge, following in pairwise(edges):
        while waiting and waiting[-1].start <= edge:
            part = waiting.pop()
            heappush(active, _Latest(-part.start, -ranked[part.id], part.end, part.id))
        while active and active[0].end <= edge:
            heappop(active)
        if active:
            _extend(runs, Stretch(edge, following, active[0].clip))
    return runs


def _extend(runs: list[Stretch], stretch: Stretch) -> None:
    if runs and runs[-1].clip == stretch.clip and runs[-1].end == stretch.start:
        runs[-1] = runs[-1]._replace(end=stretch.end)
    else:
        runs.append(stretch)
