"""The documents of the scale measurements are valid: a node that opens one has nothing to repair."""

import random
from uuid import uuid4

import pytest

from bench.scale.songs import Stored, large, small
from persistence.body import decode
from studio.blank import open_doc
from studio.repair import Firsts, repair


@pytest.mark.parametrize("song", [small(random.Random(seed), uuid4()) for seed in range(4)], ids=range(4))
def test_a_small_song_needs_no_repair(song: Stored) -> None:
    """State and rows together are a document that keeps every rule."""
    doc = open_doc(5)
    doc.apply_update(song.state)
    for body in song.bodies:
        for entry in decode(body):
            doc.apply_update(entry.update)
    assert repair(doc, None, Firsts.of(doc)) == []
    assert song.head == song.seq + len(song.bodies)


def test_a_large_song_is_as_large_as_asked_and_keeps_the_limits() -> None:
    """Its encoded size is near what was wanted, and nothing in it is too much."""
    song = large(random.Random(1), 2_000_000, clips=200, points=300)
    assert 1_900_000 < len(song.state) < 2_200_000
    doc = open_doc(5)
    doc.apply_update(song.state)
    assert repair(doc, None, Firsts.of(doc)) == []
