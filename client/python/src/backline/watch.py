"""What a transaction changed, as notes: taken by observers while it commits, read when it is over."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from pycrdt import Map, Subscription, Text

from backline.specs import tupled

ENTITIES: Final = frozenset({"tracks", "clips", "effects", "sends", "markers", "notes"})
FLAT: Final = frozenset({"meta", "transport"})


class Note(NamedTuple):
    """One cell has another value. `key` "": the entry itself came (`new` is all of it) or went (`new` None)."""

    root: str
    id: str
    key: str
    old: object
    new: object


class Watch:
    """Deep observers on every root."""

    def __init__(self, roots: Mapping[str, "Map[Any]"], wanted: Callable[[], bool]) -> None:
        """`wanted` tells whether anybody reads the notes: without a reader only note bodies are followed."""
        self._wanted = wanted
        self._notes: list[Note] = []
        self._bodies: dict[str, str] = {}
        self._roots = roots
        self._subscriptions = [(root, self._observe(name, root)) for name, root in roots.items()]

    def take(self) -> list[Note]:
        """The notes since the last time."""
        notes, self._notes = self._notes, []
        return notes

    def close(self) -> None:
        """Observe no more."""
        while self._subscriptions:
            root, subscription = self._subscriptions.pop()
            root.unobserve(subscription)
        self._wanted = _nobody

    def _observe(self, name: str, root: "Map[Any]") -> Subscription:
        def heard(events: list[Any]) -> None:
            if name == "notes" or self._wanted():
                for event in events:
                    self._event(name, event)

        return root.observe_deep(heard)

    def _event(self, root: str, event: Any) -> None:
        """Note a MapEvent's keys or a TextEvent's text; pycrdt types neither."""
        path, target = [str(step) for step in event.path], event.target
        if isinstance(target, Text):
            self._text(root, path, str(target))
            return
        for key, change in event.keys.items():
            new = _plain(change.get("newValue"))
            if root in ENTITIES and not path:
                self._entry(root, key, new)
                continue
            id, field = (path[0], key) if path else ("", key) if root in FLAT else (key, "")
            self._notes.append(Note(root, id, field, _plain(change.get("oldValue")), new))

    def _entry(self, root: str, id: str, new: object) -> None:
        if isinstance(new, dict) and isinstance(new.get("body"), str):
            self._bodies[id] = new["body"]
        self._notes.append(Note(root, id, "", None, new))

    def _text(self, root: str, path: list[str], now: str) -> None:
        was, self._bodies[path[0]] = self._bodies.get(path[0]), now
        self._notes.append(Note(root, path[0], path[1], was, now))


def _nobody() -> bool:
    return False


def _plain(value: object) -> object:
    """Plain Python: lists as tuples, whole numbers as int, texts as str."""
    if isinstance(value, Map):
        return {key: _plain(item) for key, item in (value.to_py() or {}).items()}
    return str(value) if isinstance(value, Text) else tupled(value)
