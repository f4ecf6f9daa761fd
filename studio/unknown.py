"""R19: keys this version does not know are kept for newer clients, but not without bound.

What is too large goes; of the rest the first 16 in order of code points stay. Nothing but the content decides, so every
server decides alike and a second look finds nothing.
"""

import json
import math
from collections.abc import Callable, Iterable
from typing import Any, Final

KEYS_MAX: Final = 16
"""Unknown keys of one entity, of the transport, or of one leaf record."""
KEY_CHARS_MAX: Final = 64
"""Code points."""
VALUE_BYTES_MAX: Final = 256
"""Of the value as canonical JSON without spaces, in UTF-8."""

EXACT: Final = 2**53


def surplus(keys: Iterable[str], large: Callable[[str], bool]) -> list[str]:
    """Which of an entity's unknown keys go, sorted; `large(key)` says whether its key or value is too large."""
    fit: list[str] = []
    too_large: list[str] = []
    for key in sorted(keys):
        (too_large if len(key) > KEY_CHARS_MAX or large(key) else fit).append(key)
    return sorted(too_large + fit[KEYS_MAX:])


def large_value(value: object) -> bool:
    """Whether a plain value is too large to be kept under an unknown key."""
    text = json.dumps(json_value(value), ensure_ascii=False, separators=(",", ":"))
    return len(text.encode()) > VALUE_BYTES_MAX


def json_value(value: object) -> Any:
    """A plain value in canonical form: what JSON cannot say is null, bytes are `"bytes:<hex>"`."""
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
