"""Tests of a room and the rows of other nodes, and of a document that is not to be trusted any more."""

from typing import Any, cast

import pytest
from pycrdt import Doc

from collab_server.effects import Spoil
from collab_server.gate.limits import TRUSTED
from collab_server.gate.shape import Shape
from collab_server.gate.update import inspect
from collab_server.room import Room
from collab_server.settings import Limits
from collab_server.wire import Kind
from persistence.body import Entry
from studio.canonical import canonical
from tests.collab_server.rooms import PROJECT, REPAIRER, SEED, Hands, Person, desk


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


class Failing:
    """yrs' side of a document, which takes nothing more once it fails."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self.fails = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def apply_update(self, transaction: Any, update: bytes) -> None:
        """As yrs does, or not."""
        if self.fails:
            raise ValueError("no more")
        self._raw.apply_update(transaction, update)


def test_what_yrs_fails_to_apply_when_somebody_looks_is_never_acknowledged() -> None:
    """Sound edits are applied when they are needed: if that fails on the way to an answer, the next flush fails too."""
    doc: Doc[Any] = Doc(client_id=REPAIRER)
    raw = Failing(doc._doc)
    doc._doc = cast(Any, raw)
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
    raw.fails = True
    with pytest.raises(ValueError, match="no more"):
        hands.room.ask(bob.member, bob.know(SEED).doc.get_state())
    hands.commit()
    assert ada.take() == b""
    assert hands.spoiled == "ValueError while applying an update"


def test_an_answer_that_a_row_overtakes_is_still_told_as_an_answer() -> None:
    """Two tabs have given the same bytes, and a row of another node is told before their tick: neither hears the
    other's as the acknowledgement of its own."""
    ada, bob, far = Person(10), Person(11), Person(20)
    hands = desk(ada, bob)
    far.know(SEED)
    answer = ada.track("t_1")
    for person in (ada, bob):
        hands.do(hands.room.edit(person.member, answer, merge=True))
    hands.do(hands.room.grow(2, [Entry(far.user, far.track("t_far"))]))
    hands.tick()
    for person in (ada, bob):
        assert (Kind.UPDATE, answer) not in person.heard()
    hands.commit()
    for person in (ada, bob):
        assert person.heard()[-1] == (Kind.UPDATE, answer)
