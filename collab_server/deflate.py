"""permessage-deflate (RFC 7692), as much of it as pays: newcomers get a document compressed, once for all of them.

A document shrinks to a seventh, which is what its readers wait for. Live frames stay as they are: they are small, and
built once for everybody. Neither side keeps a context between messages, so nothing is held for a connection.
"""

import zlib
from typing import Final

from collab_server.gate.errors import Malformed, TooLarge

EXTENSION: Final = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
"""What is answered to an offer that `accepts` likes."""

LEVEL: Final = 1
"""6 takes five times as long for a tenth less."""

_TAIL: Final = b"\x00\x00\xff\xff"
_HARMLESS: Final = frozenset({"client_max_window_bits", "client_no_context_takeover", "server_no_context_takeover"})


def accepts(offers: str) -> bool:
    """Whether one of the offers of a Sec-WebSocket-Extensions header can be answered with `EXTENSION`."""
    for offer in offers.split(","):
        name, *parameters = (part.strip() for part in offer.split(";"))
        if name == "permessage-deflate" and {part.split("=")[0].strip() for part in parameters} <= _HARMLESS:
            return True
    return False


def deflate(*parts: bytes) -> bytes:
    """The payload of a compressed message of these parts."""
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = [compressor.compress(part) for part in parts]
    return b"".join((*packed, compressor.flush(zlib.Z_SYNC_FLUSH))).removesuffix(_TAIL)


def inflate(payload: bytes, bytes_max: int) -> bytes:
    """What a compressed message says. Raises Malformed, or TooLarge before more than `bytes_max` are unpacked."""
    decompressor = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        message = decompressor.decompress(payload + _TAIL, bytes_max + 1)
    except zlib.error:
        raise Malformed("deflate") from None
    if len(message) > bytes_max:
        raise TooLarge("message_bytes_max", bytes_max)
    return message
