"""Tests of the room: what goes in, what comes out, and when."""

import math
from typing import Any
from uuid import uuid4

import pytest
from pycrdt import Doc, Map

from collab_server.closing import CloseCode
from collab_server.effects import Expel, Spoil, Tick
from collab_server.gate.awareness import Entry as PresenceEntry
from collab_server.gate.awareness import encode as encode_presence
from collab_server.gate.limits import TRUSTED
from collab_server.gate.shape import Shape
from collab_server.gate.update import inspect
from collab_server.join_state import EMPTY_VECTOR
from collab_server.room import Room
from collab_server.settings import Limits
from collab_server.wire import EMPTY_UPDATE, Kind
from persistence.body import Entry, decode
from studio.canonical import canonical
from tests.collab_server.rooms import (
    NOW_MS,
    PROJECT,
    REPAIRER,
    SEED,
    Hands,
    Person,
    desk,
    expelled,
    open_room,
    replay,
)

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
    hands.do(hands.room.present(ada.member, encode_presence([PresenceEntry(10, 1, '{"cursor":4}')]), 0.0))
    hands.do(hands.room.join(bob.member))
    (_, step1), (kind, payload) = bob.heard()
    assert step1 == hands.room.doc.get_state()
    assert (kind, payload) == (Kind.AWARENESS, hands.room.roster.snapshot())


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


# ---------------------------------------------------------------------- repair


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "loud", True, 1e308, "nested"], ids=str)
def test_s7_nobody_hears_an_invalid_value_without_its_repair(value: object) -> None:
    """What breaks the schema is repaired in the same write in which the others hear of it, and its author too."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.edit(ada, ada.track("t_1"))
    bob.listen()
    hands.edit(ada, ada.field("tracks", "t_1", "gain_db", Map() if value == "nested" else value))
    assert len(bob.written) == 1
    bob.listen()
    ada.listen()
    gain = bob.json()["tracks"]["t_1"]["gain_db"]
    assert isinstance(gain, int | float)
    assert not isinstance(gain, bool)
    assert math.isfinite(gain)
    assert abs(gain) < 200
    assert ada.json() == bob.json() == canonical(hands.room.doc)
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is not None
    assert (None, "repair") in {(change.author_id, change.origin) for change in flight.batch.changes}


def test_n5_a_forged_author_becomes_the_servers() -> None:
    """The author and time of a new note are those the server saw."""
    ada = Person(10)
    hands = desk(ada)
    hands.edit(ada, ada.note("n_1", "mine", author=str(uuid4()), at=5.0))
    note = canonical(hands.room.doc)["notes"]["n_1"]
    assert note["author"] == str(ada.user)
    assert note["at"] == NOW_MS


def test_what_an_older_server_let_pass_is_repaired_at_load() -> None:
    """A loaded document with an invalid value opens repaired, and the repair waits for the journal."""
    broken = Person(10).know(SEED).put("transport", "bpm", "fast")
    room = open_room([broken], clients={10: uuid4()})
    assert canonical(room.doc)["transport"]["bpm"] == 120
    flight = room.take()
    assert flight.batch is not None
    assert [change.origin for change in flight.batch.changes] == ["repair"]
    entries = [Entry(None, broken), *decode(flight.batch.body)]
    assert canonical(replay([entries])) == canonical(room.doc)


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


# ---------------------------------------------------------------------- other nodes, slow readers, spoiled rooms


def test_rows_of_other_nodes_are_applied_told_and_built_upon() -> None:
    """`grow` moves the head, tells everybody, and later updates may lean on what it brought."""
    ada, far = Person(10), Person(20)
    hands = desk(ada)
    far.know(SEED)
    row = far.track("t_far")
    hands.do(hands.room.grow(2, [Entry(far.user, row)]))
    assert hands.room.head == 2
    assert ada.listen() == [(Kind.UPDATE, row)]
    assert not hands.record_due
    hands.edit(ada, ada.field("tracks", "t_far", "name", "together"))
    assert canonical(hands.room.doc)["tracks"]["t_far"]["name"] == "together"


def test_a_row_heard_twice_changes_nothing() -> None:
    """The bus may repeat itself, and a node may hear of its own row."""
    ada = Person(10)
    hands = desk(ada)
    update = ada.track("t_1")
    hands.edit(ada, update)
    hands.commit()
    before = canonical(hands.room.doc)
    hands.do(hands.room.grow(2, [Entry(ada.user, update)]))
    assert canonical(hands.room.doc) == before
    assert hands.room.head == 2


def test_a_row_that_cannot_be_applied_spoils_the_room() -> None:
    """What yrs cannot take from the journal means that the document in memory is not to be trusted, nor is it what the
    journal holds up to that row."""
    hands = desk(Person(10))
    (effect,) = hands.room.grow(2, [Entry(None, b"\x01\x01\x01")])
    assert isinstance(effect, Spoil)
    assert hands.room.head == 1


class FailingDoc(Doc[Any]):
    """A document that takes nothing more once it fails."""

    fails = False

    def apply_update(self, update: bytes) -> None:
        if self.fails:
            raise ValueError("no more")
        super().apply_update(update)


def test_what_yrs_fails_to_apply_when_somebody_looks_is_never_acknowledged() -> None:
    """Sound edits are applied when they are needed: if that fails on the way to an answer, the next flush fails too."""
    doc = FailingDoc(client_id=REPAIRER)
    doc.apply_update(SEED)
    shape = Shape(TRUSTED)
    shape.learn(shape.plan(inspect(SEED, TRUSTED)))
    hands, ada, bob = Hands(Room(PROJECT, 1, 1, doc, shape, {}, Limits(), len(SEED))), Person(10), Person(11)
    hands.join(ada)
    hands.edit(ada, ada.track("t_1"))
    hands.commit()
    hands.edit(ada, ada.field("tracks", "t_1", "gain_db", -1.0))
    hands.commit()
    ada.take()
    hands.edit(ada, ada.field("tracks", "t_1", "gain_db", -2.0))
    doc.fails = True
    with pytest.raises(ValueError, match="no more"):
        hands.room.ask(bob.member, EMPTY_VECTOR)
    hands.commit()
    assert ada.take() == b""
    assert hands.spoiled == "ValueError while applying an update"


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
    (effect,) = hands.room.present(eve.member, b"\x05\x01", 0.0)
    assert isinstance(effect, Expel)
    assert effect.code == CloseCode.MALFORMED
    large = encode_presence([PresenceEntry(66, 1, '{"x":"' + "y" * 5_000 + '"}')])
    (effect,) = hands.room.present(eve.member, large, 0.0)
    assert isinstance(effect, Expel)
    assert effect.code == CloseCode.TOO_LARGE
