"""What a musician sees of a document: order, lineage, deletions and defaults accounted for (document design §1.6).

A pure function of canonical JSON, the same in TypeScript; tests/studio/vectors holds both to it. It reads a
document that still waits for its repair as if it had been repaired.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from studio import valid
from studio.issues import Issue, issues
from studio.parts import ClipView, clips
from studio.schema import LEAVES, LOST, MASTER, SOFT_DELETED, SPAN_MIN
from studio.sounding import Stretch, sounding
from studio.tempo import TempoMap


@dataclass(frozen=True, slots=True)
class TrackView:
    """A visible track."""

    id: str
    kind: str
    role: str
    name: str
    color: str
    order: str
    parent: str | None
    gain_db: float
    pan: float
    mute: bool
    output: str


@dataclass(frozen=True, slots=True)
class MarkerView:
    """A marker; `end` is null for a point, a tick behind `tick` for a span."""

    id: str
    tick: float
    end: float | None
    label: str
    color: str
    kind: str


@dataclass(frozen=True, slots=True)
class NoteView:
    """A comment; `tick` is where it shows now. A deleted note with living replies stays as a stub."""

    id: str
    tick: float
    track: str | None
    body: str
    author: str | None
    at: float
    parent: str | None
    resolved: bool
    deleted: bool


@dataclass(frozen=True, slots=True)
class View:
    """Tracks in order, clips by start, markers by tick, notes by time, lanes by id, and what is worth a look."""

    tracks: tuple[TrackView, ...]
    clips: tuple[ClipView, ...]
    markers: tuple[MarkerView, ...]
    notes: tuple[NoteView, ...]
    lanes: Mapping[str, tuple[tuple[float, float, int], ...]]
    sounding: Mapping[str, tuple[Stretch, ...]]
    issues: tuple[Issue, ...]
    trash: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """Lists and objects only."""
        shown = {name: [_fields(item) for item in getattr(self, name)] for name in ("tracks", "clips")}
        return {
            **shown,
            "markers": [_fields(item) for item in self.markers],
            "notes": [_fields(item) for item in self.notes],
            "lanes": {lane: [list(point) for point in points] for lane, points in self.lanes.items()},
            "sounding": {track: [list(stretch) for stretch in run] for track, run in self.sounding.items()},
            "issues": [issue.as_json() for issue in self.issues],
            "trash": dict(self.trash),
        }


def view(canonical: valid.Canonical) -> View:
    """The view of a canonical document."""
    tempo = TempoMap.from_canonical(canonical)
    parts = clips(canonical, tempo)
    tracks = _tracks(canonical, parts)
    shown = {track.id for track in tracks}
    visible = tuple(part for part in parts if part.track in shown)
    return View(
        tracks=tracks,
        clips=visible,
        markers=_markers(canonical),
        notes=_notes(canonical, parts, tempo),
        lanes=_lanes(canonical),
        sounding=sounding(visible),
        issues=issues(canonical, tracks, visible),
        trash=_trash(canonical, parts, shown),
    )


def _fields(item: Any) -> dict[str, Any]:
    return {("in" if key == "in_" else key): value for key, value in asdict(item).items()}


def _tracks(canonical: valid.Canonical, parts: Iterable[ClipView]) -> tuple[TrackView, ...]:
    """By (order, id); the master has no lane, "lost" hides while nothing lies on it, folders that are gone are none."""
    lost = any(part.track == LOST for part in parts)
    names = TrackView.__dataclass_fields__.keys() - {"id"}
    found = [
        TrackView(id=track, **{name: fields[name] for name in names})
        for track, fields in valid.living(canonical, "tracks")
        if track != MASTER and (track != LOST or lost)
    ]
    ids = {track.id for track in found}
    placed = [track if track.parent in ids else replace(track, parent=None) for track in found]
    return tuple(sorted(placed, key=lambda track: (track.order, track.id)))


def _markers(canonical: valid.Canonical) -> tuple[MarkerView, ...]:
    names = ("tick", "label", "color", "kind")
    found = [
        MarkerView(id=marker, end=_end(fields["tick"], fields["end"]), **{name: fields[name] for name in names})
        for marker, fields in valid.living(canonical, "markers")
    ]
    return tuple(sorted(found, key=lambda marker: (marker.tick, marker.id)))


def _end(tick: float, end: float | None) -> float | None:
    return tick + SPAN_MIN if end is not None and end <= tick else end


def _notes(canonical: valid.Canonical, parts: tuple[ClipView, ...], tempo: TempoMap) -> tuple[NoteView, ...]:
    everything = {note: valid.known("notes", note, fields) for note, fields in valid.entities(canonical, "notes")}
    heads = {fields["parent"] for fields in everything.values() if fields["deleted"] is None}
    found = [
        NoteView(
            id=note,
            tick=_anchor_tick(canonical, fields["anchor"], parts, tempo),
            resolved=fields["resolved"] is not None,
            deleted=fields["deleted"] is not None,
            parent=fields["parent"] if fields["parent"] in everything else None,
            **{name: fields[name] for name in ("track", "body", "author", "at")},
        )
        for note, fields in everything.items()
        if fields["deleted"] is None or note in heads
    ]
    return tuple(sorted(found, key=lambda note: (note.at, note.id)))


def _anchor_tick(canonical: valid.Canonical, anchor: list[Any], parts: tuple[ClipView, ...], tempo: TempoMap) -> float:
    """A note on a clip is where its content is: on the part of the lineage that holds it, else where it was."""
    if anchor[0] == "t":
        return float(anchor[1])
    fields = canonical.get("clips", {}).get(anchor[1])
    if not isinstance(fields, dict):
        return max(0.0, float(anchor[2]))
    named = valid.known("clips", anchor[1], fields)
    holding = [part for part in parts if part.take == named["take"] and part.in_ <= anchor[2] < part.out]
    holding.sort(key=lambda part: (part.id != anchor[1], part.id))
    pos, base = (holding[0].pos, holding[0].base) if holding else (named["pos"], named["base"])
    if base == "time":
        return max(0.0, tempo.tick(tempo.seconds(pos) + anchor[2] / 1e6))
    return max(0.0, float(pos + anchor[2]))


def _lanes(canonical: valid.Canonical) -> dict[str, tuple[tuple[float, float, int], ...]]:
    """Points by lane, sorted by (tick, id); of more than two at one tick the lowest and the highest id remain."""
    ticks: dict[str, dict[float, list[tuple[float, float, int]]]] = defaultdict(lambda: defaultdict(list))
    for point, row in sorted(canonical.get("points", {}).items()):
        fixed = LEAVES["points"].fix(row, point)
        if isinstance(fixed, list):
            ticks[point.rpartition("/")[0]][fixed[0]].append((fixed[0], fixed[1], int(fixed[2])))
    return {lane: tuple(p for tick in sorted(rows) for p in _two(rows[tick])) for lane, rows in sorted(ticks.items())}


def _two(points: list[tuple[float, float, int]]) -> list[tuple[float, float, int]]:
    return points if len(points) <= 2 else [points[0], points[-1]]


def _trash(canonical: valid.Canonical, parts: Iterable[ClipView], shown: set[str]) -> dict[str, int]:
    """How many soft-deleted entities there are; clips hidden with their track count as clips."""
    counts = {
        root: sum(
            1
            for entity, fields in valid.entities(canonical, root)
            if valid.value(root, entity, fields, "deleted") is not None
        )
        for root in sorted(SOFT_DELETED)
    }
    counts["clips"] += sum(1 for part in parts if part.track not in shown)
    return counts
