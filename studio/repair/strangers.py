"""R19 on a document: an entity's unknown keys are counted only when one of them was written."""

from studio import schema
from studio.binding import MISSING, RawMap, RawText, Reader
from studio.fields import DROP
from studio.repair.draft import Draft
from studio.unknown import KEYS_MAX, VALUE_BYTES_MAX, large_value, surplus


def bound(draft: Draft, root: str, entity: str, touched: list[str]) -> None:
    """Plans to remove what is too much or too large. Values nobody touched are read only if there are too many keys."""
    held = [key for key in _keys(draft.reader, root, entity) if schema.field(root, key) is None]
    looked = held if len(held) > KEYS_MAX else [key for key in touched if key in held]
    for key in surplus(looked, lambda key: _large(draft.reader, draft.raw(root, entity, key))):
        draft.write(root, entity, key, DROP, "R19")


def _keys(reader: Reader, root: str, entity: str) -> list[str]:
    if not entity:
        return reader.ids(root)
    found = reader.entry(root, entity)
    assert isinstance(found, RawMap)
    return reader.keys(found)


def _large(reader: Reader, value: object) -> bool:
    """Shared values are measured by their text or as the object they read as."""
    if isinstance(value, RawText):
        return reader.text_bytes(value) > VALUE_BYTES_MAX or large_value(reader.text(value))
    return value is not MISSING and large_value(reader.plain(value))
