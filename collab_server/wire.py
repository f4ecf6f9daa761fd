"""lib0 numbers and strings, and the y-protocols 1.0.7 frames made of them. Knows nothing of sockets.

A varuint is 7 bits a byte, little end first, high bit = more follows. Only the shortest spelling is accepted, at most 8
bytes, at most 2^53: JavaScript can write no other. A varstring counts UTF-8 *bytes*.
"""

from enum import IntEnum

from collab_server.gate.errors import Malformed

VARUINT_MAX = 2**53

SYNC, AWARENESS, AUTH, QUERY_AWARENESS = range(4)
STEP1, STEP2, UPDATE = range(3)
DENIED = 0

EMPTY_UPDATE = b"\x00\x00"
"""An update without structs and deletions: what a peer sends who has nothing to add."""


class Kind(IntEnum):
    """What a message of the y-websocket dialect is; UNKNOWN is any outer type this server has no use for."""

    STEP1 = 0
    STEP2 = 1
    UPDATE = 2
    AWARENESS = 3
    AUTH = 4
    QUERY_AWARENESS = 5
    UNKNOWN = 6


def write_varuint(value: int) -> bytes:
    """Encode 0 ≤ value ≤ 2^53."""
    if not 0 <= value <= VARUINT_MAX:
        raise ValueError("varuint out of range")
    if value < 128:
        return bytes((value,))
    if value < 1 << 14:  # the commonest are spelled out: lengths and clocks, and below most client ids, of 32 bits
        return bytes((value & 127 | 128, value >> 7))
    if 1 << 28 <= value < 1 << 35:
        low, middle = value & 127 | 128, value >> 7 & 127 | 128
        return bytes((low, middle, value >> 14 & 127 | 128, value >> 21 & 127 | 128, value >> 28))
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varuint(data: bytes, pos: int) -> tuple[int, int]:
    """Decode at `pos`: (value, position after it). Raises Malformed."""
    try:
        byte = data[pos]
        if byte < 128:
            return byte, pos + 1
        value = byte & 127
        for shift in (7, 14, 21, 28, 35, 42, 49):
            pos += 1
            byte = data[pos]
            value |= (byte & 127) << shift
            if byte < 128:
                if byte == 0 or value > VARUINT_MAX:
                    break
                return value, pos + 1
    except IndexError:
        raise Malformed("truncated") from None
    raise Malformed("varint")


def write_varbytes(value: bytes) -> bytes:
    """Length in bytes, then the bytes."""
    return write_varuint(len(value)) + value


def read_varbytes(data: bytes, pos: int) -> tuple[bytes, int]:
    """Decode at `pos`: (bytes, position after them). Raises Malformed."""
    length, pos = read_varuint(data, pos)
    end = pos + length
    if end > len(data):
        raise Malformed("truncated")
    return data[pos:end], end


def write_varstring(value: str) -> bytes:
    """Length in UTF-8 bytes, then UTF-8. (pycrdt's Encoder writes the number of characters: not interchangeable.)"""
    return write_varbytes(value.encode())


def read_varstring(data: bytes, pos: int) -> tuple[str, int]:
    """Decode at `pos`: (text, position after it). Raises Malformed."""
    length, pos = read_varuint(data, pos)
    return text_at(data, pos, length), pos + length


def text_at(data: bytes, pos: int, length: int) -> str:
    """The text whose UTF-8 is `length` bytes from `pos` on. Raises Malformed."""
    end = pos + length
    if end > len(data):
        raise Malformed("truncated")
    try:
        return data[pos:end].decode()
    except UnicodeDecodeError:
        raise Malformed("not UTF-8") from None


def encode_step1(vector: bytes) -> bytes:
    """ "This is what I have": a state vector."""
    return b"\x00\x00" + write_varbytes(vector)


def step2_parts(update: bytes) -> tuple[bytes, bytes, bytes]:
    """`encode_step2` in parts, for a document that is too large to be copied once more."""
    return b"\x00\x01", write_varuint(len(update)), update


def encode_step2(update: bytes) -> bytes:
    """ "This is what you lack": the answer to Step1."""
    return b"\x00\x01" + write_varbytes(update)


def encode_update(update: bytes) -> bytes:
    """An edit, or the echo that acknowledges one."""
    return b"\x00\x02" + write_varbytes(update)


def encode_awareness(payload: bytes) -> bytes:
    """Presence; `payload` is what gate.awareness encodes."""
    return b"\x01" + write_varbytes(payload)


def encode_denied(reason: str) -> bytes:
    """Permission denied, with the reason; the connection stays."""
    return b"\x02\x00" + write_varstring(reason)


def encode_query_awareness() -> bytes:
    """Ask for everybody's presence."""
    return b"\x03"


def read_message(data: bytes, pos: int = 0) -> tuple[Kind, bytes, int]:
    """One message at `pos`: (kind, its payload, position after it); frames of newer clients hold several.

    The payload is the state vector, the update, the awareness entries or the reason's UTF-8; b"" when there is none.
    An unknown outer type swallows the rest of the frame, because its length cannot be known. Raises Malformed.
    """
    outer, pos = read_varuint(data, pos)
    if outer == SYNC:
        inner, pos = read_varuint(data, pos)
        if inner > UPDATE:
            raise Malformed("sync message type")
        body, pos = read_varbytes(data, pos)
        return _SYNC_KINDS[inner], body, pos
    if outer == AWARENESS:
        body, pos = read_varbytes(data, pos)
        return Kind.AWARENESS, body, pos
    if outer == QUERY_AWARENESS:
        return Kind.QUERY_AWARENESS, b"", pos
    if outer == AUTH:
        verdict, pos = read_varuint(data, pos)
        body, pos = read_varbytes(data, pos) if verdict == DENIED else (b"", pos)
        return Kind.AUTH, body, pos
    return Kind.UNKNOWN, b"", len(data)


_SYNC_KINDS = (Kind.STEP1, Kind.STEP2, Kind.UPDATE)
