"""Tests of documents that are put away while nobody looks at them."""

import gc
import weakref
from typing import Any

import pytest
from pycrdt import Doc, Map

from collab_server.resting import BYTES_MAX, ROUNDS, Resting
from studio.blank import open_doc
from studio.canonical import canonical
from studio.watch import Touched
from tests.collab_server.rooms import SEED, Hands, Person, open_room


def quiet(resting: Resting, rounds: int = ROUNDS + 1) -> None:
    """Time passes."""
    for _ in range(rounds):
        resting.round()


def test_a_document_is_put_away_when_nobody_looks() -> None:
    """It is let go by memory, comes back the same under the same client id, and is watched as before."""
    touched: list[Touched] = []
    doc = open_doc(77)
    doc.apply_update(SEED)
    doc["transport"]["bpm"] = 99
    before, state, gone = canonical(doc), doc.get_state(), weakref.ref(doc)
    resting = Resting(doc, touched.append)
    del doc
    quiet(resting)
    gc.collect()
    assert gone() is None
    again = resting.doc
    assert (canonical(again), again.get_state(), again.client_id) == (before, state, 77)
    touched.clear()
    again["transport"]["bpm"] = 100
    assert [(note.root, note.keys) for note in touched] == [("transport", frozenset({"bpm"}))]


def test_newcomers_leave_it_where_it_is() -> None:
    """What they need is its encoded form and how far it is, and nobody has to take it out for that; nor to read it."""
    doc = open_doc(77)
    doc.apply_update(SEED)
    resting = Resting(doc, list[Touched]().append)
    awake = resting.state(), resting.vector()
    quiet(resting)
    assert resting.away
    assert (resting.state(), resting.vector()) == awake
    assert canonical(resting.glance())["transport"]["bpm"] == 120
    assert resting.away
    assert resting.glance() is not resting.doc
    assert resting.glance() is resting.doc


def test_people_come_to_a_room_that_rests_and_one_of_them_writes() -> None:
    """The first joins do not wake it; then everybody has what was there and what is written, in order."""
    ada, bob, cid = Person(10), Person(11), Person(12)
    hands = Hands(open_room())
    hands.join(ada)
    hands.edit(ada, ada.track("t_1"))
    hands.commit()
    while not hands.room.rest():
        pass
    hands.join(bob)
    assert hands.room.rest(1)
    assert bob.json() == ada.json()
    hands.edit(bob, bob.track("t_2"))
    hands.join(cid)
    assert cid.json() == bob.json()
    assert {"t_1", "t_2"} <= set(cid.json()["tracks"])


def test_in_a_crowd_it_is_put_away_after_one_round() -> None:
    """Whoever looks in every round keeps it all the same."""
    resting = Resting(open_doc(77), list[Touched]().append)
    for _ in range(3):
        assert resting.doc is not None
        resting.round(1)
        assert not resting.away
    resting.round(1)
    assert resting.away


def test_who_looks_keeps_it() -> None:
    """A look in every round, or one round less than it takes, and it stays where it is."""
    resting = Resting(open_doc(77), list[Touched]().append)
    doc = resting.doc
    for _ in range(3 * ROUNDS):
        quiet(resting, ROUNDS)
        assert resting.doc is doc


def test_a_large_document_stays() -> None:
    """Taking it out again would hold the event loop."""
    doc: Doc[Any] = open_doc(77)
    doc.get("notes", type=Map)["n_1"] = Map({"body": "x" * (BYTES_MAX + 1)})
    resting = Resting(doc, list[Touched]().append)
    quiet(resting)
    assert resting.doc is doc


def test_a_room_goes_on_after_its_document_was_put_away() -> None:
    """Newcomers, edits, repairs and slow readers find everything as it was, again and again."""
    ada, bob = Person(10), Person(11)
    hands = Hands(open_room())
    hands.join(ada)
    hands.edit(ada, ada.track("t_1", gain_db="loud"))
    for number in range(3):
        hands.commit()
        for _ in range(ROUNDS + 1):
            hands.room.rest()
        hands.edit(ada, ada.field("tracks", "t_1", "name", f"{number}"), ada.field("tracks", "t_1", "pan", 7))
        ada.listen()
    for _ in range(ROUNDS + 1):
        hands.room.rest()
    hands.join(bob)
    assert ada.json() == bob.json() == canonical(hands.room.doc)
    assert bob.json()["tracks"]["t_1"]["name"] == "2"
    assert bob.json()["tracks"]["t_1"]["pan"] == 1


def test_what_is_applied_unnoticed_is_there_without_a_note() -> None:
    """Whoever brings it knows what it touches; what comes after is noted again, also when it could not be applied."""
    touched: list[Touched] = []
    source = open_doc(5)
    source.apply_update(SEED)
    source["transport"]["bpm"] = 99
    doc = open_doc(77)
    doc.apply_update(SEED)
    resting = Resting(doc, touched.append)
    resting.apply_unnoticed([source.get_update(doc.get_state())])
    assert resting.doc["transport"]["bpm"] == 99
    assert touched == []
    with pytest.raises(ValueError, match="decode"):
        resting.apply_unnoticed([b"\x01\x01\x01"])
    doc["transport"]["bpm"] = 100
    assert [note.root for note in touched] == ["transport"]
