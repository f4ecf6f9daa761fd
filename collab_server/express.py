"""The everyday edit, recognised at a glance: one map key that one person sets again and again.

A fader, a clip being nudged, a name being typed: one struct of the connection's own client, right behind what is
known, whose left origin is an earlier value of the same client, with a small plain value, and the deletion of own
values. Such an update needs no full reading by the gate: everything that the gate would check is checked here, on the
few bytes there are. Whatever looks different in any byte takes the gate's way. Several of them in a row are one update:
their structs are contiguous, so they are applied, journalled and told as one.
"""

import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

from collab_server.gate.runs import Slot
from collab_server.gate.shape import Shape
from collab_server.wire import write_varuint
from studio.fields import Spec
from studio.schema import plain_field

_INFO = (0x88, 0xA8)
"""Struct info of ContentAny with a left origin, without and with Yjs' flag for "has a key"."""
_SIZES: Final[Mapping[int, int]] = {127: 0, 126: 0, 121: 0, 120: 0, 124: 4, 123: 8}
_INTEGER, _STRING, _FLOAT64, _FLOAT32 = 125, 119, 123, 124
_WORDS: Final[Mapping[int, bool]] = {121: False, 120: True}
"""What a tag alone says; null and undefined are None."""


class Everyday(NamedTuple):
    """An everyday update: its clock, the bytes of its struct, and what it deletes as (clock, length).

    `sound`: its field is judged by its value alone, and the value is allowed. Nothing will have to be repaired.
    """

    clock: int
    struct: bytes
    deleted: tuple[int, int] | None
    sound: bool


class Lane:
    """One connection's way of writing: its client id, and the bytes that every everyday update of it begins with."""

    __slots__ = ("_id", "_id_size", "_opening", "_opening_size", "_slot", "_spec", "client")

    def __init__(self, client: int) -> None:
        self.client = client
        self._id = write_varuint(client)
        self._id_size = len(self._id)
        self._opening = b"\x01\x01" + self._id
        self._opening_size = len(self._opening)
        self._slot: Slot | None = None
        self._spec: Spec | None = None

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
        value = pos + 1
        end = _value_end(update, value)
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
        if pos != len(update):
            return None
        slot = shape.overwrite(self.client, clock, origin)
        if slot is None:
            return None
        if slot is not self._slot:
            self._slot = slot
            place = shape.place(slot)
            self._spec = None if place is None else plain_field(*place)
        return Everyday(clock, update[body:end], deleted, self._sound(update, value, end))

    def _sound(self, update: bytes, start: int, end: int) -> bool:
        spec = self._spec
        if spec is None:
            return False
        value = _value(update, start, end)
        return spec.fix(value, "") is value

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


def _value(data: bytes, start: int, end: int) -> object:
    """The plain value between two positions, as pycrdt would give it; numbers may be ints."""
    tag = data[start]
    if tag == _STRING:
        return data[start + 2 : end].decode()
    if tag == _INTEGER:
        return _signed(data[start + 1 : end])
    if tag == _FLOAT64:
        return float(struct.unpack_from(">d", data, start + 1)[0])
    if tag == _FLOAT32:
        return float(struct.unpack_from(">f", data, start + 1)[0])
    return _WORDS.get(tag)


def _signed(raw: bytes) -> int:
    """lib0's varint: six bits and the sign in the first byte, seven bits in the others."""
    value, shift = raw[0] & 63, 6
    for byte in raw[1:]:
        value |= (byte & 127) << shift
        shift += 7
    return -value if raw[0] & 64 else value
