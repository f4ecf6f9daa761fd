"""Tests of RFC 6455 frames as the server writes them."""

import pytest

from collab_server import frames


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (0, b"\x82\x00"),
        (125, b"\x82\x7d"),
        (126, b"\x82\x7e\x00\x7e"),
        (65535, b"\x82\x7e\xff\xff"),
        (65536, b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_the_length_is_spelled_as_short_as_it_can_be(length: int, head: bytes) -> None:
    """7, 16 or 64 bits of length, never masked, always final."""
    assert frames.binary(b"x" * length) == head + b"x" * length


def test_a_close_frame_carries_code_and_reason() -> None:
    """Two bytes of code in network order, then UTF-8."""
    assert frames.close(4401, "no ticket") == b"\x88\x0b\x11\x31no ticket"


def test_a_long_reason_is_cut_between_characters() -> None:
    """A control frame holds 125 bytes, and what is left of the reason is still UTF-8."""
    frame = frames.close(4400, "é" * 100)
    assert len(frame) <= 127
    assert frame[1] == len(frame) - 2
    assert frame[4:].decode() == "é" * 61
