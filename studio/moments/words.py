"""A burst in a few words: how many of what, and which of their sides."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from studio import schema, valid
from studio.compare import LABELS, NOUNS, QUIET, called
from studio.moments.places import Place

SIDES_MAX: Final = 4


def summary(paths: Iterable[str]) -> str:
    """ "2 clips: position; 1 track: gain, mute; tempo". Nothing but a musician's matters; "" if there are none."""
    entities: dict[str, set[str]] = defaultdict(set)
    sides: dict[str, set[str]] = defaultdict(set)
    for place in map(Place.of, paths):
        if place.root in NOUNS:
            entities[place.root].add(place.id or place.key)
            sides[place.root] |= _sides(place)
        elif place.key:
            sides[place.root].add(_label(place.key))
    roots = [root for root in schema.ROOTS if root in sides]
    return "; ".join(filter(None, (_told(root, len(entities[root]), sorted(sides[root])) for root in roots)))


def _sides(place: Place) -> set[str]:
    if not place.id or not place.key:
        return set()
    if place.key == "deleted":
        return {"deleted or brought back"}
    return set() if place.key in QUIET else {_label(place.key)}


def _label(key: str) -> str:
    return LABELS.get(key, key.removeprefix("p.").replace("_", " "))


def _told(root: str, number: int, sides: list[str]) -> str:
    shown = ", ".join(sides[:SIDES_MAX]) + (" …" if len(sides) > SIDES_MAX else "")
    if root not in NOUNS:
        return shown
    noun = f"{number} {NOUNS[root]}{'' if number == 1 else 's'}"
    return f"{noun}: {shown}" if shown else noun


def named(place: Place, canonical: valid.Canonical) -> str:
    """ "clip “Vocals”: position". What a place is called in this state."""
    root, entity, key = place
    noun = NOUNS.get(root, "song" if root == "transport" else "project")
    if not entity:
        return noun if root in NOUNS else f"{noun}: {_label(key)}"
    fields = canonical.get(root, {}).get(entity)
    whole = f"{noun} {called(root, entity, fields if isinstance(fields, dict) else {})}".strip()
    return f"{whole}: {_label(key)}" if key else whole
