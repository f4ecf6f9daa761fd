"""What is worth a musician's look but is never repaired: overlaps, orphaned halves, missing audio, empty tracks."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from studio import valid
from studio.parts import ClipView
from studio.tempo import transport


class Named(Protocol):
    """A track as far as issues care."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...


@dataclass(frozen=True, slots=True, order=True)
class Issue:
    """`kind` says what, `ids` which entities (sorted), `start`/`end` where on the timeline, in ticks, if anywhere."""

    kind: str
    ids: tuple[str, ...]
    start: float = 0
    end: float = 0

    def as_json(self) -> dict[str, object]:
        return {"kind": self.kind, "ids": list(self.ids), "start": self.start, "end": self.end}


def issues(canonical: valid.Canonical, tracks: Sequence[Named], clips: Sequence[ClipView]) -> tuple[Issue, ...]:
    """All issues, sorted."""
    found = [
        *_overlaps(clips),
        *_halves(canonical, clips),
        *_missing_assets(canonical, clips),
        *_tracks(tracks, clips),
        *_outside_loop(canonical, clips),
    ]
    return tuple(sorted(found))


def _overlaps(clips: Sequence[ClipView]) -> Iterator[Issue]:
    by_track: dict[str, list[ClipView]] = defaultdict(list)
    for clip in clips:
        by_track[clip.track].append(clip)
    for row in by_track.values():
        for place, clip in enumerate(row):
            for other in row[place + 1 :]:
                if other.start >= clip.end:
                    break
                first, second = sorted((clip.id, other.id))
                yield Issue("overlap", (first, second), other.start, min(clip.end, other.end))


def _halves(canonical: valid.Canonical, clips: Iterable[ClipView]) -> Iterator[Issue]:
    """A right half whose original was deleted by somebody who did not know of the split."""
    deleted = {
        clip
        for clip, fields in valid.entities(canonical, "clips")
        if valid.value("clips", clip, fields, "deleted") is not None
    }
    for clip in clips:
        if clip.take in deleted and clip.id.startswith(f"{clip.take}@"):
            yield Issue("half_of_deleted", (clip.id,), clip.start, clip.end)


def _missing_assets(canonical: valid.Canonical, clips: Iterable[ClipView]) -> Iterator[Issue]:
    assets = canonical.get("assets", {})
    for clip in clips:
        if clip.asset and clip.asset not in assets:
            yield Issue("missing_asset", (clip.id,), clip.start, clip.end)


def _tracks(tracks: Iterable[Named], clips: Iterable[ClipView]) -> Iterator[Issue]:
    used = {clip.track for clip in clips}
    names: dict[str, list[str]] = defaultdict(list)
    for track in tracks:
        names[track.name].append(track.id)
        if track.kind != "bus" and track.id not in used:
            yield Issue("empty_track", (track.id,))
    for same in names.values():
        if len(same) > 1:
            yield Issue("duplicate_name", tuple(sorted(same)))


def _outside_loop(canonical: valid.Canonical, clips: Iterable[ClipView]) -> Iterator[Issue]:
    on, start, end = transport(canonical, "loop")
    for clip in clips:
        if on and (clip.end <= start or clip.start >= end):
            yield Issue("outside_loop", (clip.id,), clip.start, clip.end)
