"""What somebody wrote in a stretch of the journal: for each place the value before their first and after their last."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pycrdt import Doc

from studio.binding import MISSING, Missing, Reader, reading
from studio.moments.places import Place
from studio.schema import ENTITIES
from studio.unknown import json_value


class Written(NamedTuple):
    """A place and its canonical values before and after; MISSING where there was nothing."""

    place: Place
    before: Any | Missing
    after: Any | Missing

    def differs(self) -> bool:
        return self.before is not self.after and (MISSING in (self.before, self.after) or self.before != self.after)

    def paths(self) -> list[str]:
        """The paths of the history under which it may have been overwritten since."""
        root, entity, key = self.place
        if not entity or key:
            return [self.place.path]
        keys = self.after if isinstance(self.after, dict) else ()
        return [self.place.path, *(Place(root, entity, key).path for key in keys)]


@dataclass(slots=True)
class Recorder:
    """Told of every step of one person, before and after it is applied to the document."""

    _before: dict[Place, Any] = field(default_factory=dict)
    _after: dict[Place, Any] = field(default_factory=dict)
    _whole: set[Place] = field(default_factory=set)
    """Entities that were written as a whole."""

    def coming(self, doc: "Doc[Any]", paths: Iterable[str]) -> None:
        """The person is about to write these."""
        with reading(doc) as reader:
            for place in _places(paths) - self._before.keys():
                self._before[place] = held(reader, place)

    def came(self, doc: "Doc[Any]", paths: Iterable[str]) -> None:
        """The person has written these."""
        places = _places(paths)
        self._whole |= {place for place in map(Place.of, paths) if place.id and not place.key}
        with reading(doc) as reader:
            self._after.update({place: held(reader, place) for place in places})

    def written(self) -> list[Written]:
        """What differs: entities that came or went as a whole, others key by key, in order of their places."""
        found: dict[Place, Written] = {}
        whole = self._as_whole()
        for place, after in sorted(self._after.items()):
            if place.id and not place.key:
                found.update({one.place: one for one in self._of_entity(place)})
            elif place.root not in ENTITIES or place._replace(key="") not in whole:
                found[place] = Written(place, self._before[place], after)
        return [one for one in found.values() if one.differs()]

    def _as_whole(self) -> set[Place]:
        """Entities whose keys are not told one by one as they were written."""
        return self._whole | {
            place for place in self._after if place.id and not place.key and self._came_or_went(place)
        }

    def _came_or_went(self, place: Place) -> bool:
        return not (isinstance(self._before[place], dict) and isinstance(self._after[place], dict))

    def _of_entity(self, place: Place) -> Iterator[Written]:
        before, after = self._before[place], self._after[place]
        if self._came_or_went(place):
            yield Written(place, before, after)
        elif place in self._whole:
            for key in sorted(before.keys() | after.keys()):
                yield Written(place._replace(key=key), before.get(key, MISSING), after.get(key, MISSING))


def _places(paths: Iterable[str]) -> set[Place]:
    """What they name, and the entities of it."""
    named = set(map(Place.of, paths))
    return named | {place._replace(key="") for place in named if place.id}


def held(reader: Reader, place: Place) -> Any | Missing:
    """What stands at a place, as canonical JSON; MISSING if nothing does."""
    root, entity, key = place
    if not entity:
        found = reader.entry(root, key)
    else:
        found = reader.value(root, entity, key) if key else reader.entry(root, entity)
    return MISSING if found is MISSING else json_value(reader.plain(found))
