"""The document as JSON: the form in which peers are compared, exported, stored beside snapshots and restored from."""

from collections.abc import Iterable
from typing import Any

from pycrdt import Doc

from studio.binding import Reader, reading
from studio.schema import ROOTS
from studio.unknown import json_value


def canonical(doc: "Doc[Any]", roots: Iterable[str] = ROOTS) -> dict[str, Any]:
    """Every root (or those asked for), keys sorted, integer-valued numbers as int, Y.Text as str, unknown keys kept.

    JSON has no NaN or infinity: like JSON.stringify, those become null (repair removes them from known fields).
    Bytes become `"bytes:<hex>"`.
    """
    with reading(doc) as reader:
        return {root: _root(reader, root) for root in sorted(roots)}


def _root(reader: Reader, root: str) -> dict[str, Any]:
    return {key: json_value(reader.plain(reader.entry(root, key))) for key in reader.ids(root)}
