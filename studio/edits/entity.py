"""Finding, checking and writing one entity: what every server-side edit is made of."""

from collections.abc import Mapping
from typing import Any

from pycrdt import Doc, Map, Text

from studio import schema
from studio.binding import reading, wire
from studio.errors import Invalid, NotFound
from studio.fields import Body
from studio.unknown import json_value


def living(doc: "Doc[Any]", root: str, entity: str) -> "Map[Any]":
    """The Map of an entity that is not deleted; NotFound otherwise."""
    found = doc.get(root, type=Map).get(entity)
    if not isinstance(found, Map) or found.get("deleted") is not None:
        raise NotFound(root, entity)
    return found


def shown(doc: "Doc[Any]", root: str, entity: str) -> dict[str, Any]:
    """The entity as canonical JSON, with its id."""
    with reading(doc) as reader:
        fields = json_value(reader.plain(reader.entry(root, entity)))
    return {"id": entity, **fields}


def checked(root: str, entity: str, fields: Mapping[str, object]) -> dict[str, object]:
    """The fields as they are written; Invalid for an unknown key or a value repair would change."""
    return {key: wire(allowed(root, entity, key, value)) for key, value in fields.items()}


def allowed(root: str, entity: str, key: str, value: object) -> object:
    spec = schema.field(root, key)
    if spec is None:
        raise Invalid(key, "there is no such field")
    fixed = spec.fix(value, entity)
    if fixed is not value or (isinstance(spec, Body) and not isinstance(value, str)):
        raise Invalid(key, "this value is not allowed")
    return value


def write(target: "Map[Any]", fields: Mapping[str, object]) -> int:
    """Writes the keys that differ; returns how many. Inside a transaction."""
    different = {key: value for key, value in fields.items() if key not in target or target[key] != value}
    for key, value in different.items():
        target[key] = value
    return len(different)


def replace_text(text: Text, new: str) -> bool:
    """Replaces the part that differs, so that somebody typing elsewhere keeps their words. Inside a transaction.

    pycrdt counts UTF-8 bytes; both cuts lie between code points.
    """
    old = str(text)
    if old == new:
        return False
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    start = len(old[:head].encode())
    gone = len(old[head : len(old) - tail].encode())
    if gone:
        del text[start : start + gone]
    fresh = new[head : len(new) - tail]
    if fresh:
        text.insert(start, fresh)
    return True


def _common(a: str, b: str) -> int:
    """How many code points two texts share at their beginning."""
    length = 0
    for left, right in zip(a, b, strict=False):
        if left != right:
            break
        length += 1
    return length
