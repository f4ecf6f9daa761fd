"""Two states of a song side by side, told in a musician's words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from studio import schema, valid
from studio.tempo import TempoMap


class Change(StrEnum):
    """What became of an entity or a value between two states."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """`root/id/key` went from `before` to `after`; `text` says so. `key` is "" for an entity as a whole."""

    change: Change
    root: str
    id: str
    key: str
    before: Any
    after: Any
    text: str


NOUNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tracks": "track",
        "clips": "clip",
        "effects": "effect",
        "sends": "send",
        "markers": "marker",
        "notes": "note",
        "tempo": "tempo point",
        "signatures": "time signature",
        "lanes": "automation lane",
        "points": "automation point",
        "events": "MIDI note",
        "arrangement": "arrangement section",
        "slots": "live slot",
    }
)
QUIET: Final = frozenset({"order", "at", "by", "author", "take", "base", "src0_us", "lock", "deleted"})
"""Fields that say nothing to a musician by themselves."""
LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "gain_db": "gain",
        "pos": "position",
        "in": "left edge",
        "out": "right edge",
        "count_in": "count-in",
        "tuning_hz": "tuning",
        "master_target_lufs": "export loudness",
        "bpm": "tempo",
        "signature": "time signature",
        "phase_invert": "phase",
        "fade_in": "fade in",
        "fade_out": "fade out",
        "source_bpm": "source tempo",
        "tick": "place",
    }
)
UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {"gain_db": " dB", "bpm": " bpm", "source_bpm": " bpm", "tuning_hz": " Hz", "master_target_lufs": " LUFS"}
)
PLACES: Final = frozenset({"tick", "end", "pos"})


@dataclass(frozen=True, slots=True)
class _Song:
    """What names and places are told by: the newer state."""

    doc: valid.Canonical
    tempo: TempoMap


def compare(a: valid.Canonical, b: valid.Canonical) -> list[Difference]:
    """What one would have to do to get from `a` to `b`, by root, id and key. Deleted entities count as absent."""
    song = _Song(b, TempoMap.from_canonical(b))
    return [*_flat(a, b, song), *_entities(a, b, song), *_leaves(a, b)]


def _flat(a: valid.Canonical, b: valid.Canonical, song: _Song) -> Iterator[Difference]:
    if a["meta"].get("name") != b["meta"].get("name"):
        yield _changed(("meta", "", "name"), a["meta"].get("name"), b["meta"].get("name"), "project", song)
    for key, spec in sorted(schema.FLAT["transport"].items()):
        before, after = (doc["transport"].get(key, spec.initial("")) for doc in (a, b))
        if before != after:
            yield _changed(("transport", "", key), before, after, "song", song)


def _entities(a: valid.Canonical, b: valid.Canonical, song: _Song) -> Iterator[Difference]:
    for root in schema.ENTITIES:
        before, after = (_present(doc, root) for doc in (a, b))
        for entity in sorted(before.keys() | after.keys()):
            yield from _entity(root, entity, before.get(entity), after.get(entity), song)


def _present(doc: valid.Canonical, root: str) -> dict[str, dict[str, Any]]:
    if root in schema.SOFT_DELETED:
        return dict(valid.living(doc, root))
    return {entity: valid.known(root, entity, fields) for entity, fields in valid.entities(doc, root)}


def _entity(
    root: str, entity: str, old: dict[str, Any] | None, new: dict[str, Any] | None, song: _Song
) -> Iterator[Difference]:
    name = f"{NOUNS[root]} {called(root, entity, new or old or {})}".strip()
    if old is None:
        yield Difference(Change.ADDED, root, entity, "", None, new, f"{name} was added")
    elif new is None:
        yield Difference(Change.REMOVED, root, entity, "", old, None, f"{name} was deleted")
    else:
        moved = root == "tracks" and old["order"] != new["order"]
        if moved:
            yield Difference(
                Change.CHANGED, root, entity, "order", old["order"], new["order"], f"{name} was moved in the list"
            )
        for key in sorted(old.keys() - QUIET):
            if old[key] == new[key]:
                continue
            if (root, key) == ("clips", "pos") and (text := _moved(name, old, new, song.tempo)):
                yield Difference(Change.CHANGED, root, entity, key, old[key], new[key], text)
            else:
                yield _changed((root, entity, key), old[key], new[key], name, song)


def _moved(name: str, old: Mapping[str, Any], new: Mapping[str, Any], tempo: TempoMap) -> str:
    """Where the clip begins to sound, before and after; "" when that is nowhere on the timeline."""
    places = [_begin(fields, tempo) for fields in (old, new)]
    if min(places) < 0:
        return ""
    return f"{name} moved from {_bar(places[0], tempo)} to {_bar(places[1], tempo)}"


def _begin(fields: Mapping[str, Any], tempo: TempoMap) -> float:
    """The tick of the left edge: content is in ticks, or in microseconds of its file."""
    if fields["base"] == "beats" or fields["pos"] < 0:
        return float(fields["pos"] + fields["in"])
    return round(tempo.tick(tempo.seconds(fields["pos"]) + fields["in"] / 1e6))


def _bar(tick: float, tempo: TempoMap) -> str:
    place = tempo.position(tick)
    beat = f".{place.beat}" if place.beat != 1 or place.tick else ""
    return f"bar {place.bar}{beat}" + (f"+{place.tick:g}" if place.tick else "")


def called(root: str, entity: str, fields: Mapping[str, Any]) -> str:
    """What a musician calls the entity: its name in quotes, or its id; markers and notes without words are ""."""
    name = fields.get({"markers": "label", "notes": "body"}.get(root, "name")) or fields.get("asset")
    if root == "effects":
        name = fields.get("kind")
    return f"“{str(name)[:40]}”" if name else ("" if root in {"markers", "notes"} else entity)


def _leaves(a: valid.Canonical, b: valid.Canonical) -> Iterator[Difference]:
    for root in schema.LEAVES:
        if root in schema.SERVER_ROOTS:
            continue
        for key in sorted(a[root].keys() | b[root].keys()):
            old, new = a[root].get(key), b[root].get(key)
            if old != new:
                yield _leaf(root, key, old, new)


def _leaf(root: str, key: str, old: Any, new: Any) -> Difference:
    noun = NOUNS[root]
    if old is None:
        return Difference(Change.ADDED, root, "", key, None, new, f"{noun} was added")
    if new is None:
        return Difference(Change.REMOVED, root, "", key, old, None, f"{noun} was deleted")
    return Difference(Change.CHANGED, root, "", key, old, new, f"{noun} was changed")


def _changed(place: tuple[str, str, str], old: Any, new: Any, name: str, song: _Song) -> Difference:
    root, entity, key = place
    label = LABELS.get(key, key.replace("_", " "))
    text = f"{name}: {label} {_said(key, old, song.tempo)} → {_said(key, new, song.tempo)}"
    if root == "clips" and key == "track":
        text = f"{name}: moved to track {called('tracks', str(new), song.doc['tracks'].get(new, {}))}"
    return Difference(Change.CHANGED, root, entity, key, old, new, text)


def _said(key: str, value: Any, tempo: TempoMap) -> str:
    """A value as a musician writes it; places as bar.beat."""
    match value:
        case None:
            return "none"
        case bool():
            return "on" if value else "off"
        case int() | float() if key in PLACES and value >= 0:
            place = tempo.position(value)
            return f"bar {place.bar}.{place.beat}" + (f"+{place.tick:g}" if place.tick else "")
        case int() | float():
            return f"{value:g}".replace("-", "−") + UNITS.get(key, "")
        case [int(numerator), int(denominator)] if key == "signature":
            return f"{numerator}/{denominator}"
        case str():
            return f"“{value[:40]}”"
    return str(value)
