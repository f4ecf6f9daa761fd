"""R7, R12, R13 and the fixed tracks: outputs, folders and sends lead to a living bus, and never in a circle."""

from studio.repair.draft import Draft
from studio.schema import FIXED_TRACKS, LOST, MASTER


def touched(draft: Draft, root: str, entity: str, keys: frozenset[str]) -> None:
    """The routing rules of one track or send, as far as `keys` concern them."""
    whole = "" in keys
    if root == "sends":
        if whole or "on" in keys:
            _send(draft, entity)
        return
    if whole or not keys.isdisjoint(("kind", "deleted")):
        _kind(draft, entity)
        if not _is_bus(draft, entity):
            _leave(draft, entity)
    if whole or "output" in keys:
        _cycle(draft, entity, "output", MASTER)
        _output(draft, entity)
    if whole or "parent" in keys:
        _parent(draft, entity)
        _cycle(draft, entity, "parent", None)


def track_gone(draft: Draft, track: str) -> None:
    """A track was removed for good: its clips go to "lost", nothing leads to it any more."""
    for clip in draft.reader.ids("clips"):
        if draft.reader.value("clips", clip, "track") == track:
            draft.write("clips", clip, "track", LOST, "R7")
    for other in draft.reader.ids("tracks"):
        if draft.reader.value("tracks", other, "parent") == track:
            draft.write("tracks", other, "parent", None, "R13")
    _leave(draft, track)


def _kind(draft: Draft, track: str) -> None:
    """`master` is the only master, and neither it nor `lost` can be deleted."""
    kind = draft.read("tracks", track, "kind")
    if (kind == MASTER) is not (track == MASTER):
        fixed = MASTER if track == MASTER else "audio"
        draft.firsts.learn("tracks", track, "kind", fixed)
        draft.write("tracks", track, "kind", fixed, "R4")
    if track in FIXED_TRACKS and draft.read("tracks", track, "deleted") is not None:
        draft.write("tracks", track, "deleted", None, "R17")


def _is_bus(draft: Draft, track: str) -> bool:
    if not draft.is_entity("tracks", track) or draft.writes.get(("tracks", track, "")):
        return False
    return draft.read("tracks", track, "kind") == "bus" and draft.read("tracks", track, "deleted") is None


def _output(draft: Draft, track: str) -> None:
    output = str(draft.read("tracks", track, "output"))
    if output != MASTER and not _is_bus(draft, output):
        draft.write("tracks", track, "output", MASTER, "R13")


def _parent(draft: Draft, track: str) -> None:
    parent = draft.read("tracks", track, "parent")
    if parent is not None and not draft.is_entity("tracks", str(parent)):
        draft.write("tracks", track, "parent", None, "R13")


def _leave(draft: Draft, bus: str) -> None:
    """`bus` is no living bus: outputs to it go to master, sends to it are switched off."""
    for other in draft.reader.ids("tracks"):
        if draft.reader.value("tracks", other, "output") == bus and bus != MASTER:
            draft.write("tracks", other, "output", MASTER, "R13")
    for send in draft.reader.ids("sends"):
        if send.endswith(f">{bus}"):
            _send(draft, send)


def _send(draft: Draft, send: str) -> None:
    if not draft.is_entity("sends", send) or draft.read("sends", send, "on") is False:
        return
    bus = send.partition(">")[2]
    if bus != MASTER and not _is_bus(draft, bus):
        draft.write("sends", send, "on", False, "R13")


def _cycle(draft: Draft, track: str, key: str, end: str | None) -> None:
    """Follows `key` from `track`; if the way comes back on itself, the highest id of the circle leaves it (R12)."""
    seen: list[str] = []
    place: object = track
    while place not in (MASTER, None) and place not in seen and draft.is_entity("tracks", str(place)):
        seen.append(str(place))
        place = draft.read("tracks", str(place), key)
    if place in seen:
        draft.write("tracks", max(seen[seen.index(str(place)) :]), key, end, "R12")
