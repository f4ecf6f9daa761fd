"""How far an update reaches: for each client in it, the clock behind its last struct.

That tells which edits a message brings, however a server bundles, splits or encodes them anew. Contents are skipped,
not understood. Source of the format: yjs `UpdateDecoder.js`, `Item.js`, `Content*.js`, lib0 `decoding.js`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from loadtest.lib0 import read_varuint

Reach = dict[int, int]

HAS_ORIGIN, HAS_RIGHT_ORIGIN, HAS_KEY = 0x80, 0x40, 0x20
GC, DELETED, JSON, BINARY, STRING, EMBED, FORMAT, TYPE, ANY, DOC, SKIP = range(11)
NAMED_TYPES = (3, 5)  # XML elements and hooks carry a name
FIXED_ANY: Final[Mapping[int, int]] = MappingProxyType({127: 0, 126: 0, 121: 0, 120: 0, 124: 4, 123: 8, 122: 8})
"""Bytes behind the tag of undefined, null, true and false, float32, float64, int64."""


class Unreadable(Exception):
    """Not an update of version 1."""


def reach(update: bytes) -> Reach:
    """Client → clock behind its last struct, of a v1 update. Raises Unreadable."""
    try:
        return _clients(update)
    except IndexError:
        raise Unreadable("the update ends too early") from None


def _clients(data: bytes) -> Reach:
    found: Reach = {}
    clients, at = read_varuint(data, 0)
    for _ in range(clients):
        structs, at = read_varuint(data, at)
        client, at = read_varuint(data, at)
        clock, at = read_varuint(data, at)
        for _ in range(structs):
            length, at = _struct(data, at)
            clock += length
        found[client] = clock
    return found


def _struct(data: bytes, at: int) -> tuple[int, int]:
    info = data[at]
    kind, at = info & 31, at + 1
    if kind in (GC, SKIP):
        return read_varuint(data, at)
    if info & HAS_ORIGIN:
        at = _ident(data, at)
    if info & HAS_RIGHT_ORIGIN:
        at = _ident(data, at)
    if not info & (HAS_ORIGIN | HAS_RIGHT_ORIGIN):
        named, at = read_varuint(data, at)
        at = _string(data, at) if named else _ident(data, at)
        if info & HAS_KEY:
            at = _string(data, at)
    return _content(kind, data, at)


def _ident(data: bytes, at: int) -> int:
    _, at = read_varuint(data, at)
    return read_varuint(data, at)[1]


def _string(data: bytes, at: int) -> int:
    size, at = read_varuint(data, at)
    return at + size


def _content(kind: int, data: bytes, at: int) -> tuple[int, int]:
    """A content's length in clocks and where it ends."""
    match kind:
        case 1:
            return read_varuint(data, at)
        case 2 | 8:
            count, at = read_varuint(data, at)
            for _ in range(count):
                at = _string(data, at) if kind == JSON else _any(data, at)
            return count, at
        case 3 | 5:
            return 1, _string(data, at)
        case 4:
            size, at = read_varuint(data, at)
            return _utf16(data[at : at + size]), at + size
        case 6:
            return 1, _string(data, _string(data, at))
        case 7:
            type_ref, at = read_varuint(data, at)
            return 1, _string(data, at) if type_ref in NAMED_TYPES else at
        case 9:
            return 1, _any(data, _string(data, at))
        case _:
            raise Unreadable(f"content {kind} is unknown")


def _utf16(text: bytes) -> int:
    """The length Yjs counts: UTF-16 units. A byte that begins four stands for two units."""
    if text.isascii():
        return len(text)
    return sum((byte & 0xC0 != 0x80) + (byte >= 0xF0) for byte in text)


def _any(data: bytes, at: int) -> int:
    """Where an Any ends; nesting is followed without recursion."""
    left = 1
    while left:
        tag, at, left = data[at], at + 1, left - 1
        if tag in FIXED_ANY:
            at += FIXED_ANY[tag]
        elif tag == 125:  # a variable integer: a first byte of 6 bits goes on like any other
            while data[at] & 128:
                at += 1
            at += 1
        elif tag in (119, 116):
            at = _string(data, at)
        elif tag == 117:
            count, at = read_varuint(data, at)
            left += count
        elif tag == 118:
            count, at = read_varuint(data, at)
            return _object(data, at, count, left)
        else:
            raise Unreadable(f"value {tag} is unknown")
    return at


def _object(data: bytes, at: int, count: int, left: int) -> int:
    """An object of `count` members, then `left` values that were still to come."""
    for _ in range(count):
        at = _any(data, _string(data, at))
    for _ in range(left):
        at = _any(data, at)
    return at
