"""Going back beside tracks that somebody else holds: such a track is either left as it is, or nothing happens."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pycrdt import Doc

from studio.binding import reading
from studio.canonical import canonical
from studio.edits.restore import differs, restore
from studio.errors import Locked
from studio.locks import Held, Lock
from studio.moments.places import Ownership, Place
from studio.watch import Touched, watch

T = TypeVar("T")


def others_locks(doc: "Doc[Any]", user: str, now_ms: int) -> Mapping[str, Lock]:
    """The locks that bind this user, by track: those of others whose time has not passed."""
    return {track: lock for track, lock in _held(doc, now_ms).locks.items() if lock.user != user}


def respecting(doc: "Doc[Any]", user: str, now_ms: int, change: "Callable[[Doc[Any]], T]") -> T:
    """Makes a change. Raises Locked if it touched a track that somebody else holds: the document is then to be dropped.

    What counts as touched is what the collab server would undo.
    """
    held, touched = _held(doc, now_ms), list[Touched]()
    if not held.locks:
        return change(doc)
    with watch(doc, touched.append):
        result = change(doc)
    with reading(doc) as reader:
        _, tracks = held.against(reader, touched, user)
    if tracks:
        last = max(tracks, key=lambda track: held.locks[track].until)
        raise Locked(last, *held.locks[last])
    return result


def restore_around(
    doc: "Doc[Any]", target: Mapping[str, Any], by: str, now_ms: int, locks: Mapping[str, Lock]
) -> tuple[int, list[str]]:
    """`restore` of everything but what is on these tracks, now or in `target`; and which of them would have changed.

    What people said about a track comes back: a lock does not hold talk.
    """
    live = canonical(doc)
    owned, left = Ownership.of(live, target), set[str]()

    def free(place: Place) -> bool:
        held = () if place.root == "notes" else [track for track in locks if owned.belongs(place, track)]
        if held and differs(place, live, target):
            left.update(held)
        return not held

    written = restore(doc, target, by, now_ms, free)
    return written, [track for track in locks if track in left]


def _held(doc: "Doc[Any]", now_ms: int) -> Held:
    held = Held()
    with reading(doc) as reader:
        held.look(reader, reader.ids("tracks"), now_ms)
    return held
