"""The everyday edit, recognised at a glance: one map key that one person sets again and again.

A fader, a clip being nudged, a name being typed: one struct of the connection's own client, right behind what is
known, whose left origin is an earlier value of the same client, with a small plain value, and the deletion of own
values. Such an update needs no full reading by the gate: everything that the gate would check is checked here, on the
few bytes there are. Whatever looks different in any byte takes the gate's way. Several of them in a row are one update:
their structs are contiguous, so they are applied, journalled and told as one.
"""

import re
import struct
from typing import NamedTuple

from collab_server.gate.runs import Slot
from collab_server.gate.shape import Shape
from collab_server.whereabouts import Whereabouts
from collab_server.wire import write_varuint
from studio.fields import Spec
from studio.restriction import Restriction, admits, owned
from studio.schema import ENTITIES, plain_field
from studio.watch import Touched

_NUMBER = rb"([\x80-\xff]{1,3}[\x01-\x7f]|[\x00-\x7f])"
"""A varuint of up to 28 bits in its shortest spelling."""

_VALUE = rb"(w[\x00-\x7f].*|\}[\x80-\xff]{0,3}[\x00-\x7f]|\{.{8}|\|.{4}|[xy~\x7f])"
"""A plain value (lib0 "any"): text of up to 127 bytes, integer, float64, float32, true, false, null, undefined."""

_FORM = (
    rb"\x01\x01%(id)b%(number)b"  # one client, one struct: its id, the clock
    rb"([\x88\xa8]%(id)b%(number)b\x01%(value)b)"  # ContentAny (0x20: "has a key") right of its own value; one value
    rb"(?:\x00|\x01%(id)b\x01%(number)b%(number)b)"  # nothing deleted, or one range of own clocks
)

_STRING, _INTEGER, _FLOAT64, _FLOAT32 = b"w}{|"
_FALSE, _TRUE = b"yx"
_ONE = b"\x01"


class Everyday:
    """An everyday update: its clock, the bytes of its struct, and what it deletes as (clock, length).

    `touched`: the field, if it is judged by its value alone and the value is allowed: nothing will have to be repaired.
    """

    __slots__ = ("clock", "deleted", "struct", "touched")

    def __init__(self, clock: int, struct: bytes, deleted: tuple[int, int] | None, touched: Touched | None) -> None:
        self.clock = clock
        self.struct = struct
        self.deleted = deleted
        self.touched = touched


class Narrowed(NamedTuple):
    """What a restricted member may write."""

    restriction: Restriction
    whereabouts: Whereabouts


class Lane:
    """One connection's way of writing: its client id, and the form that every everyday update of it has."""

    __slots__ = ("_admitted", "_id", "_key", "_last", "_match", "_spec", "_touched", "client")

    def __init__(self, client: int) -> None:
        self.client = client
        self._id = write_varuint(client)
        form = _FORM % {b"id": re.escape(self._id), b"number": _NUMBER, b"value": _VALUE}
        self._match = re.compile(form, re.DOTALL).fullmatch
        self._last = -1
        """The clock of the value that it has set last."""
        self._key: str | None = None
        self._spec: Spec | None = None
        """Of the field that it has set last, if that is a plain one."""
        self._touched: Touched | None = None
        self._admitted: tuple[Restriction, Slot, int, bool] | None = None
        """The restriction and slot asked about last, the generation for which that holds (-1: for ever), the answer."""

    @property
    def moves(self) -> bool:
        """Whether the last edit may have moved something to another track."""
        return self._key == "track"

    def read(self, update: bytes, shape: Shape, narrowed: Narrowed | None = None) -> Everyday | None:
        """The update if it is an everyday one, which is then part of the shape; None for any other.

        None as well if it is `narrowed` and not allowed at a glance.
        """
        match = self._match(update)
        if match is None:
            return None
        clock_bytes, content, origin_bytes, value, first_bytes, length_bytes = match.groups()
        clock, origin = _number(clock_bytes), _number(origin_bytes)
        if origin >= clock or (value[0] == _STRING and not _is_text(value)):
            return None
        deleted = None
        if first_bytes == origin_bytes and length_bytes == _ONE:  # the value that this one takes the place of
            deleted = origin, 1
        elif first_bytes is not None:
            deleted = first, length = _number(first_bytes), _number(length_bytes)
            if not self._deletes_values(shape, origin, clock, first, first + length):
                return None
        if narrowed is not None and not self._admits(narrowed, shape, origin):
            return None
        if origin != self._last or origin != clock - 1 or not shape.repeat(self.client, clock):
            slot = shape.overwrite(self.client, clock, origin)
            if slot is None:
                return None
            self._look_up(shape, slot)
        self._last = clock
        return Everyday(clock, content, deleted, self._touched if self._allows(value) else None)

    def join(self, clock: int, structs: list[bytes], deletes: list[tuple[int, int]]) -> bytes:
        """One update of consecutive structs from `clock` on, with everything that they delete."""
        parts = [b"\x01", write_varuint(len(structs)), self._id, write_varuint(clock), *structs]
        ranges = _merged(deletes)
        if ranges:
            parts += [b"\x01", self._id, write_varuint(len(ranges))]
            parts += [write_varuint(number) for place in ranges for number in place]
        else:
            parts.append(b"\x00")
        return b"".join(parts)

    def _deletes_values(self, shape: Shape, origin: int, clock: int, first: int, end: int) -> bool:
        """Whether the clocks in [first, end) are values of the key alone: what else is deleted may need a repair."""
        slot = shape.slot(self.client, origin)
        return slot is not None and first < end <= clock + 1 and shape.within(self.client, first, min(clock, end), slot)

    def _admits(self, narrowed: Narrowed, shape: Shape, origin: int) -> bool:
        """Whether this key may surely be overwritten."""
        slot = shape.slot(self.client, origin)
        if slot is None:
            return False
        restriction, whereabouts = narrowed
        asked = self._admitted
        if asked is None or asked[0] is not restriction or asked[1] != slot or self._outdated(asked[2], whereabouts):
            place = shape.named(slot)
            if place is None:
                return False
            if admits(restriction, *place):
                asked = restriction, slot, -1, True
            else:
                inside = owned(restriction, *place, whereabouts.owner)
                asked = restriction, slot, whereabouts.generation, inside
            self._admitted = asked
        return asked[3]

    def _outdated(self, generation: int, whereabouts: Whereabouts) -> bool:
        return generation >= 0 and (generation != whereabouts.generation or whereabouts.uncertain)

    def _look_up(self, shape: Shape, slot: Slot) -> None:
        self._key = slot[1]
        self._spec = self._touched = None
        place = shape.named(slot)
        if place is not None:
            root, entity, key = place
            # what stands under a key of an entity root itself is an entry, whatever its id is
            self._spec = plain_field(root, key) if entity or root not in ENTITIES else None
            self._touched = Touched(root, entity, frozenset((key,)))

    def _allows(self, value: bytes) -> bool:
        spec = self._spec
        if spec is None:
            return False
        plain = _plain(value)
        return spec.fix(plain, "") is plain


def _is_text(value: bytes) -> bool:
    """Whether the length is that of the text (the form's `.*` takes all it can get) and the text is UTF-8."""
    if value[1] != len(value) - 2:
        return False
    if value.isascii():
        return True
    try:
        value[2:].decode()
    except UnicodeDecodeError:
        return False
    return True


def _number(raw: bytes) -> int:
    size = len(raw)
    if size == 2:  # the commonest are spelled out
        return raw[0] & 127 | raw[1] << 7
    if size == 3:
        return raw[0] & 127 | (raw[1] & 127) << 7 | raw[2] << 14
    value = raw[0] & 127
    shift = 7
    for byte in raw[1:]:
        value |= (byte & 127) << shift
        shift += 7
    return value


def _plain(value: bytes) -> object:
    """The value as pycrdt would give it; numbers may be ints."""
    tag = value[0]
    if tag == _STRING:
        return value[2:].decode()
    if tag == _INTEGER:
        return _signed(value)
    if tag == _FLOAT64:
        return float(struct.unpack_from(">d", value, 1)[0])
    if tag == _FLOAT32:
        return float(struct.unpack_from(">f", value, 1)[0])
    return True if tag == _TRUE else False if tag == _FALSE else None


def _signed(value: bytes) -> int:
    """lib0's varint behind the tag: six bits and the sign in the first byte, seven bits in the others."""
    number, shift = value[1] & 63, 6
    for byte in value[2:]:
        number |= (byte & 127) << shift
        shift += 7
    return -number if value[1] & 64 else number


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges as (clock, length), ascending, touching ones joined."""
    merged: list[tuple[int, int]] = []
    for first, length in sorted(ranges):
        if merged and first <= merged[-1][0] + merged[-1][1]:
            start, before = merged[-1]
            merged[-1] = start, max(before, first + length - start)
        else:
            merged.append((first, length))
    return merged
