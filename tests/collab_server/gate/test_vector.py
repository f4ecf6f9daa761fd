"""Tests of the state vector reader."""

from typing import Any

import pytest
from pycrdt import Doc, Map

from collab_server.gate.errors import Malformed, TooLarge
from collab_server.gate.limits import Limits
from collab_server.gate.vector import inspect_vector

LIMITS = Limits()


def test_reads_pycrdt() -> None:
    """The vector of a real document reads as client and clock."""
    doc: Doc[Any] = Doc(client_id=2**53 - 1)
    doc.get("m", type=Map)["k"] = 1
    assert inspect_vector(doc.get_state(), LIMITS) == {2**53 - 1: 1}
    assert inspect_vector(b"\0", LIMITS) == {}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "truncated"),
        (b"\xff\xff\xff\xff\x0f", "count"),  # five bytes that ask for four thousand million entries
        (b"\x80\x80\x80\x80\x80\x80\x80\x10", "count"),
        (b"\x01\x05", "count"),
        (b"\x01\x05\x01\x00", "trailing"),
        (b"\x02\x05\x01\x05\x01", "twice"),
        (b"\x01\x80\x80\x80\x80\x80\x80\x80\x10\x01", "range"),
        (b"\x01\x05\x80\x80\x80\x80\x08", "range"),
        (b"\x01\x05\x81", "truncated"),
    ],
)
def test_refuses(data: bytes, reason: str) -> None:
    """Each rule of the format is enforced before anything is allocated."""
    with pytest.raises(Malformed, match=reason):
        inspect_vector(data, LIMITS)


def test_too_many_clients() -> None:
    """The number of clients is bounded by the limits."""
    with pytest.raises(TooLarge) as refused:
        inspect_vector(b"\x02\x05\x01\x06\x01", Limits(vector_clients_max=1))
    assert (refused.value.what, refused.value.limit) == ("vector_clients_max", 1)
