"""Documents without a connection, for tests of what needs none."""

from collections.abc import Mapping
from typing import Any

from pycrdt import Doc, Map, Text

from backline import relations
from backline.document import ROOTS, Document
from studio.schema import ENTITIES


def allowed() -> None:
    """A guard that lets everything be written."""


def document(canonical: Mapping[str, Mapping[str, Any]]) -> Document:
    """A client's document that holds this, as if a server had sent it."""
    source: Doc[Any] = Doc(client_id=1)
    for root in ROOTS:
        source[root] = Map()
    for root, entries in canonical.items():
        for key, value in entries.items():
            source[root][key] = Map(_fields(value)) if root in ENTITIES else _floats(value)
    made = Document(allowed, relations.check)
    made.merge(source.get_update())
    return made


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: Text(value) if key == "body" else _floats(value) for key, value in values.items()}


def _floats(value: Any) -> Any:
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
