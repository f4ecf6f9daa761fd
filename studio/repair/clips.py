"""R7, R9, R10: a clip stands on a track, has a length, and does not start before the song; markers likewise."""

from studio.binding import RawMap
from studio.repair.draft import Draft
from studio.schema import CONTENT_MAX, LOST, SPAN_MIN, SPAN_MIN_US, TICK_MAX


def clip(draft: Draft, entity: str, keys: frozenset[str]) -> None:
    """The cross-field rules of one clip, as far as `keys` concern them."""
    whole = "" in keys
    if whole or "track" in keys:
        _track(draft, entity)
    if keys.isdisjoint(("", "in", "out", "pos", "base")) or _sound(draft, entity):
        return
    if whole or not keys.isdisjoint(("in", "out", "base")):
        _length(draft, entity)
    if whole or not keys.isdisjoint(("in", "pos", "base")):
        _start(draft, entity)


def _sound(draft: Draft, entity: str) -> bool:
    """The usual case at the price of four reads: whole numbers in the right order. Anything else is looked at closely.

    Keeps the last position of clips that carry notes on the way.
    """
    found = draft.reader.entry("clips", entity)
    assert isinstance(found, RawMap)
    pos, start, end = (draft.reader.get(found, key) for key in ("pos", "in", "out"))
    draft.firsts.see_position(entity, pos)
    if not isinstance(pos, float) or not isinstance(start, float) or not isinstance(end, float):
        return False
    whole = pos.is_integer() and start.is_integer() and end.is_integer()
    return (
        whole
        and start < end
        and pos + start >= 0
        and abs(pos) <= TICK_MAX
        and start >= -TICK_MAX
        and end <= CONTENT_MAX
    )


def _track(draft: Draft, entity: str) -> None:
    track = draft.read("clips", entity, "track")
    if track != LOST and not draft.is_entity("tracks", str(track)):
        draft.write("clips", entity, "track", LOST, "R7")


def _length(draft: Draft, entity: str) -> None:
    start, end = draft.number("clips", entity, "in"), draft.number("clips", entity, "out")
    if end <= start:
        beats = draft.read("clips", entity, "base") == "beats"
        draft.write("clips", entity, "out", start + (SPAN_MIN if beats else SPAN_MIN_US), "R9")


def _start(draft: Draft, entity: str) -> None:
    """Only for base beats: where a time-based clip starts depends on the tempo map, so readers clip it at zero."""
    if draft.read("clips", entity, "base") != "beats":
        return
    pos, start = draft.number("clips", entity, "pos"), draft.number("clips", entity, "in")
    if pos + start < 0:
        draft.write("clips", entity, "pos", -start, "R10")


def marker(draft: Draft, entity: str, keys: frozenset[str]) -> None:
    """A section keeps a length: its end lies behind its tick (as R9 does for clips)."""
    if "" not in keys and keys.isdisjoint(("tick", "end")):
        return
    end = draft.read("markers", entity, "end")
    tick = draft.number("markers", entity, "tick")
    if isinstance(end, int | float) and end <= tick:
        draft.write("markers", entity, "end", tick + SPAN_MIN, "R9")
