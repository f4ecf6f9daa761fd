"""Hostile frames and messages against the real process: only the offender goes, with the right code."""

import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from typing import Final

import pytest

from collab_server import wire
from collab_server.closing import CloseCode
from collab_server.gate.awareness import Entry
from collab_server.gate.awareness import encode as encode_presence
from collab_server.wire import EMPTY_UPDATE, write_varstring, write_varuint
from launch.app import App
from tests.collab_server.gate.forge import Forger, Section, Struct, encode
from tests.collab_server.peer import until
from tests.collab_server.world import World
from tests.hostile.raw import CLOSE, CONTINUATION, OPEN, PING, TEXT, Raw, frame
from tests.hostile.witness import LAG_MAX_SECONDS, Witness, lag_max, memory, witness

FUZZ_CASES: Final = 3_000
FUZZ_CASES_PER_CONNECTION: Final = 6
FUZZ_PATIENCE: Final = 2.0
"""A frame that claims to be longer than it is swallows what follows; nobody answers then."""
FUZZ_SEED: Final = 11
FRAME_MAX: Final = 2 * 1024 * 1024
MEMORY_MAX: Final = 160 * 1024 * 1024
"""A fresh server with one small room takes 80 MiB."""
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
    assert await villain.joins() == OPEN
    await villain.send(offence)
    if code:
        assert await villain.end() == code
    else:
        assert await villain.lives()
        villain.drop()
    await pair.proves()


def floods(pair: Witness) -> dict[str, tuple[bytes, int]]:
    """What to send without end, and the code it is closed with; 0: it is slowed down."""
    ask = wire.encode_step1(pair.pair[0].doc.get_state())
    stale = wire.encode_step1(b"\x01\x01\x01")
    query = wire.encode_query_awareness()
    nothing = wire.encode_update(EMPTY_UPDATE)
    again = wire.encode_update(encode([], {1: [(0, 1)]}))
    cursors = [shown(json.dumps({"n": n}), clock=n) for n in range(1, 30_000)]
    return {
        "a frame of Step1": (frame(stale * (FRAME_MAX // len(stale))), CloseCode.RATE),
        "a frame of Step1 of everything": (frame(STEP1_OF_ALL * (FRAME_MAX // 4)), CloseCode.RATE),
        "a frame of queries": (frame(query * FRAME_MAX), CloseCode.RATE),
        "a frame of updates": (frame(nothing * (FRAME_MAX // len(nothing))), CloseCode.RATE),
        "a frame of deletions": (frame(again * (FRAME_MAX // len(again))), CloseCode.RATE),
        "frames of Step1": (frame(ask) * 30_000, 0),
        "frames of stale Step1": (frame(stale) * 30_000, 0),
        "frames of queries": (frame(query) * 60_000, 0),
        "frames of deletions": (frame(again) * 30_000, 0),
        "frames of presence": (b"".join(cursors), 0),
        "pings": (frame(b"", PING) * 100_000, 0),
    }


STEP1_OF_ALL: Final = wire.encode_step1(b"\x00")
FLOODS: Final = (
    "a frame of Step1",
    "a frame of Step1 of everything",
    "a frame of queries",
    "a frame of updates",
    "a frame of deletions",
    "frames of Step1",
    "frames of stale Step1",
    "frames of queries",
    "frames of deletions",
    "frames of presence",
    "pings",
)


@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_is_ended_or_slowed_down(pair: Witness, name: str) -> None:
    """However small its messages, a flood is heard in turns with everybody else."""
    flood, code = floods(pair)[name]
    villain = await Raw.open(pair.url)
    assert await villain.joins() == OPEN  # nothing of the flood waits for the room to open
    sending = asyncio.create_task(villain.send(flood))
    if code:
        assert await villain.end() == code
    else:
        for _ in range(5):
            await pair.proves()
        villain.drop()
    sending.cancel()
    await pair.proves()


def fuzzed(forger: Forger, pair: Witness, clock: int) -> bytes:
    """One frame: forged or damaged messages of every kind, or a damaged frame."""
    rng = forger.rng
    known = {VILLAIN: clock, 1: 5}
    forged = encode([Section(VILLAIN, clock, [forger.struct(known, (VILLAIN, clock), [])])], {})
    real = pair.pair[0].doc.get_update(b"\x00")
    entry = encode_presence([Entry(VILLAIN, rng.randrange(9), '{"name":"Zoë","at":[1]}')])
    match rng.randrange(7):
        case 0:
            message = wire.encode_update(forged)
        case 1:
            message = wire.encode_update(forger.damaged(forged, real))
        case 2:
            message = wire.encode_step2(forger.damaged(real, forged))
        case 3:
            message = wire.encode_step1(forger.vector(known))
        case 4:
            message = wire.encode_awareness(forger.damaged(entry, entry))
        case 5:
            message = forger.damaged(wire.encode_update(forged), wire.encode_awareness(entry))
        case _:
            message = forger.rng.randbytes(rng.randrange(40))
    whole = frame(message)
    return forger.damaged(whole[:8], whole[:8]) + whole[8:] if rng.random() < 0.1 else whole


EXPECTED: Final = {
    OPEN,
    CloseCode.NORMAL,
    CloseCode.PROTOCOL_ERROR,
    CloseCode.UNSUPPORTED_DATA,
    TOO_BIG_FOR_THE_LIBRARY,
    CloseCode.MALFORMED,
    CloseCode.NOT_ALLOWED,
    CloseCode.EPOCH_CHANGED,
    CloseCode.TOO_LARGE,
}


async def test_s4_fuzzed_frames_end_their_connection_at_most(pair: Witness) -> None:
    """Thousands of forged and damaged frames: each is refused with a code of ours, or harmless."""
    forger = Forger(random.Random(FUZZ_SEED))
    ends: Counter[int] = Counter()
    sent = 0
    while sent < FUZZ_CASES:
        villain = await Raw.open(pair.url)
        assert await villain.joins() == OPEN
        for _ in range(FUZZ_CASES_PER_CONNECTION):
            await villain.send(fuzzed(forger, pair, forger.rng.choice((0, 1))))
            sent += 1
        ends[await villain.joins(FUZZ_PATIENCE)] += 1
        villain.drop()
    sys.stdout.write(f"{sent} fuzzed frames ended {dict(ends)}\n")
    assert set(ends) <= EXPECTED
    await pair.proves()


async def test_it_kept_its_pace(pair: Witness, collab: App) -> None:
    """No attack of this module held the event loop for long."""
    worst = await lag_max(collab)
    await until(lambda: memory(collab) < MEMORY_MAX, "the memory returns")
    sys.stdout.write(f"worst event-loop lag {worst * 1000:.0f} ms, memory {memory(collab) >> 20} MiB\n")
    assert worst <= LAG_MAX_SECONDS
