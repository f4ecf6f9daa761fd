"""Steps over lib0 "any" values and JSON text without building them, refusing what would hurt a parser further in."""

import json
import math
from collections.abc import Mapping
from typing import Final

from collab_server.gate.errors import Malformed
from collab_server.wire import read_varuint

_FIXED: Final[Mapping[int, int]] = {127: 0, 126: 0, 124: 4, 123: 8, 122: 8, 121: 0, 120: 0}
"""Payload sizes: undefined, null, float32, float64, bigint, false, true."""
_INTEGER, _STRING, _OBJECT, _ARRAY, _BUFFER = 125, 119, 118, 117, 116
_INTEGER_BYTES_MAX = 8


def skip_any(data: bytes, pos: int, depth: int) -> int:
    """Position after the value at `pos`, which may nest `depth` levels. Raises Malformed, IndexError when truncated."""
    tag = data[pos]
    pos += 1
    size = _FIXED.get(tag)
    if size is not None:
        pos += size
    elif tag == _STRING:
        return skip_string(data, pos)
    elif tag == _INTEGER:
        return _skip_integer(data, pos)
    elif tag in (_OBJECT, _ARRAY):
        return _skip_container(data, pos, depth - 1, keyed=tag == _OBJECT)
    elif tag == _BUFFER:
        length, pos = read_varuint(data, pos)
        pos += length
    else:
        raise Malformed("value tag")
    if pos > len(data):
        raise Malformed("truncated")
    return pos


def skip_string(data: bytes, pos: int) -> int:
    """Position after the varstring at `pos`, which is valid UTF-8: yrs would believe it unchecked."""
    length, pos = read_varuint(data, pos)
    end = pos + length
    if end > len(data):
        raise Malformed("truncated")
    raw = data[pos:end]
    if not raw.isascii():
        raw.decode()
    return end


def check_json(text: str, depth: int) -> object:
    """Parse JSON whose objects and arrays nest at most `depth` levels. Raises Malformed.

    The depth is counted on the text first, since parsers recurse; brackets inside strings are counted as nesting only
    until their end, because strings are left out.
    """
    if text.count("{") + text.count("[") > depth and _depth(text) > depth:
        raise Malformed("nesting")
    try:
        if text[:1] == "{":  # an object and nothing else: what `decode` does beyond that is to step over spaces
            value, end = JSON.raw_decode(text)
            if end == len(text):
                return value
        return JSON.decode(text)
    except (ValueError, RecursionError):
        raise Malformed("JSON") from None


def _no_constant(name: str) -> object:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def _finite(text: str) -> float | None:
    """A number too large for a double becomes null: JSON has no infinity, and a consumer would choke on it."""
    value = float(text)
    return value if math.isfinite(value) else None


JSON: Final = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)
"""Made once: json.loads with options would make one for every text."""


def _depth(text: str) -> int:
    deepest = level = 0
    quoted = escaped = False
    for sign in text:
        if escaped:
            escaped = False
        elif quoted:
            escaped = sign == "\\"
            quoted = sign != '"'
        elif sign == '"':
            quoted = True
        elif sign in "[{":
            level += 1
            deepest = max(deepest, level)
        elif sign in "]}":
            level -= 1
    return deepest


def _skip_integer(data: bytes, pos: int) -> int:
    end = pos
    while data[end] > 127:
        end += 1
        if end - pos == _INTEGER_BYTES_MAX:
            raise Malformed("varint")
    return end + 1


def _skip_container(data: bytes, pos: int, depth: int, *, keyed: bool) -> int:
    if depth < 0:
        raise Malformed("nesting")
    count, pos = read_varuint(data, pos)
    if (count * 2 if keyed else count) > len(data) - pos:
        raise Malformed("count")
    for _ in range(count):
        if keyed:
            pos = skip_string(data, pos)
        pos = skip_any(data, pos, depth)
    return pos
