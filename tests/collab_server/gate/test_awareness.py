"""Tests of the presence reader and writer."""

import pytest
from pycrdt import Awareness, Doc

from collab_server.gate.awareness import Entry, decode, encode
from collab_server.gate.errors import Malformed, TooLarge
from collab_server.gate.limits import Limits

LIMITS = Limits()


def test_reads_pycrdt() -> None:
    """What pycrdt's Awareness sends reads as one entry with its JSON untouched."""
    awareness = Awareness(Doc(client_id=7))
    awareness.set_local_state({"cursor": {"tick": 960}})
    [entry] = decode(awareness.encode_awareness_update([7]), LIMITS)
    assert (entry.client, entry.state) == (7, '{"cursor":{"tick":960}}')


def test_both_ways() -> None:
    """Entries survive encoding, names beyond ASCII and the departed included."""
    entries = [Entry(2**53 - 1, 3, '{"name":"Zoë 😀"}'), Entry(1, 2**31 - 1, None)]
    assert decode(encode(entries), LIMITS) == entries
    assert encode([]) == b"\0"


@pytest.mark.parametrize("state", ["[]", "1", '"x"', "{", "{}x", '{"a":NaN}', '{"a":Infinity}', "", "nul"])
def test_state_is_an_object(state: str) -> None:
    """A state that is not a JSON object or null is malformed."""
    with pytest.raises(Malformed):
        decode(encode([Entry(1, 1, state)]), LIMITS)


def test_depth() -> None:
    """Nesting is bounded, brackets inside strings do not count."""
    deep = '{"a":' * 16 + "1" + "}" * 16
    assert decode(encode([Entry(1, 1, deep)]), LIMITS)[0].state == deep
    assert decode(encode([Entry(1, 1, '{"a":"' + '[{\\"' * 40 + '"}')]), LIMITS)
    with pytest.raises(Malformed, match="nesting"):
        decode(encode([Entry(1, 1, '{"a":' + deep + "}")]), LIMITS)
    with pytest.raises(Malformed, match="nesting"):
        decode(encode([Entry(1, 1, '{"a":' + "[" * 4000)]), LIMITS)


def test_sizes() -> None:
    """Entries are bounded in number, states in bytes."""
    with pytest.raises(TooLarge):
        decode(encode([Entry(1, 1, '{"a":"' + "x" * 4096 + '"}')]), LIMITS)
    with pytest.raises(TooLarge):
        decode(encode([Entry(1, 1, "{}")] * 2), Limits(presence_entries_max=1))


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xff\xff\xff\x0f", b"\x01\x01\x01", b"\x00\x00", b"\x01\x01\x01\x02\xff\xff"]
)
def test_refuses(data: bytes) -> None:
    """Cut payloads, counts beyond the bytes, trailing bytes and bad UTF-8 are malformed."""
    with pytest.raises(Malformed):
        decode(data, LIMITS)


def test_any_cut() -> None:
    """A payload cut anywhere is malformed."""
    whole = encode([Entry(300, 5, '{"name":"é"}'), Entry(7, 1, None)])
    for end in range(len(whole)):
        with pytest.raises(Malformed):
            decode(whole[:end], LIMITS)
