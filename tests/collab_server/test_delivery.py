"""What was committed is told in the same write as the edits of the tick that is due."""

from uuid import UUID

from collab_server.delivery import Delivery
from collab_server.settings import CollabSettings
from collab_server.wire import Kind
from persistence.journal import Journal
from persistence.pool import Pool
from tests.collab_server.house import House, say
from tests.collab_server.rooms import Person


def test_what_waits_is_told_first_and_once() -> None:
    """A relay carries it; the next does not, and nothing is left for the rest."""
    ada, bob = Person(10), Person(11)
    delivery = Delivery()
    delivery.wait(ada.member, b"one.")
    delivery.wait(ada.member, b"two.")
    delivery.relay([ada.member, bob.member], b"edit")
    delivery.relay([ada.member, bob.member], b"more")
    assert ada.written == [b"one.two.edit", b"more"]
    assert bob.written == [b"edit", b"more"]
    assert delivery.rest() == []


def test_who_is_told_nothing_else_or_has_fallen_behind_is_in_the_rest() -> None:
    """A slow reader is passed over by the relay, and what was committed of its own comes once."""
    ada, bob, cid = Person(10), Person(11), Person(12)
    delivery = Delivery()
    for person in (ada, bob, cid):
        delivery.wait(person.member, b"saved")
    bob.member.lag_vector = b"\0"
    delivery.relay([ada.member, bob.member], b"edit")
    assert delivery
    assert delivery.rest() == [(bob.member, b"saved"), (cid.member, b"saved")]
    assert not delivery
    assert delivery.rest() == []
    assert bob.written == cid.written == []


async def test_an_acknowledgement_goes_with_the_tick_that_is_due(pool: Pool, project: UUID) -> None:
    """While edits wait for their tick, one write tells an author of its commit and of them; else it is told at once."""
    house = House(Journal(pool), CollabSettings())
    hosted, ada = await house.open(project)
    bob = Person(20_000)
    hosted.perform(hosted.room.join(bob.member))
    hosted.perform(hosted.room.ask(bob.member, bob.doc.get_state()))
    bob.listen()
    mine, his, later = ada.track("t_1"), bob.track("t_2"), ada.track("t_3")
    say(hosted, ada, mine)
    hosted.flush_now()
    flight = hosted.room.take()
    bob.take()
    say(hosted, bob, his)
    hosted.perform(hosted.room.landed(flight, 2))
    assert ada.written == []
    hosted.flush_now()
    assert len(ada.written) == 1
    assert ada.heard() == [(Kind.UPDATE, mine), (Kind.UPDATE, his)]
    assert bob.heard() == []
    say(hosted, ada, later)
    hosted.perform(hosted.room.landed(hosted.room.take(), 3))
    assert bob.heard() == []
    hosted.flush_now()
    assert sorted(bob.heard()) == sorted([(Kind.UPDATE, his), (Kind.UPDATE, later)])
    hosted.perform(hosted.room.landed(hosted.room.take(), 4))
    assert ada.heard() == [(Kind.UPDATE, later)]
    say(hosted, bob, bob.track("t_4"))
    say(hosted, ada, ada.track("t_5"))
    hosted.flush_now()
    flight = hosted.room.take()
    bob.take()
    say(hosted, ada, ada.track("t_6"))
    hosted.perform(hosted.room.landed(flight, 5))
    hosted.tell_saved()  # somebody is about to be sent away
    assert len(bob.heard()) == 1
    hosted.close()
