"""Track locks: courtesy with a guaranteed outcome. Who holds one is `lock` = [user, until ms] on the track.

A lock forbids nothing beforehand, since nobody can look into the future of a CRDT: what others change meanwhile on the
track, its clips, notes, effects, sends and automation is undone by the server with the values from before.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from pycrdt import Doc, Map

from studio.belonging import track_of
from studio.binding import MISSING, RawMap, Reader
from studio.edits.entity import living
from studio.errors import Locked
from studio.repair.plan import Repair
from studio.schema import ENTITIES
from studio.watch import Touched

LOCK_MS_MAX: Final = 600_000
ROOTS: Final = ("tracks", "clips", "effects", "events", "lanes", "points", "sends", "slots")
"""Whose entries belong to tracks."""
MOVABLE: Final = ("clips", "effects")
RULE: Final = "lock"


class Lock(NamedTuple):
    """Whose it is, and until when (ms since 1970)."""

    user: str
    until: int


def lock_of(value: object, now_ms: int) -> Lock | None:
    """The lock that a track's field says; None if there is none, or its time has passed."""
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
        return None
    until = value[1]
    if isinstance(until, bool) or not isinstance(until, int | float) or until <= now_ms:
        return None
    return Lock(value[0], int(until))


def lock_track(doc: "Doc[Any]", track: str, user: str, now_ms: int, ms: int) -> Lock:
    """Takes or renews the lock of a track for `ms` from now. Raises NotFound, and Locked if it is somebody else's."""
    target = _free(doc, track, user, now_ms, breaks=False)
    lock = Lock(user, now_ms + min(ms, LOCK_MS_MAX))
    with doc.transaction():
        target["lock"] = [lock.user, float(lock.until)]
    return lock


def unlock_track(doc: "Doc[Any]", track: str, user: str, now_ms: int, *, breaks: bool) -> None:
    """Ends the lock of a track, if there is one. Raises NotFound, and Locked if it is somebody else's to keep."""
    target = _free(doc, track, user, now_ms, breaks=breaks)
    if target.get("lock") is not None:
        with doc.transaction():
            target["lock"] = None


def _free(doc: "Doc[Any]", track: str, user: str, now_ms: int, *, breaks: bool) -> "Map[Any]":
    target = living(doc, "tracks", track)
    held = lock_of(target.get("lock"), now_ms)
    if held is not None and held.user != user and not breaks:
        raise Locked(track, held.user, held.until)
    return target


class Held:
    """What locked tracks hold, as it was when nobody had touched it who may not."""

    __slots__ = ("_entries", "_homes", "locks")

    def __init__(self) -> None:
        self.locks: dict[str, Lock] = {}
        self._entries: dict[tuple[str, str], tuple[str, object]] = {}
        """(root, entry) → its locked track and its plain value."""
        self._homes: dict[tuple[str, str], str] = {}
        """Where clips and effects of all tracks belong: one that was pulled onto a locked track goes back."""

    def look(self, reader: Reader, tracks: Iterable[str], now_ms: int) -> None:
        """These tracks' locks may have changed."""
        for track in tracks:
            lock = lock_of(reader.value("tracks", track, "lock"), now_ms)
            if lock is None:
                self._drop(track)
                continue
            if not self.locks:
                self._homes = {(r, e): track_of(r, e, reader.value) for r in MOVABLE for e in reader.ids(r)}
            if track not in self.locks:
                self._take(reader, track)
            self.locks[track] = lock

    def expire(self, now_ms: int) -> None:
        """Locks whose time has passed hold nothing."""
        for track in [track for track, lock in self.locks.items() if lock.until <= now_ms]:
            self._drop(track)

    def note(self, reader: Reader, touched: Iterable[Touched]) -> None:
        """This is how it is now, and rightly so."""
        moved: dict[str, str] = {}
        for root, entry, keys in _entries(touched):
            place = root, entry
            found = reader.entry(root, entry)
            before = self._homes.get(place)
            track = "" if found is MISSING else track_of(root, entry, reader.value)
            if track in self.locks:
                self._entries[place] = track, reader.plain(found)
            else:
                self._entries.pop(place, None)
            if root in MOVABLE:
                self._homes[place] = track
                if root == "clips" and track != before and not keys.isdisjoint(("", "track")):
                    moved[entry] = track
        if moved:
            self._follow(reader, moved)

    def against(self, reader: Reader, touched: Iterable[Touched], user: str) -> tuple[list[Repair], list[str]]:
        """What has to be written so that `user` has touched no track that somebody else holds; and those tracks."""
        writes: list[Repair] = []
        tracks: list[str] = []
        for root, entry, keys in _entries(touched):
            held = self._entries.get((root, entry))
            if held is not None and self._others(held[0], user):
                writes += _restored(reader, root, entry, keys, held[1])
                tracks.append(held[0])
                continue
            track = "" if reader.entry(root, entry) is MISSING else track_of(root, entry, reader.value)
            if self._others(track, user):
                writes.append(self._sent_back(root, entry))
                tracks.append(track)
        return writes, list(dict.fromkeys(tracks))

    def _others(self, track: str, user: str) -> bool:
        lock = self.locks.get(track)
        return lock is not None and lock.user != user

    def _sent_back(self, root: str, entry: str) -> Repair:
        """Something was made on a locked track, or pulled onto it."""
        home = self._homes.get((root, entry))
        if home:
            return Repair(root, entry, "track", None, home, RULE)
        return _removed(root, entry)

    def _take(self, reader: Reader, track: str) -> None:
        clips = {clip for (root, clip), home in self._homes.items() if root == "clips" and home == track}
        for root in ROOTS:
            for entry in reader.ids(root):
                if root == "events":
                    mine = entry.partition("/")[0] in clips
                else:
                    mine = (
                        self._homes[root, entry] if root in MOVABLE else track_of(root, entry, reader.value)
                    ) == track
                if mine:
                    self._entries[root, entry] = track, reader.plain(reader.entry(root, entry))

    def _follow(self, reader: Reader, moved: Mapping[str, str]) -> None:
        """The notes of clips that came or went (clip → its track now): one walk, as there are many more notes."""
        for event in reader.ids("events"):
            track = moved.get(event.partition("/")[0])
            if track is None:
                continue
            if track in self.locks:
                self._entries["events", event] = track, reader.entry("events", event)
            else:
                self._entries.pop(("events", event), None)

    def _drop(self, track: str) -> None:
        if self.locks.pop(track, None) is not None:
            self._entries = {place: held for place, held in self._entries.items() if held[0] != track}
        if not self.locks:
            self._homes = {}


def _entries(touched: Iterable[Touched]) -> Iterable[Touched]:
    """One note for each entry of the roots that belong to tracks; `keys` are those of the entry."""
    for root, entity, keys in touched:
        if root not in ROOTS:
            continue
        if root in ENTITIES:
            yield Touched(root, entity, keys)
        else:
            yield from (Touched(root, key, frozenset()) for key in sorted(keys))


def _restored(reader: Reader, root: str, entry: str, keys: frozenset[str], value: object) -> list[Repair]:
    if root not in ENTITIES or not isinstance(value, dict):
        return [Repair(root, "", entry, None, value, RULE)]
    if "" in keys or not isinstance(reader.entry(root, entry), RawMap):
        return [Repair(root, entry, "", None, value, RULE)]
    return [
        Repair(root, entry, key, None, value.get(key), RULE, key not in value)
        for key in sorted(keys)
        if key in value or reader.value(root, entry, key) is not MISSING
    ]


def _removed(root: str, entry: str) -> Repair:
    if root in ENTITIES:
        return Repair(root, entry, "", None, None, RULE, True)
    return Repair(root, "", entry, None, None, RULE, True)
