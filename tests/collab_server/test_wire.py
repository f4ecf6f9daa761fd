"""Tests of the lib0 codec and the y-protocols frames."""

import pytest
from pycrdt import create_update_message

from collab_server import wire
from collab_server.gate.errors import Malformed
from collab_server.wire import Kind


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (0, b"\0"),
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (16384, b"\x80\x80\x01"),
        (2**53, b"\x80\x80\x80\x80\x80\x80\x80\x10"),
    ],
)
def test_varuint_both_ways(value: int, data: bytes) -> None:
    """Numbers are written as lib0 writes them and read back."""
    assert wire.write_varuint(value) == data
    assert wire.read_varuint(b"\xff" + data, 1) == (value, 1 + len(data))


@pytest.mark.parametrize(
    "data", [b"", b"\x80", b"\xff" * 7, b"\x80\x00", b"\x81\x80\x00", b"\xff" * 8 + b"\x01", b"\xff" * 7 + b"\x7f"]
)
def test_varuint_refuses(data: bytes) -> None:
    """Cut, overlong and oversized numbers are malformed."""
    with pytest.raises(Malformed):
        wire.read_varuint(data, 0)


@pytest.mark.parametrize("bits", range(1, 54))
def test_varuint_of_every_size(bits: int) -> None:
    """On both sides of every power of two the shortest spelling is written, and nothing else is read."""
    for value in (2**bits - 1, min(2**bits, 2**53)):
        data = wire.write_varuint(value)
        assert len(data) == max(1, -(-value.bit_length() // 7))
        assert wire.read_varuint(data, 0) == (value, len(data))


def test_varuint_range() -> None:
    """Only 0 to 2^53 can be written."""
    for value in (-1, 2**53 + 1):
        with pytest.raises(ValueError, match="range"):
            wire.write_varuint(value)


def test_strings_count_bytes() -> None:
    """The length of a string is that of its UTF-8."""
    data = wire.write_varstring("é😀")
    assert data == b"\x06\xc3\xa9\xf0\x9f\x98\x80"
    assert wire.read_varstring(data, 0) == ("é😀", 7)


@pytest.mark.parametrize("data", [b"\x02a", b"\x01\xff", b"\x03\xed\xa0\x80", b"\x02\xc0\x80"])
def test_strings_refuse(data: bytes) -> None:
    """Cut strings, bad UTF-8, lone surrogates and overlong forms are malformed."""
    with pytest.raises(Malformed):
        wire.read_varstring(data, 0)


@pytest.mark.parametrize(
    ("frame", "kind", "body"),
    [
        (wire.encode_step1(b"\0"), Kind.STEP1, b"\0"),
        (wire.encode_step2(b"\0\0"), Kind.STEP2, b"\0\0"),
        (wire.encode_update(b"x" * 300), Kind.UPDATE, b"x" * 300),
        (wire.encode_awareness(b"\0"), Kind.AWARENESS, b"\0"),
        (wire.encode_denied("näh"), Kind.AUTH, "näh".encode()),
        (b"\x02\x01", Kind.AUTH, b""),
        (wire.encode_query_awareness(), Kind.QUERY_AWARENESS, b""),
        (b"\x63whatever", Kind.UNKNOWN, b""),
    ],
)
def test_frames_both_ways(frame: bytes, kind: Kind, body: bytes) -> None:
    """Every message reads back as what it was written as, to its last byte."""
    assert wire.read_message(frame) == (kind, body, len(frame))


def test_several_messages_in_a_frame() -> None:
    """A frame may hold one message after another."""
    frame = wire.encode_step1(b"\0") + wire.encode_query_awareness()
    kind, _, pos = wire.read_message(frame)
    assert (kind, wire.read_message(frame, pos)[0]) == (Kind.STEP1, Kind.QUERY_AWARENESS)


def test_same_bytes_as_pycrdt() -> None:
    """An update frame is the one pycrdt makes."""
    assert wire.encode_update(b"\0\0") == create_update_message(b"\0\0")


@pytest.mark.parametrize("frame", [b"", b"\0", b"\0\3\0", b"\0\0", b"\0\2\5\0", b"\1\1", b"\2\0\3a"])
def test_frames_refuse(frame: bytes) -> None:
    """Empty, cut and unknown sync frames are malformed."""
    with pytest.raises(Malformed):
        wire.read_message(frame)
