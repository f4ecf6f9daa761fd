"""Tests of the update reader, rule by rule, then on what pycrdt and Yjs really write."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Decoder, Doc, Map, Text

from collab_server.gate.errors import Malformed, Refused, TooLarge
from collab_server.gate.limits import Limits
from collab_server.gate.shape import Shape
from collab_server.gate.update import inspect, missing, news
from collab_server.wire import write_varstring, write_varuint

LIMITS = Limits()
HEAD = b"\x01\x01\x07\x00"  # one client, one struct, client 7, clock 0
YJS = json.loads(Path(__file__).with_name("yjs_updates.json").read_text())
WANTED = [case for case in YJS if not case["name"].startswith("refused")]
UNWANTED = [case for case in YJS if case["name"].startswith("refused")]


def keyed(content: bytes, ref: int = 8) -> bytes:
    """An update that sets tracks.a to a content."""
    return HEAD + bytes((ref | 0x20,)) + b"\x01\x06tracks\x01a" + content + b"\x00"


def many(structs: list[bytes], clock: int = 0) -> bytes:
    """An update of client 7."""
    return b"\x01" + write_varuint(len(structs)) + b"\x07" + write_varuint(clock) + b"".join(structs) + b"\x00"


def state(doc: Doc[Any]) -> dict[int, int]:
    """pycrdt's own view of what it knows."""
    decoder = Decoder(doc.get_state())
    return {decoder.read_var_uint(): decoder.read_var_uint() for _ in range(decoder.read_var_uint())}


def test_overwrite() -> None:
    """The hot path: one value after another of the same author, with the deletion of the old one."""
    found = inspect(bytes.fromhex("010180bcc1960bc1b802a880bcc1960bb9b80201770268690180bcc1960b01b9b80201"), LIMITS)
    assert found.ranges == [(3000000000, 40001, 40002)]
    assert found.deletes == [(3000000000, 39993, 1)]
    assert (found.needs, found.roots) == ([], set())
    assert found.places == [(3000000000, 40001, 40002, 8, (3000000000, 39993), None, None, None)]


def test_empty() -> None:
    """The empty update brings nothing and misses nothing."""
    found = inspect(b"\0\0", LIMITS)
    assert (found.ranges, found.deletes, missing(found, {})) == ([], [], False)


def test_needs_and_roots() -> None:
    """Other people's items are needed up to and including the one named; roots are named once."""
    found = inspect(
        b"\x01\x02\x07\x05" + b"\xc8\x03\x04\x09\x00\x01\x78" + b"\x28\x01\x05notes\x01k\x01\x7e" + b"\0", LIMITS
    )
    assert found.needs == [(7, 5, 3, 5), (7, 5, 9, 1)]
    assert found.roots == {"notes"}
    assert missing(found, {7: 5, 3: 4, 9: 1})
    assert missing(found, {7: 4, 3: 5, 9: 1})
    assert not missing(found, {7: 5, 3: 5, 9: 1})


@pytest.mark.parametrize(
    ("content", "ref", "length"),
    [
        (b"\x01\x7d\x05", 8, 1),
        (b"\x03\x7e\x7f\x78", 8, 3),
        (b"\x01\x76\x01\x01k\x75\x02\x7a" + bytes(8) + b"\x74\x01\xff", 8, 1),
        (b"\x01\x77\x80\x01" + b"x" * 128, 8, 1),
        (b"\x05", 1, 5),
        (b"\x02\xff\x00", 3, 1),
        (b"\x04\xf0\x9f\x98\x80", 4, 2),
        (b"\x03a\xc3\xa9", 4, 2),
        (b"\x07[1,{}] ", 5, 1),
        (b"\x01b\x04true", 6, 1),
        (b"\x01", 7, 1),
        (b"\x02", 7, 1),
    ],
)
def test_contents(content: bytes, ref: int, length: int) -> None:
    """Every content of the schema advances the clock by its length, texts in UTF-16 units."""
    assert inspect(keyed(content, ref), LIMITS).ranges == [(7, 0, length)]


@pytest.mark.parametrize(
    ("update", "reason"),
    [
        (b"", "truncated"),
        (b"\x00", "truncated"),
        (b"\x00\x00\x00", "trailing"),
        (b"\xff\xff\xff\xff\x0f\x00", "count"),  # five bytes, four thousand million clients
        (b"\x80\x80\x80\x80\x80\x80\x80\x10\x00", "count"),
        (b"\x01\xff\xff\xff\xff\x0f\x07\x00\x00", "count"),
        (b"\x01\x80\x80\x80\x80\x80\x80\x80\x10\x07\x00\x00", "count"),
        (b"\x01\x00\x07\x00\x00", "count"),
        (b"\x00\xff\xff\xff\xff\x0f", "count"),
        (b"\x00\x01\x07\xff\xff\xff\xff\x0f\x00\x01", "count"),
        (b"\x00\x01\x07\x00", "truncated|count"),
        (b"\x00\x01\x07\x02\x05\x02\x06\x01", "delete range"),
        (b"\x00\x01\x07\x01\x05\x00", "delete range"),
        (b"\x00\x01\x07\x01\x05\xff\xff\xff\xff\x07", "clock"),
        (b"\x00\x02\x07\x01\x00\x01\x07\x01\x05\x01", "client"),
        (b"\x02\x01\x07\x00\x00\x01\x01\x07\x01\x00\x01\x00", "client"),
        (b"\x01\x01" + write_varuint(2**53) + b"\x00\x00\x01\x00", "client"),
        (b"\x01\x01\x07\xff\xff\xff\xff\x07\x00\x01\x00", "clock"),
        (b"\x01\x01\x07\x00\x00\x00\x00", "filler"),
        (b"\x01\x01\x07\x00\x0a\x00\x00", "filler"),
        (b"\x01\x01\x07\x00\x20\x01\x00", "filler"),
        (b"\x01\x01\x07\x00\x80\x03\x00\x01\x00", "unknown content"),
        (b"\x01\x01\x07\x03\x88\x07\x03\x01\x7e\x00", "own future"),
        (b"\x01\x01\x07\x03\x48\x07\x04\x01\x7e\x00", "own future"),
        (b"\x01\x01\x07\x03\x28\x00\x07\x03\x01a\x01\x7e\x00", "own future"),
        (b"\x01\x01\x07\x03\x28\x02\x07\x03\x01a\x01\x7e\x00", "parent"),
        (keyed(b"\x00"), "count"),
        (keyed(b"\x7f\x7e"), "count"),
        (keyed(b"\x01\x00"), "tag"),
        (keyed(b"\x01\x7d" + b"\xff" * 9 + b"\x01"), "varint"),
        (keyed(b"\x01\x75\xff\xff\xff\xff\x0f"), "count"),
        (keyed(b"\x01\x76\x02\x01k"), "count|truncated"),
        (keyed(b"\x01\x77\x01\xff"), "UTF-8"),
        (keyed(b"\x01\x77\x70a"), "truncated"),
        (keyed(b"\x01\x7b\x00"), "truncated"),
        (keyed(b"\x00", 1), "empty"),
        (keyed(b"\x00", 4), "string"),
        (keyed(b"\x03\xed\xa0\x80", 4), "UTF-8"),
        (keyed(b"\x01\x01x", 2), "unknown content"),
        (keyed(b"\x03{a}", 5), "JSON"),
        (keyed(b"\x00", 5), "JSON"),
        (keyed(b"\x05" + b"nope!", 5), "JSON"),
        (keyed(b"\x00", 7), "type"),
        (keyed(b"\x03\x01p", 7), "type"),
        (keyed(b"\x07", 7), "type"),
        (keyed(b"\x01d\x76\x00", 9), "unknown content"),
        (keyed(b"\x01\x7e", 24), "unknown content"),
        (keyed(b"\x01\x75" + b"\x01\x75" * 40 + b"\x00"), "nesting"),
        (keyed(write_varstring("[" * 33 + "]" * 33), 5), "nesting"),
        (b"\x01\x01\x07\x00\x08\x01\x01\xff\x01\x7e\x00", "UTF-8"),
    ],
)
def test_refuses(update: bytes, reason: str) -> None:
    """Each rule of the format has bytes that break it."""
    with pytest.raises(Malformed, match=reason):
        inspect(update, LIMITS)


def test_fifty_thousand_arrays() -> None:
    """100 KB of nested arrays, which end a process that believes them, are refused."""
    with pytest.raises(Malformed, match="nesting"):
        inspect(keyed(b"\x01" + b"\x75\x01" * 50_000 + b"\x7e"), LIMITS)


@pytest.mark.parametrize(
    ("update", "limits"),
    [
        (keyed(b"\x01\x7e"), Limits(update_bytes_max=10)),
        (keyed(b"\x01\x7e"), Limits(key_bytes_max=5)),
        (many([b"\x00\x01", b"\x00\x01"]), Limits(structs_max=1)),
        (b"\x02\x01\x07\x00\x00\x01\x01\x08\x00\x00\x01\x00", Limits(clients_max=1)),
        (b"\x00\x01\x07\x02\x00\x01\x05\x01", Limits(delete_ranges_max=1)),
    ],
)
def test_limits(update: bytes, limits: Limits) -> None:
    """What is well formed under the defaults is too large under tighter limits."""
    inspect(update, LIMITS)
    with pytest.raises(TooLarge):
        inspect(update, limits)


def test_gap() -> None:
    """A range that starts beyond what is known is missing something; one that overlaps brings only its new part."""
    found = inspect(many([b"\x00\x05"], clock=3), LIMITS)
    assert missing(found, {})
    assert missing(found, {7: 2})
    assert not missing(found, {7: 3})
    assert news(found, {7: 6}) == [(7, 6, 8)]
    assert news(found, {7: 8}) == []


def test_skip_is_a_gap() -> None:
    """A Skip ends a range, and what follows it counts as a gap unless the skipped clocks are known."""
    found = inspect(many([b"\x00\x02", b"\x0a\x03", b"\x00\x01"]), LIMITS)
    assert found.ranges == [(7, 0, 2), (7, 5, 6)]
    assert missing(found, {})
    assert not missing(found, {7: 5})


def test_deletes_need_their_items() -> None:
    """Deletions over unknown clocks are missing something, unless the update itself brings the items."""
    alone = inspect(b"\x00\x01\x07\x01\x04\x02", LIMITS)
    assert missing(alone, {7: 5})
    assert not missing(alone, {7: 6})
    assert not missing(inspect(b"\x01\x01\x07\x00\x00\x06\x01\x07\x01\x04\x02", LIMITS), {})


def ring(second: bytes) -> bytes:
    """Client 9 leans on 7, and 7 starts with `second`."""
    return b"\x02\x01\x09\x00\x88\x07\x00\x01\x7e\x01\x07\x00" + second + b"\x00"


def test_order_between_clients() -> None:
    """Clients of one update may lean on each other, not in a ring."""
    assert not missing(inspect(ring(b"\x28\x01\x06tracks\x01a\x01\x7e"), LIMITS), {})
    assert missing(inspect(ring(b"\x88\x09\x00\x01\x7e"), LIMITS), {})
    assert not missing(inspect(ring(b"\x88\x09\x00\x01\x7e"), LIMITS), {9: 1})


def test_interleaved_order_is_linear() -> None:
    """Two clients who lean on each other at every step are in order, and finding that takes no quadratic time."""
    steps = 20_000
    first = [b"\x28\x01\x06tracks\x01a\x01\x7e"] + [b"\x88\x09" + write_varuint(i) + b"\x01\x7e" for i in range(steps)]
    second = [b"\x88\x07" + write_varuint(i) + b"\x01\x7e" for i in range(steps)]
    update = (
        b"\x02" + write_varuint(steps) + b"\x09\x00" + b"".join(second)
        + write_varuint(steps + 1) + b"\x07\x00" + b"".join(first) + b"\x00"
    )  # fmt: skip
    found = inspect(update, LIMITS)
    assert not missing(found, {})
    assert Shape(LIMITS).plan(found).roots == {"tracks"}


def test_every_cut_of_real_updates() -> None:
    """A real update cut at any byte is refused, and never with another exception."""
    for case in YJS[:5]:
        whole = bytes.fromhex(case["whole"])
        for end in range(len(whole)):
            with pytest.raises(Refused):
                inspect(whole[:end], LIMITS)


@pytest.mark.parametrize("case", WANTED, ids=lambda case: case["name"])
def test_yjs(case: dict[str, Any]) -> None:
    """What Yjs 13.6 writes is accepted with the ranges Yjs itself counts."""
    known: dict[int, int] = {}
    shape = Shape(LIMITS)
    for text in case["updates"]:
        found = inspect(bytes.fromhex(text), LIMITS)
        if missing(found, known):
            assert case["name"] == "skip"
            continue
        shape.learn(shape.plan(found))
        known |= {client: end for client, _, end in news(found, known)}
    whole = inspect(bytes.fromhex(case["whole"]), LIMITS)
    Shape(LIMITS).plan(whole)
    assert {client: end for client, _, end in whole.ranges} == {int(k): v for k, v in case["state"].items()}
    if case["name"] != "skip":
        assert known == {int(client): clock for client, clock in case["state"].items()}


@pytest.mark.parametrize("case", UNWANTED, ids=lambda case: case["name"])
def test_yjs_refused(case: dict[str, Any]) -> None:
    """Arrays, XML, subdocuments and cuts through a surrogate pair are refused, although Yjs writes them."""
    shape = Shape(LIMITS)
    *before, last = (bytes.fromhex(text) for text in case["updates"])
    for update in before:
        shape.learn(shape.plan(inspect(update, LIMITS)))
    with pytest.raises(Malformed):
        shape.plan(inspect(last, LIMITS))


def test_pycrdt() -> None:
    """What pycrdt writes is accepted with exactly the ranges that its state vector grows by."""
    rng = random.Random(5)
    doc: Doc[Any] = Doc(client_id=2**53 - 1)
    tracks = doc.get("tracks", type=Map)
    updates: list[bytes] = []
    doc.observe(lambda event: updates.append(event.update))
    tracks["t"] = Map({"name": "é😀", "gain": 0.5, "list": [1, {"a": None}], "body": Text("aé😀b")})
    for turn in range(300):
        match rng.randrange(5):
            case 0:
                tracks["t"]["gain"] = rng.random()
            case 1:
                tracks["t"]["body"].insert(0, rng.choice(("x", "😀", "ü")))
            case 2:
                del tracks["t"]["body"][0 : len("".join(str(tracks["t"]["body"]))[0].encode())]
                tracks["t"]["body"].insert(0, "zz")
            case 3:
                tracks[f"n{turn}"] = Map({"at": turn})
            case _:
                tracks.pop(f"n{turn - 1}", None)
                tracks["o"] = turn
    known: dict[int, int] = {}
    shape = Shape(LIMITS)
    copy: Doc[Any] = Doc(client_id=3)
    for update in updates:
        found = inspect(update, LIMITS)
        assert not missing(found, known)
        plan = shape.plan(found)
        assert plan.roots <= {"tracks"}
        shape.learn(plan)
        known |= {client: end for client, _, end in news(found, known)}
        copy.apply_update(update)
        assert known == state(copy)
