"""The journal body: the updates of one commit in order, each with its author.

    0x00 + 16 bytes           from here on by this author (16 zero bytes: the server)
    0x01 + varuint n + n      one Yjs update (v1)

Before the first 0x00 the author is the server.
"""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

AUTHOR = b"\x00"
UPDATE = b"\x01"
SERVER = bytes(16)


class Entry(NamedTuple):
    """One update and the user who wrote it; None is the server itself."""

    author: UUID | None
    update: bytes


class MalformedBody(ValueError):
    """These bytes are not a journal body."""


def encode(entries: Iterable[Entry]) -> bytes:
    """The body of these entries; consecutive entries of one author name the author once, as a rule."""
    parts: list[bytes] = []
    author: UUID | None = None
    for entry in entries:
        if entry.author is not author:  # equal ones may be named twice: comparing them takes longer
            author = entry.author
            parts.append(AUTHOR)
            parts.append(SERVER if author is None else author.bytes)
        parts.append(UPDATE)
        parts.append(_varuint(len(entry.update)))
        parts.append(entry.update)
    return b"".join(parts)


def decode(body: bytes) -> list[Entry]:
    """The entries of a body. Raises MalformedBody."""
    entries: list[Entry] = []
    author: UUID | None = None
    at = 0
    while at < len(body):
        tag, at = body[at], at + 1
        if tag == 0:
            author, at = _author(body, at)
        elif tag == 1:
            length, at = _read_varuint(body, at)
            if length > len(body) - at:
                raise MalformedBody("update is longer than the body")
            entries.append(Entry(author, body[at : at + length]))
            at += length
        else:
            raise MalformedBody(f"unknown tag {tag}")
    return entries


def _author(body: bytes, at: int) -> tuple[UUID | None, int]:
    raw = body[at : at + 16]
    if len(raw) < 16:
        raise MalformedBody("author is cut")
    return (None if raw == SERVER else UUID(bytes=raw)), at + 16


def _varuint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_varuint(body: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(body) and shift < 35:
        byte = body[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
    raise MalformedBody("length is cut or too large")
