"""R5 and R17: what the server saw first is what stays."""

from studio import schema
from studio.binding import MISSING
from studio.blank import fixed_track as fixed_fields
from studio.fields import DROP
from studio.repair.draft import Draft
from studio.repair.firsts import GUARDED


def server_root(draft: Draft, root: str, keys: frozenset[str]) -> None:
    """meta and assets belong to the server: a client's write is undone, an entry it added is removed."""
    for key in keys:
        first = draft.firsts.recall(root, "", key)
        value = draft.reader.plain(draft.reader.entry(root, key))
        if first is MISSING:
            if value is not MISSING:
                draft.write(root, "", key, DROP, "R17")
        elif value != first:
            draft.write(root, "", key, first, "R17")


def entity(draft: Draft, root: str, entity: str, keys: frozenset[str]) -> None:
    """A new entity's guarded fields become its firsts (server fields cleared, stamps set); later writes are undone."""
    if "" in keys:
        draft.firsts.meet(draft.reader, root, entity)
        _server_fields(draft, root, entity)
        _stamps(draft, root, entity)
        return
    for key in GUARDED[root] & keys:
        _unchanged(draft, root, entity, key)


def _server_fields(draft: Draft, root: str, entity: str) -> None:
    for key in schema.SERVER_FIELDS.get(root, frozenset()):
        if draft.raw(root, entity, key) not in (None, MISSING):
            draft.firsts.learn(root, entity, key, None)
            draft.write(root, entity, key, None, "R17")


def _stamps(draft: Draft, root: str, entity: str) -> None:
    if draft.stamp is None or root not in schema.STAMPED:
        return
    for key, value in zip(schema.STAMPED[root], (draft.stamp.user, float(draft.stamp.at)), strict=True):
        draft.firsts.learn(root, entity, key, value)
        if draft.raw(root, entity, key) != value:
            draft.write(root, entity, key, value, "R17")


def _unchanged(draft: Draft, root: str, entity: str, key: str) -> None:
    value = draft.reader.plain(draft.raw(root, entity, key))
    first = draft.firsts.recall(root, entity, key)
    server = key in schema.SERVER_FIELDS.get(root, frozenset())
    if first is MISSING and server and value is not None:
        first = None
    if first is MISSING:
        if value is not MISSING:
            draft.firsts.learn(root, entity, key, value)
    elif value != first or isinstance(value, bool) is not isinstance(first, bool):
        draft.write(root, entity, key, first, "R5" if key in schema.IMMUTABLE.get(root, ()) else "R17")


def fixed_track(draft: Draft, track: str) -> None:
    """`master` and `lost` always stand: removed, they are made anew as the server first wrote them."""
    draft.write("tracks", track, "", dict(fixed_fields(track)), "R17")
