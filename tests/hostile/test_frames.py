"""Hostile frames and messages against the real process: only the offender goes, with the right code."""

import json
import sys
from collections.abc import AsyncIterator
from typing import Final

import pytest

from collab_server import wire
from collab_server.closing import CloseCode
from collab_server.gate.awareness import Entry
from collab_server.gate.awareness import encode as encode_presence
from collab_server.wire import EMPTY_UPDATE, write_varstring, write_varuint
from launch.app import App
from tests.collab_server.gate.forge import Section, Struct, encode
from tests.collab_server.world import World
from tests.hostile.raw import CLOSE, CONTINUATION, PING, TEXT, Raw, frame
from tests.hostile.witness import LAG_MAX_SECONDS, Witness, lag_max, memory, witness

FUZZ_CASES: Final = 3_000
FUZZ_SEED: Final = 11
FRAME_MAX: Final = 2 * 1024 * 1024
MEMORY_GROWTH_MAX: Final = 96 * 1024 * 1024
TOO_BIG_FOR_THE_LIBRARY: Final = 1009
VILLAIN: Final = 666
"""The Yjs client id of forged updates."""
HUGE: Final = b"\xff\xff\xff\xff\xff\xff\xff\x0f"
"""The varuint 2^53 - 1, and more than any count may be."""
OVER: Final = b"\x80\x80\x80\x80\x80\x80\x80\x11"
"""A varuint above 2^53."""


def value(body: bytes, client: int = VILLAIN, *, root: str = "tracks", key: str = "x", clock: int = 0) -> bytes:
    """An update that sets a root's key to these encoded bytes."""
    return encode([Section(client, clock, [Struct(8, 1, b"\x01" + body, parent=root, key=key)])], {})


def update(body: bytes) -> bytes:
    """A frame with one Update message."""
    return frame(wire.encode_update(body))


def presence(body: bytes) -> bytes:
    """A frame with one awareness message."""
    return frame(wire.encode_awareness(body))


def shown(state: str, client: int = VILLAIN, clock: int = 1) -> bytes:
    """A frame with one awareness entry."""
    return presence(encode_presence([Entry(client, clock, state)]))


NESTED_ARRAYS: Final = b"\x75\x01" * 50_000 + b"\x7e"
NESTED_OBJECTS: Final = b"\x76\x01\x01k" * 50_000 + b"\x7e"
BIG: Final = b"\x77" + write_varstring("x" * 1_100_000)

OFFENCES: Final[dict[str, tuple[bytes, int]]] = {
    # websocket frames
    "text": (frame(b"hello", TEXT), CloseCode.UNSUPPORTED_DATA),
    "unmasked": (frame(b"\x00\x00\x01\x00", masked=False), CloseCode.PROTOCOL_ERROR),
    "reserved opcode": (frame(b"", 0x3), CloseCode.PROTOCOL_ERROR),
    "reserved control opcode": (frame(b"", 0xB), CloseCode.PROTOCOL_ERROR),
    "reserved bits": (frame(b"\x00\x00\x01\x00", reserved=4), CloseCode.PROTOCOL_ERROR),
    "fragmented ping": (frame(b"", PING, final=False), CloseCode.PROTOCOL_ERROR),
    "long ping": (frame(b"p" * 126, PING), CloseCode.PROTOCOL_ERROR),
    "close of one byte": (frame(b"\x03", CLOSE), CloseCode.PROTOCOL_ERROR),
    "close with a forbidden code": (frame(b"\x03\xed", CLOSE), CloseCode.PROTOCOL_ERROR),
    "continuation of nothing": (frame(b"x", CONTINUATION), CloseCode.PROTOCOL_ERROR),
    "message within a message": (frame(b"x", final=False) + frame(b"y"), CloseCode.PROTOCOL_ERROR),
    "text within a message": (frame(b"x", final=False) + frame(b"y", TEXT), CloseCode.UNSUPPORTED_DATA),
    "oversize frame": (frame(bytes(FRAME_MAX + 1)), CloseCode.TOO_LARGE),
    "oversize message": (
        frame(bytes(1 << 20), final=False) + 2 * frame(bytes(1 << 20), CONTINUATION, final=False),
        CloseCode.TOO_LARGE,
    ),
    "empty fragments": (
        frame(b"", final=False) + frame(b"", CONTINUATION, final=False) * 40_000,
        CloseCode.TOO_LARGE,
    ),
    "eight exabytes": (frame(b"", declared=2**62), TOO_BIG_FOR_THE_LIBRARY),
    "sixteen megabytes": (frame(b"", declared=2**24), TOO_BIG_FOR_THE_LIBRARY),
    "negative length": (frame(b"", declared=2**63 + 1), CloseCode.PROTOCOL_ERROR),
    # y-protocols messages
    "unknown sync message": (frame(b"\x00\x07\x00"), CloseCode.MALFORMED),
    "cut message": (frame(b"\x00\x02\x40x"), CloseCode.MALFORMED),
    "trailing byte": (frame(wire.encode_update(EMPTY_UPDATE) + b"\x00"), CloseCode.MALFORMED),
    "overlong varuint": (frame(b"\x00\x02\x80\x00"), CloseCode.MALFORMED),
    "varuint over 2^53": (frame(b"\x00\x02" + OVER), CloseCode.MALFORMED),
    "endless varuint": (frame(b"\xff" * 100), CloseCode.MALFORMED),
    "message of 2^53 bytes": (frame(b"\x00\x02" + HUGE), CloseCode.MALFORMED),
    # updates
    "five bytes for 4 GiB of clients": (update(b"\xff\xff\xff\xff\x0f"), CloseCode.MALFORMED),
    "2^53 clients": (update(HUGE), CloseCode.MALFORMED),
    "2^53 structs": (update(b"\x01" + HUGE + b"\x01\x00"), CloseCode.MALFORMED),
    "2^53 deletions": (update(b"\x00\x01\x05" + HUGE), CloseCode.MALFORMED),
    "2^53 values": (
        update(encode([Section(VILLAIN, 0, [Struct(8, 1, HUGE, parent="tracks", key="x")])], {})),
        CloseCode.MALFORMED,
    ),
    "text of 2^53 bytes": (update(value(b"\x77" + HUGE)), CloseCode.MALFORMED),
    "trailing bytes in an update": (update(value(b"\x7e") + b"\x00"), CloseCode.MALFORMED),
    "update cut": (update(value(b"\x77\x05hello")[:-4]), CloseCode.MALFORMED),
    "arrays nested 50,000 deep": (update(value(NESTED_ARRAYS)), CloseCode.MALFORMED),
    "objects nested 50,000 deep": (update(value(NESTED_OBJECTS)), CloseCode.MALFORMED),
    "the same as Step2": (frame(wire.encode_step2(value(NESTED_ARRAYS))), CloseCode.MALFORMED),
    "not UTF-8": (update(value(b"\x77\x02\xff\xfe")), CloseCode.MALFORMED),
    "clock of 2^31": (update(value(b"\x7e", clock=2**31)), CloseCode.MALFORMED),
    "client of 2^53": (update(value(b"\x7e", client=2**53)), CloseCode.MALFORMED),
    "update over a megabyte": (update(value(BIG)), CloseCode.TOO_LARGE),
    "the seed's client id": (update(value(b"\x7e", client=1, clock=10_000)), 0),
    "server's root": (update(value(b"\x7d\x01", root="meta")), CloseCode.NOT_ALLOWED),
    "unknown root": (update(value(b"\x7d\x01", root="backdoor")), CloseCode.NOT_ALLOWED),
    # state vectors
    "vector of 2^53 clients": (frame(wire.encode_step1(HUGE)), CloseCode.MALFORMED),
    "vector cut": (frame(wire.encode_step1(b"\x02\x05\x01")), CloseCode.MALFORMED),
    "vector with a tail": (frame(wire.encode_step1(b"\x00\x00")), CloseCode.MALFORMED),
    "vector of 100,000 clients": (
        frame(wire.encode_step1(write_varuint(100_000) + b"".join(write_varuint(n) + b"\x01" for n in range(100_000)))),
        CloseCode.TOO_LARGE,
    ),
    # presence
    "presence of 2^53 entries": (presence(HUGE), CloseCode.MALFORMED),
    "presence of 2^53 bytes": (presence(b"\x01\x05\x01" + HUGE), CloseCode.TOO_LARGE),
    "huge presence": (shown(json.dumps({"name": "x" * 5_000})), CloseCode.TOO_LARGE),
    "presence nested deep": (shown('{"a":' + "[" * 1_900 + "]" * 1_900 + "}"), CloseCode.MALFORMED),
    "presence that is no object": (shown("[1]"), CloseCode.MALFORMED),
    "presence that is no JSON": (shown("{'a': NaN}"), CloseCode.MALFORMED),
    "presence with a tail": (presence(encode_presence([]) + b"\x00"), CloseCode.MALFORMED),
}


@pytest.fixture(scope="module")
async def pair(collab: App, world: World) -> AsyncIterator[Witness]:
    async with witness(collab, world) as found:
        yield found


@pytest.mark.parametrize(("offence", "code"), OFFENCES.values(), ids=list(OFFENCES))
async def test_s4_only_the_offender_goes(pair: Witness, offence: bytes, code: int) -> None:
    """The connection that broke a rule is closed with the rule's code; the others in its room edit on."""
    villain = await Raw.open(pair.url)
    await villain.send(offence)
    if code:
        assert await villain.end() == code
    else:
        assert await villain.lives()
        villain.drop()
    await pair.proves()


async def test_it_kept_its_pace(pair: Witness, collab: App) -> None:
    """No attack of this module held the event loop for long."""
    worst = await lag_max(collab)
    sys.stdout.write(f"worst event-loop lag {worst * 1000:.0f} ms, memory {memory(collab) >> 20} MiB\n")
    assert worst <= LAG_MAX_SECONDS
