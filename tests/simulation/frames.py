"""Reads the websocket frames that a server writes (RFC 6455 section 5.2, unmasked and final)."""

from collections.abc import Iterator


def read(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(opcode, payload) of each frame; `data` holds whole frames."""
    pos = 0
    while pos < len(data):
        opcode, length, head = data[pos] & 15, data[pos + 1], 2
        if length == 126:
            length, head = int.from_bytes(data[pos + 2 : pos + 4], "big"), 4
        elif length == 127:
            length, head = int.from_bytes(data[pos + 2 : pos + 10], "big"), 10
        yield opcode, data[pos + head : pos + head + length]
        pos += head + length
