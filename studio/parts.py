"""Clips as they sound: where each part of a split lineage really begins and ends (document design §1.6)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from studio import valid
from studio.schema import LOST, SPAN_MIN, SPAN_MIN_US
from studio.tempo import TempoMap


@dataclass(frozen=True, slots=True)
class ClipView:
    """A clip with its audible edges: `in_`/`out` in content units, `start`/`end` in ticks (not always whole)."""

    id: str
    track: str
    asset: str
    take: str
    base: str
    pos: float
    in_: float
    out: float
    start: float
    end: float
    fade_in: float
    fade_out: float
    gain_db: float
    mute: bool
    name: str
    color: str | None


def clips(canonical: valid.Canonical, tempo: TempoMap) -> tuple[ClipView, ...]:
    """Living clips by (start, id), those of hidden tracks too; parts that a sibling covers wholly are left out."""
    tracks = dict(valid.entities(canonical, "tracks"))
    living = {clip: _sound(fields, tracks) for clip, fields in valid.living(canonical, "clips")}
    ends = _ends(living)
    found = [_clip(clip, fields, ends[clip], tempo) for clip, fields in living.items() if ends[clip] > fields["in"]]
    return tuple(sorted(found, key=lambda part: (part.start, part.id)))


def _sound(fields: dict[str, Any], tracks: Iterable[str]) -> dict[str, Any]:
    """R7, R9 and R10 as a reader applies them."""
    beats = fields["base"] == "beats"
    out = fields["out"] if fields["out"] > fields["in"] else fields["in"] + (SPAN_MIN if beats else SPAN_MIN_US)
    pos = -fields["in"] if beats and fields["pos"] + fields["in"] < 0 else fields["pos"]
    return {**fields, "out": out, "pos": pos, "track": fields["track"] if fields["track"] in tracks else LOST}


def _ends(living: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Each part of a lineage at one place ends where the next one begins, at the latest."""
    families: dict[tuple[object, ...], list[tuple[float, str]]] = defaultdict(list)
    for clip, fields in living.items():
        kin = (fields["track"], fields["asset"], fields["take"], fields["pos"])
        families[kin].append((fields["in"], clip))
    ends = {clip: fields["out"] for clip, fields in living.items()}
    for family in families.values():
        for (_, clip), (following, _) in pairwise(sorted(family)):
            ends[clip] = min(ends[clip], following)
    return ends


def _clip(clip: str, fields: dict[str, Any], out: float, tempo: TempoMap) -> ClipView:
    fade_in, fade_out = _fades(fields["fade_in"], fields["fade_out"], out - fields["in"])
    names = ("track", "asset", "take", "base", "pos", "gain_db", "mute", "name", "color")
    return ClipView(
        id=clip,
        in_=fields["in"],
        out=out,
        start=_tick(fields, fields["in"], tempo),
        end=_tick(fields, out, tempo),
        fade_in=fade_in,
        fade_out=fade_out,
        **{name: fields[name] for name in names},
    )


def _fades(fade_in: float, fade_out: float, length: float) -> tuple[float, float]:
    """Stored fades are kept; read, they share the length in proportion."""
    if fade_in + fade_out <= length:
        return fade_in, fade_out
    scale = length / (fade_in + fade_out)
    return fade_in * scale, fade_out * scale


def _tick(fields: dict[str, Any], content: float, tempo: TempoMap) -> float:
    if fields["base"] == "beats":
        return float(fields["pos"] + content)
    return max(0.0, tempo.tick(tempo.seconds(fields["pos"]) + content / 1e6))
