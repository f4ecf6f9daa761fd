"""Tests of lost work that others bring back for its author."""

import pytest

from collab_server.closing import CloseCode
from collab_server.loss import PATIENCE_SECONDS, Loss
from collab_server.room import Room
from studio.canonical import canonical
from tests.collab_server.rooms import Person, desk, expelled


def lost_work(room: Room, author: Person) -> bytes:
    """An edit of `author` that a friend heard and that this room has lost."""
    friend = Person(20)
    friend.doc.apply_update(room.state())
    author.track("t_1")
    update = author.field("tracks", "t_1", "name", "told, not saved")
    friend.doc.apply_update(author.doc.get_update())
    assert update
    return friend.doc.get_update(room.doc.get_state())


@pytest.mark.parametrize("salvage", [True, False])
def test_s13_lost_work_comes_back_for_its_absent_author_only_after_a_loss(salvage: bool) -> None:
    """A friend's Step2 may hold what an absent author had told, but only when a server may have died with it.

    Until that is known the friend is asked to come back."""
    ada, friend = Person(10), Person(30)
    hands = desk(friend, ada)
    hands.edit(ada, ada.put("transport", "bpm", 99))
    hands.do(hands.room.leave(ada.member))
    answer = lost_work(hands.room, ada)
    loss = Loss.HAPPENED if salvage else Loss.UNKNOWN
    hands.do(hands.room.edit(friend.member, answer, merge=True, loss=loss))
    hands.tick()
    assert ("t_1" in canonical(hands.room.doc)["tracks"]) is salvage
    assert expelled(hands, friend) == (None if salvage else CloseCode.TRY_AGAIN_LATER)
    assert hands.doubted is not salvage


def test_s13_nobody_brings_back_the_work_of_an_author_who_is_here() -> None:
    """An author who is connected needs no help: what another brings is not taken, and its bringer comes back later."""
    ada, friend = Person(10), Person(30)
    hands = desk(friend, ada)
    hands.edit(ada, ada.put("transport", "bpm", 99))
    answer = lost_work(hands.room, ada)
    hands.do(hands.room.edit(friend.member, answer, merge=True, loss=Loss.HAPPENED))
    hands.tick()
    assert expelled(hands, friend) == CloseCode.TRY_AGAIN_LATER
    assert "t_1" not in canonical(hands.room.doc)["tracks"]


def test_s13_when_nothing_was_lost_work_of_others_that_stays_unknown_becomes_a_draft() -> None:
    """Whoever brings it is asked to come back for a minute, as another node may be about to commit it, or its database
    is away. Nobody can write under an absent author's client id like that, whose own work would be taken for known."""
    ada, friend = Person(10), Person(30)
    hands = desk(friend, ada)
    hands.edit(ada, ada.put("transport", "bpm", 99))
    hands.do(hands.room.leave(ada.member))
    answer = lost_work(hands.room, ada)
    hands.do(hands.room.edit(friend.member, answer, merge=True, loss=Loss.EXCLUDED))
    assert expelled(hands, friend) == CloseCode.TRY_AGAIN_LATER
    assert hands.doubted
    for loss, now in ((Loss.EXCLUDED, PATIENCE_SECONDS - 0.1), (Loss.UNKNOWN, PATIENCE_SECONDS)):
        again = friend.again()
        hands.join(again)
        hands.do(hands.room.edit(again.member, answer, merge=True, loss=loss, now=now))
        assert expelled(hands, again) == CloseCode.TRY_AGAIN_LATER
    once_more = friend.again()
    hands.join(once_more)
    hands.do(hands.room.edit(once_more.member, answer, merge=True, loss=Loss.EXCLUDED, now=PATIENCE_SECONDS))
    hands.tick()
    assert expelled(hands, once_more) == CloseCode.EPOCH_CHANGED
    assert [draft.update for draft in hands.drafts] == [answer]
    assert "t_1" not in canonical(hands.room.doc)["tracks"]
