"""Forges hostile but well-formed updates and damages bytes: the generator behind the gate's fuzzing."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from collab_server.wire import read_varuint, write_varstring, write_varuint

Id = tuple[int, int]
ROOTS = ("tracks", "clips", "notes", "transport")
KEYS = ("a", "b", "name", "gain", "é😀")
TEXTS = ("x", "ab", "aé😀b", "😀", "\U0001f600\U0001f601", "e\u0301", "\0", "z" * 40)
ANYS = (
    b"\x7f", b"\x7e", b"\x78", b"\x79", b"\x7d\x05", b"\x7d\xbf\xff\xff\xff\x0f", b"\x7b" + b"\x7f\xf8" + bytes(6),
    b"\x7c\x7f\xc0\0\0", b"\x7a" + b"\xff" * 8, b"\x77\x03abc", b"\x76\x01\x01k\x75\x02\x7e\x78", b"\x74\x02\xff\0",
    b"\x75\x01" * 31 + b"\x7e", b"\x77\x00", b"\x76\x00", b"\x75\x00",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Struct:
    """One struct: content number, clock length, content bytes after the head, and where it says it stands."""

    content: int
    length: int
    body: bytes
    origin: Id | None = None
    right: Id | None = None
    parent: str | Id | None = None
    key: str | None = None

    def encode(self) -> bytes:
        """The struct as Yjs writes it."""
        if self.content in (0, 10):
            return bytes((self.content,)) + self.body
        info = self.content | (0x80 if self.origin else 0) | (0x40 if self.right else 0)
        out = b"".join(_id(ref) for ref in (self.origin, self.right) if ref)
        if self.key is not None:
            info |= 0x20
        if not info & 0xC0:
            parent = self.parent if self.parent is not None else "tracks"
            out += b"\x01" + write_varstring(parent) if isinstance(parent, str) else b"\x00" + _id(parent)
            if self.key is not None:
                out += write_varstring(self.key)
        return bytes((info,)) + out + self.body


@dataclass(slots=True)
class Section:
    """The structs of one client from a clock on."""

    client: int
    clock: int
    structs: list[Struct] = field(default_factory=list)


def encode(sections: list[Section], deletes: dict[int, list[tuple[int, int]]]) -> bytes:
    """An update; nothing is checked."""
    out = [write_varuint(len(sections))]
    for section in sections:
        out += [write_varuint(len(section.structs)), write_varuint(section.client), write_varuint(section.clock)]
        out += [struct.encode() for struct in section.structs]
    out.append(write_varuint(len(deletes)))
    for client, ranges in deletes.items():
        out += [write_varuint(client), write_varuint(len(ranges))]
        out += [write_varuint(clock) + write_varuint(length) for clock, length in ranges]
    return b"".join(out)


def _id(ref: Id) -> bytes:
    return write_varuint(ref[0]) + write_varuint(ref[1])


class Forger:
    """Makes updates against what a document is known to hold; the same seed makes the same updates."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def content(self) -> tuple[int, int, bytes]:
        """(content number, clock length, bytes)."""
        rng = self.rng
        pick = rng.randrange(20)
        if pick < 5:
            return 7, 1, rng.choice((b"\x01", b"\x01", b"\x02"))
        if pick < 9:
            values = [rng.choice(ANYS) for _ in range(rng.choice((1, 1, 1, 2, 5)))]
            return 8, len(values), write_varuint(len(values)) + b"".join(values)
        if pick < 14:
            text = "".join(rng.choice(TEXTS) for _ in range(rng.randrange(1, 4)))
            return 4, len(text.encode("utf-16-le")) // 2, write_varstring(text)
        if pick == 14:
            length = rng.choice((1, 2, 7, 200))
            return 1, length, write_varuint(length)
        if pick == 15:
            return 3, 1, b"\x03\xff\x00\x80"
        if pick == 16:
            return 5, 1, write_varstring(rng.choice(('{"a":[1,null]}', "1e5", '"s"')))
        if pick < 19:
            return (
                6,
                1,
                write_varstring(rng.choice(("bold", "em"))) + write_varstring(rng.choice(("true", "null", "1"))),
            )
        length = rng.choice((1, 3, 90))
        return 0, length, write_varuint(length)

    def anywhere(self, known: dict[int, int], near: Id) -> Id | None:
        """A clock somebody has written, or one of this section's own before `near`."""
        rng = self.rng
        client, clock = near
        if clock and rng.random() < 0.5:
            return client, rng.choice((clock - 1, rng.randrange(clock)))
        others = [other for other, end in known.items() if end]
        if not others:
            return None
        other = rng.choice(others)
        end = known[other]
        return other, rng.choice((0, end - 1, rng.randrange(end), end + rng.randrange(2)))

    def struct(self, known: dict[int, int], near: Id, types: list[Id]) -> Struct:
        """One struct at `near` with neighbours and parents anywhere."""
        rng = self.rng
        content, length, body = self.content()
        if content == 0:
            return Struct(0, length, body)
        if rng.random() < 0.5:
            return self.fitting(known, near, types, (content, length, body))
        origin = self.anywhere(known, near) if rng.random() < 0.5 else None
        right = self.anywhere(known, near) if rng.random() < 0.35 else None
        parent: str | Id | None = rng.choice(ROOTS)
        if rng.random() < 0.5:
            parent = rng.choice(types) if types and rng.random() < 0.8 else self.anywhere(known, near)
        key = rng.choice(KEYS) if rng.random() < 0.6 else None
        return Struct(content, length, body, origin, right, parent, key)

    def fitting(self, known: dict[int, int], near: Id, types: list[Id], what: tuple[int, int, bytes]) -> Struct:
        """One struct that likely fits where it stands: into a text, into a map, or after something of its own kind."""
        rng = self.rng
        content, length, body = what
        if content in (4, 5, 6):
            origin = self.anywhere(known, near)
            if origin and rng.random() < 0.7:
                right = (origin[0], origin[1] + 1) if rng.random() < 0.6 else None
                return Struct(content, length, body, origin, right)
            return Struct(content, length, body, parent=rng.choice(types) if types else None, key=None)
        if rng.random() < 0.4:
            return Struct(content, length, body, origin=self.anywhere(known, near), key="a")
        parent = rng.choice(types) if types and rng.random() < 0.7 else rng.choice(ROOTS)
        return Struct(content, length, body, parent=parent, key=rng.choice(KEYS))

    def forged(self, known: dict[int, int], types: list[Id]) -> bytes:
        """A whole update: one to three clients, one to six structs each, some deletions."""
        rng = self.rng
        sections = []
        if rng.random() < 0.9:
            clients = rng.sample([*known, rng.randrange(1, 60)], k=min(len(known) + 1, rng.choice((1, 1, 1, 2, 3))))
            for client in dict.fromkeys(clients):
                end = known.get(client, 0)
                clock = end if rng.random() < 0.7 else rng.randrange(max(0, end - 12), end + 1)
                section = Section(client, clock)
                for _ in range(rng.choice((1, 1, 2, 3, 6))):
                    struct = self.struct(known, (client, clock), types)
                    section.structs.append(struct)
                    if struct.content == 7:
                        types.append((client, clock))
                    clock += struct.length
                    if rng.random() < 0.03:
                        gap = rng.randrange(1, 5)
                        section.structs.append(Struct(10, gap, write_varuint(gap)))
                        clock += gap
                sections.append(section)
        ends = dict(known)
        for section in sections:
            ends[section.client] = max(
                ends.get(section.client, 0), section.clock + sum(struct.length for struct in section.structs)
            )
        return encode(sections, self.deletions(ends) if rng.random() < 0.4 or not sections else {})

    def deletions(self, ends: dict[int, int]) -> dict[int, list[tuple[int, int]]]:
        """Ascending ranges over what exists, now and then a little beyond."""
        rng = self.rng
        deletes: dict[int, list[tuple[int, int]]] = {}
        for client in rng.sample(list(ends), k=min(len(ends), rng.choice((1, 1, 2)))):
            clock = 0
            for _ in range(rng.choice((1, 1, 2, 4))):
                clock += rng.randrange(max(1, ends[client]))
                length = rng.choice((1, 1, 2, 9))
                if clock + length > ends[client] and rng.random() < 0.95:
                    break
                deletes.setdefault(client, []).append((clock, length))
                clock += length
        return deletes

    def vector(self, known: dict[int, int]) -> bytes:
        """A state vector near what is known, now and then damaged."""
        rng = self.rng
        clocks = {
            client: rng.choice((end, rng.randrange(end + 1), end + rng.randrange(9))) for client, end in known.items()
        }
        if rng.random() < 0.3:
            clocks[rng.randrange(2**53)] = rng.randrange(2**31)
        raw = write_varuint(len(clocks)) + b"".join(_id(entry) for entry in clocks.items())
        return self.damaged(raw, raw) if rng.random() < 0.3 else raw

    def damaged(self, data: bytes, other: bytes) -> bytes:
        """`data` with one to three injuries: bits, bytes, varints, splices with `other`, cuts, repeats."""
        rng = self.rng
        raw = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 3))):
            if not raw:
                break
            at = rng.randrange(len(raw))
            match rng.randrange(8):
                case 0:
                    raw[at] ^= 1 << rng.randrange(8)
                case 1:
                    raw[at] = rng.choice((0, 1, 2, 10, 127, 128, 255, rng.randrange(256)))
                case 2:
                    value, end = _varuint_at(bytes(raw), at)
                    near = (value + 1, max(0, value - 1), value ^ 1, 0, 2**31 - 1, 2**32 + value, 2**53)
                    raw[at:end] = write_varuint(min(2**53, rng.choice(near)))
                case 3:
                    del raw[at:]
                case 4:
                    raw[at:at] = raw[at : at + rng.randrange(1, 12)]
                case 5:
                    del raw[at : at + rng.randrange(1, 6)]
                case 6:
                    cut = rng.randrange(len(other) + 1)
                    raw[at:] = other[cut:]
                case _:
                    raw[at:at] = rng.randbytes(rng.randrange(1, 4))
        return bytes(raw)


def _varuint_at(data: bytes, at: int) -> tuple[int, int]:
    try:
        return read_varuint(data, at)
    except ValueError:
        return data[at], at + 1
