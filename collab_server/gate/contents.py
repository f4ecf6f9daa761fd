"""Reads the contents of structs that are not on the hot path, and refuses the ones no document of ours holds."""

from sys import intern

from collab_server.gate.errors import Malformed, TooLarge
from collab_server.gate.limits import Limits
from collab_server.gate.values import check_json, skip_any
from collab_server.wire import read_varbytes, read_varuint

GC, DELETED, JSON, BINARY, STRING, EMBED, FORMAT, TYPE, ANY, DOC, SKIP = range(11)
ARRAY, MAP, TEXT = range(3)


def read_key(data: bytes, pos: int, limits: Limits) -> tuple[str, int]:
    """A root's name, a map's key or a format's name: (text, position after it)."""
    length, start = read_varuint(data, pos)
    if length > limits.key_bytes_max:
        raise TooLarge("key_bytes_max", limits.key_bytes_max)
    end = start + length
    if end > len(data):
        raise Malformed("truncated")
    return intern(data[start:end].decode()), end  # the same few names, in every room


def read_content(data: bytes, pos: int, info: int, limits: Limits) -> tuple[int, int]:
    """The rarer contents; returns (clock length, position after it)."""
    content = info & 31
    if content == TYPE:
        kind = data[pos]
        if kind not in (MAP, TEXT) and not (kind == ARRAY and limits.arrays_allowed):
            raise Malformed("type")
        return 1, pos + 1
    if content == ANY:
        return _read_values(data, pos, limits)
    if content == DELETED:
        length, pos = read_varuint(data, pos)
        if length == 0:
            raise Malformed("empty struct")
        return length, pos
    if content == BINARY:
        length, pos = read_varuint(data, pos)
        if length > len(data) - pos:
            raise Malformed("truncated")
        return 1, pos + length
    if content == EMBED:
        return 1, _skip_json(data, pos, limits)
    if content == FORMAT:
        _, pos = read_key(data, pos, limits)
        return 1, _skip_json(data, pos, limits)
    raise Malformed("unknown content")


def _read_values(data: bytes, pos: int, limits: Limits) -> tuple[int, int]:
    count, pos = read_varuint(data, pos)
    if count == 0 or count > len(data) - pos:
        raise Malformed("count")
    for _ in range(count):
        pos = skip_any(data, pos, limits.depth_max)
    return count, pos


def _skip_json(data: bytes, pos: int, limits: Limits) -> int:
    raw, pos = read_varbytes(data, pos)
    check_json(raw.decode(), limits.depth_max)
    return pos
