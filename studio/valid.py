"""Reading canonical JSON as if it had already been repaired: missing and wrong values read as valid ones.

Every client renders through the same rules, so a document that still waits for its repair already looks right.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from studio import schema

Canonical = Mapping[str, Any]


def value(root: str, entity: str, fields: Mapping[str, Any], key: str) -> Any:
    """A field as a reader sees it."""
    spec = schema.field(root, key)
    assert spec is not None
    return spec.fix(fields[key], entity) if key in fields else spec.initial(entity)


def known(root: str, entity: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """All fields the schema knows, as a reader sees them."""
    return {key: value(root, entity, fields, key) for key in schema.ENTITIES[root]}


def entities(canonical: Canonical, root: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The entries of a root that are entities, by id; deleted ones too."""
    for entity, fields in sorted(canonical.get(root, {}).items()):
        if isinstance(fields, dict):
            yield entity, fields


def living(canonical: Canonical, root: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Id and valid fields of the entities that are not deleted."""
    for entity, fields in entities(canonical, root):
        if value(root, entity, fields, "deleted") is None or entity in schema.FIXED_TRACKS:
            yield entity, known(root, entity, fields)
