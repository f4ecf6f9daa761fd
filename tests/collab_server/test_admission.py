"""Tests of what a room lets in: gaps and repeats, other lineages, junk, too much, and what was collected."""

import pytest

from collab_server.closing import CloseCode
from collab_server.effects import KeepDraft, Send
from collab_server.gate.limits import TRUSTED
from collab_server.gate.limits import Limits as GateLimits
from collab_server.gate.update import inspect
from collab_server.gate.vector import inspect_vector
from collab_server.settings import Limits
from collab_server.wire import Kind
from persistence.body import decode
from studio.blank import open_doc
from studio.canonical import canonical
from tests.collab_server.gate.forge import Section, Struct, encode
from tests.collab_server.rooms import DIALECT, Hands, Person, desk, expelled, open_room


def test_s2_an_update_before_its_predecessor_is_not_applied_but_asked_for() -> None:
    """A gap is answered with Step1; the client's answer to it brings everything and all agree."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    ada.track("t_1")
    second = ada.field("tracks", "t_1", "name", "Bass")
    (effect,) = hands.room.edit(ada.member, second)
    assert isinstance(effect, Send)
    assert effect.data == DIALECT.step1(hands.room.doc.get_state())
    assert "t_1" not in hands.room.doc["tracks"]
    hands.do(hands.room.edit(ada.member, ada.doc.get_update(hands.room.doc.get_state()), merge=True))
    hands.tick()
    bob.listen()
    assert bob.json() == ada.json() == canonical(hands.room.doc)


def test_s2_a_deletion_of_what_is_unknown_is_a_gap_too() -> None:
    """A delete set that names clocks nobody has is not applied."""
    ada = Person(10)
    hands = desk(ada)
    (effect,) = hands.room.edit(ada.member, encode([], {10: [(0, 3)]}))
    assert isinstance(effect, Send)
    assert not hands.room.gathering


def test_s3_the_same_update_three_times_is_one_row() -> None:
    """Repeats change nothing, tell nobody and are recorded nowhere, but each is acknowledged."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    update = ada.track("t_1")
    hands.edit(ada, update)
    first = hands.commit()
    assert first is not None
    assert first.batch is not None
    bob.take()
    ada.take()
    for _ in range(2):
        hands.edit(ada, update)
        again = hands.commit()
        assert again is not None
        assert again.batch is None
        assert ada.heard() == [(Kind.UPDATE, update)]
    assert bob.heard() == []
    assert hands.room.head == 2


def test_s3_repeats_within_one_tick_are_told_once() -> None:
    """The same update three times between two ticks is one edit to everybody else."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    update = ada.track("t_1")
    hands.edit(ada, update, update, update)
    assert bob.heard() == [(Kind.UPDATE, update)]
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is not None
    assert [entry.update for entry in decode(flight.batch.body)] == [update]
    assert ada.heard() == [(Kind.UPDATE, update)] * 3


def test_s1_work_of_another_lineage_is_kept_as_a_draft() -> None:
    """A Step2 that brings its own project facts is merged with nothing, kept, and its author told 4409."""
    eve = Person(66)
    hands = desk(eve)
    before = canonical(hands.room.doc)
    stranger = Person(67)
    foreign = stranger.put("meta", "name", "Another song")
    hands.do(hands.room.edit(eve.member, foreign, merge=True))
    assert hands.drafts == [KeepDraft(eve.member, foreign)]
    assert expelled(hands, eve) == CloseCode.EPOCH_CHANGED
    assert canonical(hands.room.doc) == before


def test_s1_of_another_lineage_even_deletions_are_kept() -> None:
    """A copy of an earlier epoch comes with the project's facts, which are known, and a deletion, which is not; without
    one it has nothing to tell."""
    ada, eve, again = Person(10), Person(66), Person(67)
    hands = desk(ada, eve, again)
    hands.edit(ada, ada.track("t_1"))
    copy = Person(68).know(hands.room.state())
    hands.do(hands.room.edit(eve.member, copy.doc.get_update(), merge=True))
    assert (hands.drafts, expelled(hands, eve)) == ([], None)
    copy.edit(lambda roots: roots["tracks"].pop("t_1"))
    hands.do(hands.room.edit(again.member, copy.doc.get_update(), merge=True))
    assert expelled(hands, again) == CloseCode.EPOCH_CHANGED
    assert [draft.member for draft in hands.drafts] == [again.member]
    assert "t_1" in canonical(hands.room.doc)["tracks"]


@pytest.mark.parametrize("update", [b"", b"\x01", b"\x00", b"\x00\x00\x00", b"\x05" * 40, b"\xff" * 30])
def test_s4_junk_ends_that_connection_alone(update: bytes) -> None:
    """Cut, trailing or random bytes: 4400 for their sender, nothing for anybody else."""
    ada, eve = Person(10), Person(66)
    hands = desk(ada, eve)
    hands.edit(eve, update)
    assert expelled(hands, eve) == CloseCode.MALFORMED
    assert expelled(hands, ada) is None
    assert ada.heard() == []


def test_s4_too_much_is_4413() -> None:
    """An update over the limit, and one that would make the document too large, end their connection."""
    ada, bob = Person(10), Person(11)
    hands = Hands(open_room(limits=Limits(update_bytes_max=5_000, document_bytes_max=6_000)))
    hands.join(ada, bob)
    hands.edit(ada, ada.note("n_1", "x" * 5_000))
    assert expelled(hands, ada) == CloseCode.TOO_LARGE
    hands.edit(bob, bob.note("n_2", "x" * 3_000))
    assert expelled(hands, bob) is None
    hands.edit(bob, bob.note("n_3", "x" * 3_000))
    assert expelled(hands, bob) == CloseCode.TOO_LARGE


@pytest.mark.parametrize("deleted", [True, False])
def test_an_item_whose_beginning_was_collected_goes_on_only_in_what_is_deleted(deleted: bool) -> None:
    """Somebody typed on offline in a note that is gone: that is welcome, and has no effect. In a note that lives yrs
    would put the rest where no copy has it."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.edit(ada, ada.note("n_1", "la", author=str(ada.user)))
    bob.listen()
    state = hands.room.state()
    if deleted:
        hands.edit(bob, bob.edit(lambda roots: roots["notes"].pop("n_1")))
    body = next(id for id, kind in inspect(state, TRUSTED).types.items() if kind == 2)
    clock = inspect_vector(hands.room.vector(), GateLimits())[10]
    hands.edit(ada, encode([Section(10, clock, [Struct(0, 2, b"\x02")])], {}))
    hands.edit(ada, encode([Section(10, clock, [Struct(4, 4, b"\x04ssss", parent=body)])], {}))
    assert expelled(hands, ada) == (None if deleted else CloseCode.MALFORMED)
    copy = open_doc()
    copy.apply_update(hands.room.state())
    assert canonical(copy) == canonical(hands.room.doc)
    assert not deleted or canonical(copy)["notes"] == {}
