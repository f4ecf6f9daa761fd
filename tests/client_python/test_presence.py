"""Tests of what a client knows of who is there, itself too."""

from backline.frames import Entry
from backline.presence import People


def test_whoever_is_told_to_be_gone_counts_on_and_says_so() -> None:
    """The next word of it is above what was told, so that everybody who was told takes it."""
    people = People(10)
    people.show({"cursor": 1})
    assert people.mine().clock == 1
    assert people.heard([Entry(10, 33, None)])
    assert people.mine() == Entry(10, 34, {"cursor": 1})


def test_what_was_said_before_ones_last_word_says_nothing() -> None:
    """A removal below it is old news, as is anybody else's."""
    people = People(10)
    for _ in range(3):
        people.mine()
    assert not people.heard([Entry(10, 2, None), Entry(11, 40, None)])
    assert people.mine().clock == 4
