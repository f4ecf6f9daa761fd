"""Tests of permessage-deflate."""

import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_server.deflate import accepts, deflate, inflate
from collab_server.gate.errors import Malformed, TooLarge


@pytest.mark.parametrize(
    ("offers", "accepted"),
    [
        ("permessage-deflate; client_max_window_bits", True),
        ("permessage-deflate", True),
        ("permessage-deflate;client_max_window_bits=12 ; server_no_context_takeover", True),
        ("permessage-deflate; server_max_window_bits=10, permessage-deflate", True),
        ("permessage-deflate; server_max_window_bits=10", False),
        ("x-webkit-deflate-frame", False),
        ("permessage-deflate; surprise", False),
        ("", False),
        (";=,,;", False),
    ],
)
def test_offers(offers: str, accepted: bool) -> None:
    """An offer that asks for nothing of ours is taken; another window than the usual one is not."""
    assert accepts(offers) is accepted


@given(st.binary())
def test_what_was_deflated_is_inflated(payload: bytes) -> None:
    """Byte for byte, also by the way zlib itself would read it."""
    assert inflate(deflate(payload), len(payload)) == payload
    assert zlib.decompress(deflate(payload) + b"\x00\x00\xff\xff\x01\x00\x00\xff\xff", -zlib.MAX_WBITS) == payload


def test_a_bomb_is_not_unpacked() -> None:
    """Of 50 MB in 50 KB no more is unpacked than allowed."""
    with pytest.raises(TooLarge):
        inflate(deflate(bytes(50_000_000)), 1_000_000)


@given(st.binary(min_size=1))
def test_junk_is_malformed_or_small(junk: bytes) -> None:
    """Whatever the bytes, nothing else is raised."""
    with suppress(Malformed, TooLarge):
        assert len(inflate(junk, 1000)) <= 1000
