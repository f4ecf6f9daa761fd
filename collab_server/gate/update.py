"""Reads a Yjs v1 update to its last byte: what it brings, leans on and deletes; or why it must not be used.

The gate holds no document. So it says what the update needs, and `missing` compares that with what the room knows:
an update with a missing dependency must never reach yrs, which would show parts of it, keep the rest, or crash.

Refused although Yjs could write it: subdocuments, XML, weak links and (unless allowed) arrays, which the schema lacks;
the obsolete JSON content (2), which yrs reads differently from Yjs; clocks from 2^31, which yrs turns negative; structs
of no length.

Format: varuint clients · (varuint structs · client · clock · struct...)... · delete set. A struct is an info byte (bits
0-4 content, 0x20 key, 0x40 right origin, 0x80 origin), the ids those bits announce, the parent when there is no origin,
the content.
"""

from array import array

from collab_server.gate.breath import BREATH, breathe
from collab_server.gate.contents import ANY, GC, SKIP, STRING, TYPE, read_content, read_key
from collab_server.gate.errors import Malformed, TooLarge
from collab_server.gate.inspection import Id, Inspection, missing, news
from collab_server.gate.limits import CLIENT_MAX, CLOCK_MAX, Limits
from collab_server.gate.values import skip_any
from collab_server.wire import read_varuint

__all__ = ["Inspection", "inspect", "missing", "news"]

_ORIGINS = ((), (0x40,), (0x80,), (0x80, 0x40))
"""The ids that the two top bits of an info byte announce, in the order in which they are written."""


def inspect(update: bytes, limits: Limits, *, offsets: bool = False) -> Inspection:
    """Read an update, with the offsets of its structs if asked. Raises Malformed or TooLarge, whatever the bytes."""
    if len(update) > limits.update_bytes_max:
        raise TooLarge("update_bytes_max", limits.update_bytes_max)
    found = Inspection()
    try:
        pos, last = _read_structs(update, limits, found, found.offsets if offsets else None)
        pos = _read_deletes(update, pos, limits, found, last)
    except IndexError:
        raise Malformed("truncated") from None
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None
    if pos != len(update):
        raise Malformed("trailing bytes")
    return found


def _read_structs(  # noqa: PLR0915
    data: bytes, limits: Limits, found: Inspection, offsets: "array[int] | None"
) -> tuple[int, tuple[int, bytes]]:
    """All struct sections; returns the position, and the last client with its id as written.

    This is the hot path, under five microseconds an edit, hence one long function: varints of one byte are read inline,
    and an id equal to the section's client is recognised by its bytes, since most ids in an edit are the author's own.
    """
    size = len(data)
    pos = 1
    sections = data[0]
    if sections > 127:
        sections, pos = read_varuint(data, 0)
    if sections * 3 > size:
        raise Malformed("count")
    if sections > limits.clients_max:
        raise TooLarge("clients_max", limits.clients_max)
    client, written = -1, b""
    left: Id | None
    right: Id | None
    parent: str | Id | None
    key: str | None
    seen: set[int] = set()
    structs = 0
    ranges, needs, places = found.ranges, found.needs, found.places
    for _ in range(sections):
        count = data[pos]
        pos += 1
        if count > 127:
            count, pos = read_varuint(data, pos - 1)
        if count == 0 or count * 2 > size - pos:
            raise Malformed("count")
        structs += count
        if structs > limits.structs_max:
            raise TooLarge("structs_max", limits.structs_max)
        start = pos
        client, pos = read_varuint(data, pos)
        if client > CLIENT_MAX or client in seen:
            raise Malformed("client")
        seen.add(client)
        written = data[start:pos]
        width = pos - start
        clock = data[pos]
        pos += 1
        if clock > 127:
            clock, pos = read_varuint(data, pos - 1)
        first = clock
        for number in range(count):
            if number & BREATH == BREATH:
                breathe()
            if offsets is not None:
                offsets.append(pos)
            info = data[pos]
            pos += 1
            content = info & 31
            own = clock
            left = right = parent = key = None
            if info & 0xC0:
                for mark in _ORIGINS[info >> 6]:
                    if data.startswith(written, pos):
                        pos += width
                        other = client
                    else:
                        other, pos = read_varuint(data, pos)
                    at = data[pos]
                    pos += 1
                    if at > 127:
                        at, pos = read_varuint(data, pos - 1)
                    if other != client:
                        needs.append((client, clock, other, at + 1))
                    elif at >= clock:  # an item knew its neighbours when it was written
                        raise Malformed("own future")
                    if mark == 0x80:
                        left = (other, at)
                    else:
                        right = (other, at)
            elif content in (GC, SKIP):
                if content == SKIP and clock > first:
                    ranges.append((client, first, clock))
                length, pos = read_varuint(data, pos)
                if info != content or length == 0:
                    raise Malformed("filler")
                clock += length
                if content == SKIP:
                    first = clock
                else:
                    places.append((client, own, clock, GC, None, None, None, None))
                continue
            else:
                parent, key, pos = _read_parent(data, pos, (client, clock), info, limits, found)
            if content == ANY and data[pos] == 1:
                tag = data[pos + 1]
                if tag == 119 and data[pos + 2] < 128:  # a short string
                    start = pos + 3
                    pos = start + data[pos + 2]
                    if pos > size:
                        raise Malformed("truncated")
                    raw = data[start:pos]
                    if not raw.isascii():
                        raw.decode()
                else:
                    pos = skip_any(data, pos + 1, limits.depth_max)
                clock += 1
            elif content == STRING:
                length = data[pos]
                pos += 1
                if length > 127:
                    length, pos = read_varuint(data, pos - 1)
                start = pos
                pos += length
                if length == 0 or pos > size:
                    raise Malformed("string")
                raw = data[start:pos]
                clock += length if raw.isascii() else _measure(raw.decode(), client, clock, found)
            else:
                if content == TYPE:
                    found.types[client, clock] = data[pos]
                length, pos = read_content(data, pos, info, limits)
                clock += length
            places.append((client, own, clock, content, left, right, parent, key))
        if offsets is not None:
            offsets.append(pos)
        if clock > CLOCK_MAX:
            raise Malformed("clock")
        if clock > first:
            ranges.append((client, first, clock))
    return pos, (client, written)


def _measure(text: str, client: int, clock: int, found: Inspection) -> int:
    """Length in clocks, which count UTF-16 units; notes the clocks that are second halves of a surrogate pair."""
    units = len(text.encode("utf-16-le")) >> 1
    if units != len(text):
        at = clock
        for sign in text:
            at += 1
            if sign > "\uffff":
                found.halves.append((client, at))
                at += 1
    return units


def _read_parent(
    data: bytes, pos: int, own: Id, info: int, limits: Limits, found: Inspection
) -> tuple[str | Id, str | None, int]:
    """The parent of a struct without origins: a root's name or a type's id; then the key when it sits in a map."""
    by_name = data[pos]
    parent: str | Id
    if by_name == 1:
        parent, pos = read_key(data, pos + 1, limits)
        found.roots.add(parent)
    elif by_name == 0:
        other, pos = read_varuint(data, pos + 1)
        at, pos = read_varuint(data, pos)
        if other != own[0]:
            found.needs.append((*own, other, at + 1))
        elif at >= own[1]:
            raise Malformed("own future")
        parent = (other, at)
    else:
        raise Malformed("parent")
    key = None
    if info & 0x20:
        key, pos = read_key(data, pos, limits)
    return parent, key, pos


def _read_deletes(data: bytes, pos: int, limits: Limits, found: Inspection, last: tuple[int, bytes]) -> int:
    """The delete set. `last` is the last section's client and its id as written: most deletions are its own."""
    client, written = last
    sections, pos = read_varuint(data, pos)
    if sections * 4 > len(data) - pos:
        raise Malformed("count")
    if sections > limits.clients_max:
        raise TooLarge("clients_max", limits.clients_max)
    deletes = found.deletes
    seen: set[int] = set()
    for _ in range(sections):
        if client >= 0 and data.startswith(written, pos):
            pos += len(written)
            other = client
        else:
            other, pos = read_varuint(data, pos)
        if other > CLIENT_MAX or other in seen:
            raise Malformed("client")
        seen.add(other)
        count, pos = read_varuint(data, pos)
        if count == 0 or count * 2 > len(data) - pos:
            raise Malformed("count")
        if len(deletes) + count > limits.delete_ranges_max:
            raise TooLarge("delete_ranges_max", limits.delete_ranges_max)
        end = 0
        for number in range(count):
            if number & BREATH == BREATH:
                breathe()
            clock, pos = read_varuint(data, pos)
            length, pos = read_varuint(data, pos)
            if clock < end or length == 0:  # yrs takes the list for sorted and apart
                raise Malformed("delete range")
            end = clock + length
            deletes.append((other, clock, length))
        if end > CLOCK_MAX:
            raise Malformed("clock")
    return pos
