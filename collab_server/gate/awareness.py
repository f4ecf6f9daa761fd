"""Reads and writes the entries of an awareness frame (y-protocols): who is here, and what they show of themselves.

An entry's state is kept as the JSON text that came in: it has been parsed once, so it is known to be an object (or
null: the person left) of bounded size and depth, and whoever relays it need not encode it again.
"""

from collections.abc import Iterable
from typing import NamedTuple

from collab_server.gate.errors import Malformed, TooLarge
from collab_server.gate.limits import CLIENT_MAX, Limits
from collab_server.gate.values import check_json
from collab_server.wire import read_varuint, text_at, write_varuint

EMPTY_PRESENCE = b"\x00"
"""A payload without entries: legal, without effect, and enough to keep a client's watchdog quiet."""


class Entry(NamedTuple):
    """One client's presence; `state` is a JSON object as text, None when the client is gone."""

    client: int
    clock: int
    state: str | None


def decode(data: bytes, limits: Limits) -> list[Entry]:
    """The entries of an awareness payload, in order. Raises Malformed or TooLarge."""
    count, pos = read_varuint(data, 0)
    if count * 3 > len(data) - pos:  # an id, a clock and a length, a byte each at least
        raise Malformed("count")
    if count > limits.presence_entries_max:
        raise TooLarge("presence_entries_max", limits.presence_entries_max)
    entries: list[Entry] = []
    for _ in range(count):
        client, pos = read_varuint(data, pos)
        clock, pos = read_varuint(data, pos)
        length, pos = read_varuint(data, pos)
        if length > limits.presence_state_bytes_max:
            raise TooLarge("presence_state_bytes_max", limits.presence_state_bytes_max)
        text = text_at(data, pos, length)
        pos += length
        if client > CLIENT_MAX or clock > limits.presence_clock_max:
            raise Malformed("out of range")
        entries.append(Entry(client, clock, _state(text, limits)))
    if pos != len(data):
        raise Malformed("trailing bytes")
    return entries


def encode(entries: Iterable[tuple[int, int, str | None]]) -> bytes:
    """The payload that `decode` reads, of entries or what can be one."""
    count = 0
    parts = [b""]
    for client, clock, state in entries:
        count += 1
        text = b"null" if state is None else state.encode()
        parts += (write_varuint(client), write_varuint(clock), write_varuint(len(text)), text)
    parts[0] = write_varuint(count)
    return b"".join(parts)


def _state(text: str, limits: Limits) -> str | None:
    if text == "null":
        return None
    if not isinstance(check_json(text, limits.presence_depth_max), dict):
        raise Malformed("state is not an object")
    return text
