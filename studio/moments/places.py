"""Places in a document: how a path of the history is read, and which track a place belongs to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from studio import schema, valid


class Place(NamedTuple):
    """As `compare` names it: of flat and leaf roots `id` is "", of an entity as a whole `key` is ""."""

    root: str
    id: str
    key: str

    @classmethod
    def of(cls, path: str) -> Self:
        """Reads `studio.watch.Touched.paths`."""
        root, _, rest = path.partition("/")
        if root not in schema.ENTITIES:
            return cls(root, "", rest)
        entity, _, key = rest.partition("/")
        return cls(root, entity, key)

    @property
    def path(self) -> str:
        return "/".join(part for part in self if part)


@dataclass(frozen=True, slots=True)
class Ownership:
    """Which track things belong to, by what one or several states of a document say."""

    _clips: Mapping[str, frozenset[str]]
    _effects: Mapping[str, frozenset[str]]
    _notes: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, *states: valid.Canonical) -> Self:
        return cls(*(_tracks(states, root) for root in ("clips", "effects", "notes")))

    def belongs(self, place: Place, track: str) -> bool:
        """Whether what stands there is the track, or on it, in any of the states; deleted things count."""
        root, entity, key = place
        match root:
            case "tracks":
                return entity == track
            case "clips":
                return track in self._clips.get(entity, ())
            case "effects":
                return track in self._effects.get(entity, ())
            case "notes":
                return track in self._notes.get(entity, ())
            case "sends":
                return entity.partition(">")[0] == track
            case "lanes" | "points":
                return key.partition(".")[0] == track
            case "slots":
                return key.partition(":")[0] == track
            case "events":
                return track in self._clips.get(key.partition("/")[0], ())
        return False


def _tracks(states: Iterable[valid.Canonical], root: str) -> Mapping[str, frozenset[str]]:
    found: dict[str, set[Any]] = {}
    for state in states:
        for entity, fields in valid.entities(state, root):
            found.setdefault(entity, set()).add(valid.value(root, entity, fields, "track"))
    return {entity: frozenset(tracks) for entity, tracks in found.items()}
