"""Tests of who is told what: everybody the others' edits, once, in as few frames as there are dialects."""

from collab_server.dialects.hocuspocus import Hocuspocus
from collab_server.effects import Record, Relay
from collab_server.wire import Kind
from studio.canonical import canonical
from tests.collab_server.rooms import DIALECT, NOW_MS, SEED, Hands, Person, desk, open_room


def test_a_lone_edit_is_relayed_byte_for_byte() -> None:
    """What came in is what goes out, to everybody but its author, who waits for the commit."""
    ada, bob, cid = Person(10), Person(11), Person(12)
    hands = desk(ada, bob, cid)
    update = ada.track("t_1")
    hands.edit(ada, update)
    assert bob.heard() == cid.heard() == [(Kind.UPDATE, update)]
    assert ada.heard() == []


def test_a_relay_is_one_frame_for_everybody() -> None:
    """All listeners of a dialect get the very same bytes object."""
    people = [Person(10 + number) for number in range(5)]
    hands = desk(*people)
    hands.do(hands.room.edit(people[0].member, people[0].track("t_1")))
    effects = hands.room.tick(NOW_MS)
    relays = [effect for effect in effects if isinstance(effect, Relay)]
    assert [set(relay.to) for relay in relays] == [{person.member for person in people[1:]}]
    assert any(isinstance(effect, Record) for effect in effects)


def test_a_tick_of_many_authors_tells_each_the_others_edits() -> None:
    """Everybody hears of everybody's edits but their own, in the order of arrival."""
    ada, bob, cid = Person(10), Person(11), Person(12)
    hands = desk(ada, bob, cid)
    a1, b1 = ada.track("t_a"), bob.track("t_b")
    a2 = ada.field("tracks", "t_a", "name", "A")
    for person, update in ((ada, a1), (bob, b1), (ada, a2)):
        hands.do(hands.room.edit(person.member, update))
    hands.tick()
    assert [payload for _, payload in ada.heard()] == [b1]
    assert [payload for _, payload in bob.heard()] == [a1, a2]
    assert [payload for _, payload in cid.heard()] == [a1, b1, a2]


def test_a_drag_in_one_tick_is_one_small_update_to_the_others() -> None:
    """A run of overwrites of one field may be joined for listeners; the author is acknowledged each as it was sent."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.edit(ada, ada.track("t_1"), ada.field("tracks", "t_1", "gain_db", 0.5))
    hands.commit()
    bob.listen()
    ada.take()
    drag = [ada.field("tracks", "t_1", "gain_db", -number / 4) for number in range(1, 60)]
    hands.edit(ada, *drag)
    told = b"".join(bob.written)
    bob.listen()
    assert len(told) <= sum(map(len, drag)) + 8 * len(drag)
    assert bob.json() == ada.json() == canonical(hands.room.doc)
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is not None
    assert ada.heard() == [(Kind.UPDATE, update) for update in drag]
    late = Person(12)
    hands.join(late)
    assert late.json() == ada.json()


def test_s20_a_slow_reader_gets_one_diff_and_its_own_acknowledgements() -> None:
    """Nothing is written while it lags; then one update brings it to the present, with its acknowledgements behind."""
    ada, slow = Person(10), Person(11)
    hands = desk(ada, slow)
    mine = slow.track("t_slow")
    hands.edit(slow, mine)
    slow.member.lag_vector = hands.room.vector()
    hands.edit(ada, ada.track("t_1"))
    for number in range(100):
        hands.edit(ada, ada.field("tracks", "t_1", "gain_db", -(number % 60)))
    hands.commit()
    assert slow.written == []
    hands.do(hands.room.resync(slow.member))
    heard = slow.listen()
    assert [kind for kind, _ in heard] == [Kind.STEP2, Kind.UPDATE]
    assert heard[-1][1] == mine
    assert len(heard[0][1]) < 2_000
    ada.listen()
    assert slow.json() == ada.json() == canonical(hands.room.doc)
    assert list(hands.room.resync(slow.member)) == []


def test_a_newcomer_hears_no_edits_before_its_step1_was_answered() -> None:
    """An edit may lean on what the newcomer does not have; the answer to its Step1 has both."""
    ada, bob = Person(10), Person(11)
    hands = Hands(open_room())
    hands.join(ada)
    hands.do(hands.room.join(bob.member))
    hands.edit(ada, ada.track("t_1"))
    assert Kind.UPDATE not in {kind for kind, _ in bob.heard()}
    hands.do(hands.room.ask(bob.member, bob.doc.get_state()))
    bob.listen()
    hands.edit(ada, ada.track("t_2"))
    bob.listen()
    assert bob.json() == ada.json()


def test_in_a_mixed_room_everybody_hears_the_others_in_their_own_dialect_alone() -> None:
    """Two authors in one tick: each is told the other's edit once, in frames that its client can read."""
    address = Hocuspocus("song")
    ada, bob, cid = Person(10), Person(11, dialect=address), Person(12, dialect=address)
    hands = Hands(open_room())
    for person in (ada, bob, cid):
        hands.do(hands.room.join(person.member))
        hands.do(hands.room.ask(person.member, person.doc.get_state()))
        person.know(SEED).take()
    a, b = ada.track("t_a"), bob.track("t_b")
    for person, update in ((ada, a), (bob, b)):
        hands.do(hands.room.edit(person.member, update))
    hands.tick()
    assert ada.take() == DIALECT.update(b)
    assert bob.take() == address.update(a)
    assert cid.take() == address.update(a) + address.update(b)
