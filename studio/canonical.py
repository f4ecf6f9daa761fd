"""The document as JSON: the form in which peers are compared, exported, stored beside snapshots and restored from."""

import math
from typing import Any, Final

from pycrdt import Doc

from studio.binding import Reader, reading
from studio.schema import ROOTS

EXACT: Final = 2**53


def canonical(doc: "Doc[Any]") -> dict[str, Any]:
    """Every root, keys sorted, integer-valued numbers as int, Y.Text as str, unknown keys kept.

    JSON has no NaN or infinity: like JSON.stringify, those become null (repair removes them from known fields).
    Bytes become `"bytes:<hex>"`.
    """
    with reading(doc) as reader:
        return {root: _root(reader, root) for root in sorted(ROOTS)}


def _root(reader: Reader, root: str) -> dict[str, Any]:
    return {key: json_value(reader.plain(reader.entry(root, key))) for key in reader.ids(root)}


def json_value(value: object) -> Any:
    """A plain value in canonical form."""
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list):
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {key: json_value(value[key]) for key in sorted(value)}
    return f"bytes:{value.hex()}" if isinstance(value, bytes) else value


def _number(value: float) -> int | float | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) <= EXACT else value
