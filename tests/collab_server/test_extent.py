"""Tests of how large a document is, at most."""

from collab_server.extent import Extent


def test_it_is_measured_only_when_the_sum_would_not_fit_and_once_between_additions() -> None:
    """Encoding a full document for each refused edit would be a gift to whoever wants to keep the server busy."""
    sizes = [60, 95]
    extent = Extent(90, lambda: bytes(sizes.pop(0)))
    assert extent.has_room(10, limit=100)
    assert len(sizes) == 2
    assert extent.has_room(11, limit=100)
    assert (extent.bytes, len(sizes)) == (60, 1)
    extent.bytes += 39
    assert not extent.has_room(20, limit=100)
    assert not extent.has_room(6, limit=100)
    assert (extent.bytes, sizes) == (95, [])
    assert extent.has_room(5, limit=100)
