"""Canonical documents as text: what json would say, a piece at a time."""

import json
from typing import Any

import pytest

from studio.canonical_json import read_back, written

DOCUMENT: dict[str, dict[str, Any]] = {
    "clips": {"c_1": {"pos": 0, "gain": -0.5, "fades": [1, {"in": None}]}, "c_2": {}},
    "meta": {"name": 'Zoë "🎵" \0\n', "at": 1e300},
    "notes": {},
}


def test_a_document_is_written_and_read_back() -> None:
    """The text is what json makes of it, without spaces, and leads back to the same."""
    text = written(DOCUMENT)
    assert text == json.dumps(DOCUMENT, ensure_ascii=False, separators=(",", ":"))
    assert read_back(text) == read_back(text.encode()) == DOCUMENT
    assert (written({}), read_back("{}")) == ("{}", {})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_cannot_say_is_refused(value: float) -> None:
    """There is no number for it."""
    with pytest.raises(ValueError, match="JSON"):
        written({"meta": {"bpm": value}})
