"""Tests of the room: what goes in, what comes out, and when."""

import pytest

from collab_server.closing import CloseCode
from collab_server.effects import Expel, Tick
from collab_server.gate.awareness import Entry as PresenceEntry
from collab_server.gate.awareness import encode as encode_presence
from collab_server.settings import Limits
from collab_server.wire import EMPTY_UPDATE, Kind
from persistence.body import decode
from studio.canonical import canonical
from tests.collab_server.rooms import NOW_MS, SEED, Hands, Person, desk, expelled, open_room, replay

# ---------------------------------------------------------------------- coming and going


def test_a_newcomer_is_asked_what_it_has() -> None:
    """Joining sends Step1 with the room's state vector, and no presence while nobody is present."""
    hands, person = Hands(open_room()), Person(10)
    hands.do(hands.room.join(person.member))
    assert person.heard() == [(Kind.STEP1, hands.room.doc.get_state())]


def test_a_newcomer_hears_who_is_here() -> None:
    """Joining a room with somebody in it sends their presence right behind Step1."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada)
    hands.do(hands.room.attendance.hear(ada.member, encode_presence([PresenceEntry(10, 1, '{"cursor":4}')]), 0.0))
    hands.do(hands.room.join(bob.member))
    (_, step1), (kind, payload) = bob.heard()
    assert step1 == hands.room.doc.get_state()
    assert (kind, payload) == (Kind.AWARENESS, hands.room.roster.snapshot())


def test_presence_asks_for_one_tick_at_a_time() -> None:
    """What is said before the tick is told by it; what is said after it asks for the next."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    for turn in range(1, 4):
        for person, client in ((ada, 10), (bob, 11)):
            said = encode_presence([PresenceEntry(client, turn, f'{{"turn":{turn}}}')])
            effects = hands.room.attendance.hear(person.member, said, 0.0)
            assert bool(effects) == (person is ada)
            hands.do(effects)
        ada.take()
        hands.presence_tick()
        (_, told), *others = ada.heard()
        assert told.count(f'"turn":{turn}'.encode()) == 2
        assert not others
        assert not hands.presence_due


def test_asking_with_nothing_gives_everything() -> None:
    """Step1 with an empty vector is answered with the whole document."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada)
    hands.edit(ada, ada.track("t_1"))
    hands.join(bob)
    assert bob.json() == ada.json() == canonical(hands.room.doc)


def test_asking_with_a_vector_gives_what_is_missing() -> None:
    """Step1 is answered with the difference alone."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    before = bob.doc.get_state()
    hands.edit(ada, ada.track("t_1", name="x" * 60))
    hands.do(hands.room.ask(bob.member, before))
    answers = [payload for kind, payload in bob.heard() if kind is Kind.STEP2]
    assert [len(answer) < len(SEED) for answer in answers] == [True]
    bob.doc.apply_update(answers[0])
    assert bob.json() == ada.json()


@pytest.mark.parametrize("vector", [b"", b"\x05", b"\x01\x01", b"\x00\x00", b"\xff" * 9])
def test_s4_a_broken_vector_ends_that_connection_alone(vector: bytes) -> None:
    """A state vector that is cut, lies about its count or has trailing bytes is answered with 4400."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.do(hands.room.ask(ada.member, vector))
    assert {member: code for member, (code, _) in hands.expelled.items()} == {ada.member: CloseCode.MALFORMED}


def test_leaving_keeps_what_was_written() -> None:
    """Who leaves before the tick has still edited."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.do(hands.room.edit(ada.member, ada.track("t_1")))
    hands.do(hands.room.leave(ada.member))
    hands.tick()
    bob.listen()
    assert bob.json() == ada.json()
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is not None


# ---------------------------------------------------------------------- the way of an edit


def test_an_edit_waits_for_the_tick_and_asks_for_one() -> None:
    """The first edit asks for a tick, the second rides along; both are told in one write."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    first, second = ada.track("t_1"), ada.field("tracks", "t_1", "name", "Bass")
    assert list(hands.room.edit(ada.member, first)) == [Tick()]
    assert list(hands.room.edit(ada.member, second)) == []
    assert hands.room.gathering
    hands.do(hands.room.tick(NOW_MS))
    assert len(bob.written) == 1
    bob.listen()
    assert bob.json() == ada.json() == canonical(hands.room.doc)


def test_acknowledged_only_after_the_commit_in_order_and_byte_for_byte() -> None:
    """Each edit comes back to its author as it was sent, first in first out, and only when its flight has landed."""
    ada = Person(10)
    hands = desk(ada)
    updates = [ada.track("t_1"), *(ada.field("tracks", "t_1", "gain_db", -number) for number in range(1, 9))]
    hands.edit(ada, *updates[:4])
    flight = hands.room.take()
    hands.edit(ada, *updates[4:])
    assert ada.heard() == []
    hands.do(hands.room.landed(flight, 2))
    assert ada.heard() == [(Kind.UPDATE, update) for update in updates[:4]]
    hands.commit()
    assert ada.heard() == [(Kind.UPDATE, update) for update in updates[4:]]
    assert hands.room.head == 3


def test_the_journal_says_who_changed_what() -> None:
    """A flight carries the updates with their authors, the changed paths and the client ids that are new."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.edit(ada, ada.track("t_1"))
    bob.listen()
    hands.edit(bob, bob.field("tracks", "t_1", "name", "Bass"))
    hands.edit(bob, bob.put("transport", "bpm", 90))
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is not None
    changes = {change.author_id: (change.origin, change.edits, change.paths) for change in flight.batch.changes}
    assert changes == {
        ada.user: ("edit", 1, ("tracks/t_1",)),
        bob.user: ("edit", 2, ("tracks/t_1/name", "transport/bpm")),
    }
    assert dict(flight.batch.clients) == {10: ada.user, 11: bob.user}
    entries = decode(flight.batch.body)
    assert [entry.author for entry in entries][:1] == [ada.user]
    assert canonical(replay([entries])) == ada.json() | bob.json()


def test_an_empty_update_is_nothing() -> None:
    """The empty Step2 of a newcomer with nothing to add is neither told, recorded nor acknowledged."""
    ada = Person(10)
    hands = desk(ada)
    assert list(hands.room.edit(ada.member, EMPTY_UPDATE, merge=True)) == []
    assert not hands.room.gathering


def test_a_deletion_alone_is_told_and_recorded_once() -> None:
    """An update without structs counts while its deletions are news."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.edit(ada, ada.track("t_1", spare=1))
    hands.commit()
    bob.listen()
    ada.take()
    update = ada.edit(lambda roots: roots["tracks"]["t_1"].pop("spare"))
    assert update[0] == 0
    hands.edit(ada, update)
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is not None
    bob.listen()
    assert "spare" not in bob.json()["tracks"]["t_1"]
    hands.edit(ada, update)
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is None
    assert bob.heard() == []


# ---------------------------------------------------------------------- offline work


def test_s1_much_offline_work_is_preceded_by_a_snapshot() -> None:
    """A Step2 of many edits asks for a snapshot of the document as it was; a few edits do not."""
    ada = Person(10)
    hands = desk(ada)
    hands.edit(ada, ada.track("t_1"))
    before = hands.room.state()
    for number in range(500):
        ada.field("tracks", "t_1", "gain_db", -(number % 60))
    hands.do(hands.room.edit(ada.member, ada.doc.get_update(hands.room.doc.get_state()), merge=True))
    assert hands.snapshots == [(ada.member, before)]
    hands.tick()
    assert canonical(hands.room.doc) == ada.json()
    ada.field("tracks", "t_1", "name", "a few more")
    hands.do(hands.room.edit(ada.member, ada.doc.get_update(hands.room.doc.get_state()), merge=True))
    assert len(hands.snapshots) == 1


def test_s1_an_answer_may_repeat_what_came_meanwhile_and_was_collected() -> None:
    """Step2 answers a state vector that is older than the updates sent since: of what its author has collected, a part
    is known here as living values, a part is not."""
    ada = Person(10)
    hands = desk(ada)
    hands.edit(ada, ada.track("t_1"))
    asked = hands.room.vector()
    hands.edit(ada, ada.field("tracks", "t_1", "name", "heard"))
    ada.field("tracks", "t_1", "gain_db", -6)
    ada.track("t_1", name="made anew")
    hands.do(hands.room.edit(ada.member, ada.doc.get_update(asked), merge=True))
    hands.tick()
    assert not hands.expelled
    assert canonical(hands.room.doc) == ada.json()


# ---------------------------------------------------------------------- what is refused


def test_a_full_project_takes_deletions_and_values_but_nothing_that_makes_it_grow() -> None:
    """Beyond its limit neither entries nor texts come in; what is there may be changed, and marked as deleted."""
    ada, limits = Person(10), Limits(document_bytes_max=6_000)
    hands = Hands(open_room(limits=limits))
    hands.join(ada)
    hands.edit(ada, ada.note("n_1", "x" * 2_000, author=str(ada.user)), ada.track("t_1"))
    while not hands.expelled:
        hands.edit(ada, ada.edit(lambda roots: roots["notes"]["n_1"]["body"].insert(1, "y" * 100)))
    assert expelled(hands, ada) == CloseCode.TOO_LARGE
    assert len(hands.room.state()) < 6_000
    again = Person(11, user=ada.user).know(hands.room.state())
    hands.join(again)
    hands.edit(again, again.field("tracks", "t_1", "gain_db", -1.0), again.field("notes", "n_1", "deleted", [1, "x"]))
    assert expelled(hands, again) is None
    hands.edit(again, again.track("t_2"))
    assert expelled(hands, again) == CloseCode.TOO_LARGE


def test_presence_offences_end_their_connection() -> None:
    """An awareness payload that cannot be read is 4400, one with an oversized state 4413."""
    eve = Person(66)
    hands = desk(eve)
    (effect,) = hands.room.attendance.hear(eve.member, b"\x05\x01", 0.0)
    assert isinstance(effect, Expel)
    assert effect.code == CloseCode.MALFORMED
    large = encode_presence([PresenceEntry(66, 1, '{"x":"' + "y" * 5_000 + '"}')])
    (effect,) = hands.room.attendance.hear(eve.member, large, 0.0)
    assert isinstance(effect, Expel)
    assert effect.code == CloseCode.TOO_LARGE
