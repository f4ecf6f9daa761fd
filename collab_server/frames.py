"""RFC 6455 frames as the server sends them: unmasked, final, uncompressed.

A frame is built once per room, dialect and tick; the same bytes go to every socket.
"""

TEXT = 0x81
BINARY = 0x82
CLOSE = 0x88
RSV1 = 0x40
PING = b"\x89\x00"
"""A whole ping frame without a payload (section 5.5.2)."""


def binary(*parts: bytes) -> bytes:
    """Return the parts as one binary frame (RFC 6455 section 5.2); each byte of a large document is copied once."""
    return b"".join((_header(BINARY, sum(map(len, parts))), *parts))


def text(payload: bytes) -> bytes:
    """Return UTF-8 as one text frame."""
    return _header(TEXT, len(payload)) + payload


def deflated(payload: bytes) -> bytes:
    """Return `payload`, compressed already, as one binary frame (RFC 7692 section 6)."""
    return _header(BINARY | RSV1, len(payload)) + payload


def close(code: int, reason: str) -> bytes:
    """Return a close frame; a control frame carries at most 125 bytes, so the reason is cut at 123 (section 5.5.1)."""
    text = reason.encode()[:123].decode(errors="ignore").encode()
    return _header(CLOSE, 2 + len(text)) + code.to_bytes(2, "big") + text


def _header(opcode: int, length: int) -> bytes:
    if length < 126:
        return bytes((opcode, length))
    if length < 65536:
        return bytes((opcode, 126)) + length.to_bytes(2, "big")
    return bytes((opcode, 127)) + length.to_bytes(8, "big")
