"""Canonical documents as JSON text, written and read a piece at a time.

Python's encoder and decoder keep the interpreter's lock until they are done, also in a thread: a large document would
stop everything else for a tenth of a second and more. Piece by piece the others get their turn.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def written(document: Mapping[str, Mapping[str, Any]]) -> str:
    """The document's text. Raises ValueError for what JSON cannot say."""
    return _object({root: _root(entries) for root, entries in document.items()})


def read_back(text: str | bytes) -> dict[str, Any]:
    """The document of a text. Raises ValueError."""
    document: dict[str, Any] = json.loads(text, object_hook=_itself)
    return document


def _root(entries: Mapping[str, Any]) -> str:
    return _object({key: ENCODER.encode(value) for key, value in entries.items()})


def _object(entries: Mapping[str, str]) -> str:
    return "{" + ",".join([f"{ENCODER.encode(key)}:{text}" for key, text in entries.items()]) + "}"


def _itself(entry: dict[str, Any]) -> dict[str, Any]:
    """Nothing: but calling it is where the decoder lets others run."""
    return entry
