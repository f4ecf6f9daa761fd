"""The everyday edit, recognised at a glance: one map key that one person sets again and again.

A fader, a clip being nudged, a name being typed: one struct of the connection's own client, right behind what is
known, whose left origin is an earlier value of the same client, with a small plain value, and the deletion of own
values. Such an update needs no full reading by the gate: everything that the gate would check is checked here, on the
few bytes there are. Whatever looks different in any byte takes the gate's way. Several of them in a row are one update:
their structs are contiguous, so they are applied, journalled and told as one.
"""

from typing import NamedTuple

from collab_server.gate.shape import Shape
from collab_server.wire import write_varuint

_INFO = (0x88, 0xA8)
"""Struct info of ContentAny with a left origin, without and with Yjs' flag for "has a key"."""
_SIZES = {127: 0, 126: 0, 121: 0, 120: 0, 124: 4, 123: 8}
_INTEGER, _STRING = 125, 119


class Everyday(NamedTuple):
    """An everyday update: its clock, the bytes of its struct, and what it deletes as (clock, length)."""

    clock: int
    struct: bytes
    deleted: tuple[int, int] | None


class Lane:
    """One connection's way of writing: its client id, and the bytes that every everyday update of it begins with."""

    __slots__ = ("_id", "_id_size", "_opening", "_opening_size", "client")

    def __init__(self, client: int) -> None:
        self.client = client
        self._id = write_varuint(client)
        self._id_size = len(self._id)
        self._opening = b"\x01\x01" + self._id
        self._opening_size = len(self._opening)

    def read(self, update: bytes, shape: Shape) -> Everyday | None:
        """The update if it is an everyday one, which is then part of the shape; None for any other."""
        if not update.startswith(self._opening):
            return None
        try:
            return self._read(update, shape)
        except (IndexError, UnicodeDecodeError):
            return None

    def _read(self, update: bytes, shape: Shape) -> Everyday | None:
        clock, body = _varuint(update, self._opening_size)
        if update[body] not in _INFO or not update.startswith(self._id, body + 1):
            return None
        origin, pos = _varuint(update, body + 1 + self._id_size)
        if update[pos] != 1 or origin >= clock:
            return None
        end = _value_end(update, pos + 1)
        deleted = None
        if update[end] == 0:
            pos = end + 1
        elif update[end] == 1 and update.startswith(self._id, end + 1):
            pos = end + 1 + self._id_size
            if update[pos] != 1:
                return None
            first, pos = _varuint(update, pos + 1)
            length, pos = _varuint(update, pos)
            if not 0 < length <= clock + 1 - first:
                return None
            deleted = first, length
        else:
            return None
        if pos != len(update) or not shape.overwrite(self.client, clock, origin):
            return None
        return Everyday(clock, update[body:end], deleted)

    def join(self, clock: int, structs: list[bytes], deletes: list[tuple[int, int]]) -> bytes:
        """One update of consecutive structs from `clock` on, with everything that they delete."""
        merged: list[tuple[int, int]] = []
        for first, length in sorted(deletes):
            if merged and first <= merged[-1][0] + merged[-1][1]:
                start, before = merged[-1]
                merged[-1] = start, max(before, first + length - start)
            else:
                merged.append((first, length))
        parts = [b"\x01", write_varuint(len(structs)), self._id, write_varuint(clock), *structs]
        if merged:
            parts += [b"\x01", self._id, write_varuint(len(merged))]
            parts += [write_varuint(number) for place in merged for number in place]
        else:
            parts.append(b"\x00")
        return b"".join(parts)


def _varuint(data: bytes, pos: int) -> tuple[int, int]:
    """As wire.read_varuint, up to 28 bits. IndexError for anything longer or not in the shortest spelling."""
    byte = data[pos]
    if byte < 128:
        return byte, pos + 1
    value = byte & 127
    for shift in (7, 14, 21):
        pos += 1
        byte = data[pos]
        value |= (byte & 127) << shift
        if byte < 128:
            if byte == 0:
                break
            return value, pos + 1
    raise IndexError


def _value_end(data: bytes, pos: int) -> int:
    """Position after the plain value at `pos`. IndexError for anything that is not short and plain."""
    tag = data[pos]
    pos += 1
    if tag == _STRING:
        length = data[pos]
        end = pos + 1 + length
        if length > 127 or end > len(data):
            raise IndexError
        text = data[pos + 1 : end]
        if not text.isascii():
            text.decode()
        return end
    if tag == _INTEGER:
        for end in range(pos, pos + 4):
            if data[end] < 128:
                return end + 1
        raise IndexError
    size = _SIZES.get(tag)
    if size is None:
        raise IndexError
    return pos + size
