"""What a transaction touched, as notes for repair, history and counts.

The observers run inside the commit, on the server's hot path: they append and do nothing else.
"""

from collections.abc import Callable, Collection
from types import TracebackType
from typing import Any, NamedTuple, Self

from pycrdt import Doc, Map

from studio.binding import Dropping, Event, is_map_event, new_keys, observe_deep
from studio.schema import ENTITIES, ROOTS


class Touched(NamedTuple):
    """Keys of one entity (or of a flat or leaf root: id "") that a transaction wrote.

    For an entity the key "" stands for the entry itself: it was created or replaced (then all its keys are named
    too) or removed (then "" is alone).
    """

    root: str
    id: str
    keys: frozenset[str]

    def paths(self) -> tuple[str, ...]:
        """What `paths_of` spells."""
        return tuple(paths_of(self.root, self.id, self.keys))


def paths_of(root: str, id: str, keys: Collection[str]) -> list[str]:
    """What was touched, for the journal: `root/id/key`, `root/key` for flat and leaf roots, `root/id` for an entry as a
    whole."""
    if not id:
        return [f"{root}/{key}" for key in sorted(keys)]
    if "" in keys:
        return [f"{root}/{id}"]
    return [f"{root}/{id}/{key}" for key in sorted(keys)]


class Watch:
    """Deep observers on every root; `close()` (or leaving the context) takes them off, always."""

    __slots__ = ("_subscriptions", "looks_away")

    def __init__(self) -> None:
        self._subscriptions: list[Dropping] = []
        self.looks_away = False
        """Nothing is noted while this is set."""

    def see(self, subscription: Dropping) -> None:
        """One observer more."""
        self._subscriptions.append(subscription)

    def close(self) -> None:
        while self._subscriptions:
            self._subscriptions.pop().drop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def watch(doc: "Doc[Any]", sink: Callable[[Touched], None]) -> Watch:
    """Calls `sink` once per changed Map or Text, during the commit of each transaction. The caller closes."""
    seen = Watch()
    for root in ROOTS:
        seen.see(observe_deep(doc.get(root, type=Map), _observer(seen, root, sink)))
    return seen


def _observer(seen: Watch, root: str, sink: Callable[[Touched], None]) -> Callable[[list[Event]], None]:
    notes = _entity_notes if root in ENTITIES else _leaf_notes

    def notify(events: list[Event]) -> None:
        if seen.looks_away:
            return
        for event in events:
            notes(root, event, sink)

    return notify


def _leaf_notes(root: str, event: Event, sink: Callable[[Touched], None]) -> None:
    path = event.path
    keys = frozenset(event.keys) if not path else frozenset({str(path[0])})
    sink(Touched(root, "", keys))


def _entity_notes(root: str, event: Event, sink: Callable[[Touched], None]) -> None:
    path = event.path
    if not path:
        for entity, change in event.keys.items():
            keys = new_keys(change.get("newValue"), event.transaction)
            sink(Touched(root, entity, frozenset(("", *keys))))
    elif len(path) > 1:
        sink(Touched(root, str(path[0]), frozenset({str(path[1])})))
    elif is_map_event(event):
        sink(Touched(root, str(path[0]), frozenset(event.keys)))
    else:
        sink(Touched(root, str(path[0]), frozenset({""})))
