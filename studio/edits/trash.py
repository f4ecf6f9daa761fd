"""The trash: what was deleted softly comes back, or goes for good."""

from collections.abc import Collection, Iterator
from typing import Any

from pycrdt import Doc, Map

from studio import schema
from studio.binding import MISSING, RawMap, Reader, reading
from studio.edits.entity import shown
from studio.errors import Invalid, NotFound
from studio.trash import Thrown


def undelete(doc: "Doc[Any]", root: str, entity: str) -> dict[str, Any]:
    """Brings an entity back with everything it had and returns it; what lies on a deleted track stays hidden with it.

    Raises NotFound for what is not in the trash, Invalid when there are as many living ones as there may be.
    """
    with reading(doc) as reader:
        if root not in schema.SOFT_DELETED or not _deleted(reader, root, entity):
            raise NotFound(root, entity)
        limit = schema.ENTRY_LIMITS.get(root)
        if limit is not None and _living(reader, root) >= limit:
            raise Invalid(root, f"there are {limit} already")
    with doc.transaction():
        doc.get(root, type=Map)[entity]["deleted"] = None
    return shown(doc, root, entity)


def purge(doc: "Doc[Any]", thrown: Collection[Thrown]) -> int:
    """Removes these for good, if they still are in the trash since then, with all that lies on them.

    Returns how many entries went. Edits that somebody still brings for them have nothing to hold on to.
    """
    with reading(doc) as reader:
        gone = {
            place for one in thrown if _same_stamp(reader, one) for place in _with_content(reader, one.root, one.id)
        }
    with doc.transaction():
        for root, entity in sorted(gone):
            del doc.get(root, type=Map)[entity]
    return len(gone)


def _deleted(reader: Reader, root: str, entity: str) -> bool:
    return isinstance(reader.entry(root, entity), RawMap) and reader.value(root, entity, "deleted") not in (
        None,
        MISSING,
    )


def _living(reader: Reader, root: str) -> int:
    return sum(one not in schema.FIXED_TRACKS and not _deleted(reader, root, one) for one in reader.ids(root))


def _same_stamp(reader: Reader, one: Thrown) -> bool:
    return _deleted(reader, one.root, one.id) and reader.value(one.root, one.id, "deleted") == one.stamp


def _with_content(reader: Reader, root: str, entity: str) -> Iterator[tuple[str, str]]:
    yield root, entity
    if root == "clips":
        yield from (("events", key) for key in reader.ids("events") if key.startswith(f"{entity}/"))
    if root != "tracks":
        return
    for held in ("clips", "effects"):
        for one in reader.ids(held):
            if reader.value(held, one, "track") == entity:
                yield from _with_content(reader, held, one)
    for named, separators in (("lanes", "."), ("points", "."), ("sends", ">"), ("slots", ":")):
        yield from ((named, key) for key in reader.ids(named) if key.partition(separators)[0] == entity)
    yield from (("sends", key) for key in reader.ids("sends") if key.partition(">")[2] == entity)
