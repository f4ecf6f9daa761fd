"""Restricted editors: the whole update is decided before anything of it is known, and nobody else notices."""

from collections.abc import Callable
from typing import Any

import pytest
from pycrdt import Map, merge_updates

from collab_server.closing import CloseCode
from collab_server.wire import Kind
from persistence.body import Entry
from studio.canonical import canonical
from studio.restriction import Restriction
from studio.roles import Role
from tests.collab_server.author import Author
from tests.collab_server.restrictions import KINDS, MARKERS, MINE, MIX, desk, entity, held
from tests.collab_server.rooms import Person


def both(author: Author) -> bytes:
    """One allowed and one forbidden edit, whoever is restricted how, in one update."""
    return merge_updates(
        author.field("tracks", "t_mine", "gain_db", -3), author.marker("m_2", 5, "x"), author.put("transport", "bpm", 9)
    )


EDITS: dict[str, tuple[str, Callable[[Author], bytes]]] = {
    "a fader of mine": ("mix tracks", lambda a: a.field("tracks", "t_mine", "gain_db", -3)),
    "a fader of another": ("mix", lambda a: a.field("tracks", "t_other", "gain_db", -3)),
    "a mute": ("mix", lambda a: a.field("tracks", "t_other", "mute", True)),
    "a name": ("", lambda a: a.field("tracks", "t_other", "name", "x")),
    "my track's name": ("tracks", lambda a: a.field("tracks", "t_mine", "name", "x")),
    "a new track": ("", lambda a: a.track("t_new")),
    "a deleted track": ("", lambda a: a.edit(lambda roots: roots["tracks"].pop("t_other"))),
    "a replaced track": ("", lambda a: a.track("t_other")),
    "a clip of mine": ("tracks", lambda a: a.field("clips", "c_mine", "pos", 960)),
    "a clip of another": ("", lambda a: a.field("clips", "c_other", "pos", 960)),
    "a clip given away": ("", lambda a: a.field("clips", "c_mine", "track", "t_other")),
    "a clip taken": ("", lambda a: a.field("clips", "c_other", "track", "t_mine")),
    "a clip removed": ("tracks", lambda a: a.edit(lambda roots: roots["clips"].pop("c_mine"))),
    "another's clip removed": ("", lambda a: a.edit(lambda roots: roots["clips"].pop("c_other"))),
    "a new clip on mine": ("tracks", lambda a: entity(a, "clips", "c_new", track="t_mine", pos=0, take="c_new")),
    "a new clip on another": ("", lambda a: entity(a, "clips", "c_new", track="t_other", pos=0, take="c_new")),
    "a note of mine": ("tracks", lambda a: a.put("events", "c_mine/n_2", [0, 240, 60, 0.5])),
    "a note of another": ("", lambda a: a.put("events", "c_other/n_2", [0, 240, 60, 0.5])),
    "an effect of mine": ("mix tracks", lambda a: a.field("effects", "e_mine", "p.cutoff", 3)),
    "an effect of another": ("mix", lambda a: a.field("effects", "e_other", "p.cutoff", 3)),
    "an effect stolen": ("mix", lambda a: a.field("effects", "e_other", "track", "t_mine")),
    "a point of mine": ("mix tracks", lambda a: a.put("points", "t_mine.gain/p_2", [0, 0.5, 1])),
    "a point of another": ("mix", lambda a: a.edit(lambda roots: roots["points"].pop("t_other.gain/p_1"))),
    "a send of mine": ("mix tracks", lambda a: a.field("sends", "t_mine>master", "gain_db", -6)),
    "a send of another": ("mix", lambda a: a.field("sends", "t_other>master", "gain_db", -6)),
    "a marker": ("markers", lambda a: a.marker("m_2", 960, "Verse")),
    "a marker's label": ("markers", lambda a: a.field("markers", "m_1", "label", "Verse")),
    "a marker removed": ("markers", lambda a: a.edit(lambda roots: roots["markers"].pop("m_1"))),
    "the tempo": ("", lambda a: a.put("transport", "bpm", 90)),
    "the loudness aimed at": ("mix", lambda a: a.put("transport", "master_target_lufs", -9)),
    "a tempo row": ("", lambda a: a.put("tempo", "q_1", [0, 90, 0])),
    "an arrangement": ("", lambda a: a.put("arrangement", "s_1", {"order": "a", "name": "A", "bars": 4})),
    "a remark": ("mix markers tracks", lambda a: a.note("n_1", "Louder?")),
    "something hidden in a merged update": ("", both),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("edit", EDITS)
def test_a_restricted_editor_writes_what_the_restriction_says(kind: str, edit: str) -> None:
    """What is allowed arrives at everybody; anything else changes nothing, and its author is told and closed."""
    allowed, make = EDITS[edit]
    hands, ada, bob = desk(KINDS[kind])
    before = held(hands)
    hands.edit(bob, make(bob))
    if kind in allowed.split():
        assert bob.member not in hands.expelled
        ada.listen()
        assert ada.json() == held(hands) != before
    else:
        code, reason = hands.expelled[bob.member]
        assert (code, reason.split(":")[0]) == (CloseCode.NOT_ALLOWED, "restricted")
        assert [said for said, _ in bob.heard()] == [Kind.AUTH]
        assert held(hands) == before
        assert ada.heard() == []
        assert hands.commit() is None


@pytest.mark.parametrize("kind", KINDS)
def test_after_a_refusal_the_same_person_may_come_back_with_a_new_document(kind: str) -> None:
    """Nothing of the refused update is known: its client id is free, and allowed work goes on."""
    hands, ada, bob = desk(KINDS[kind])
    hands.edit(bob, bob.put("transport", "bpm", 90))
    again = Person(12, user=bob.user)
    hands.join(again)
    again.member.become(Role.EDITOR, KINDS[kind])
    hands.edit(again, again.note("n_1", "Sorry."))
    assert again.member not in hands.expelled
    hands.edit(ada, ada.put("transport", "bpm", 100))
    again.listen()
    assert again.json() == held(hands)


@pytest.mark.parametrize("restriction", [MIX, MINE])
def test_everyday_overwrites_are_decided_before_the_room_knows_them(restriction: Restriction) -> None:
    """A long drag stays on the express lane, and the first step of a forbidden one ends it."""
    hands, ada, bob = desk(None)
    for field, start in (("gain_db", -1), ("name", "a")):
        hands.edit(bob, bob.field("tracks", "t_other" if field == "name" else "t_mine", field, start))
    bob.member.become(Role.EDITOR, restriction)
    hands.edit(bob, *[bob.field("tracks", "t_mine", "gain_db", -step) for step in range(2, 40)])
    assert bob.member not in hands.expelled
    hands.edit(bob, bob.field("tracks", "t_other", "name", "b"))
    assert hands.expelled[bob.member][0] == CloseCode.NOT_ALLOWED
    ada.listen()
    assert ada.json() == held(hands)
    assert (ada.json()["tracks"]["t_mine"]["gain_db"], ada.json()["tracks"]["t_other"]["name"]) == (-39, "a")


def test_an_everyday_overwrite_may_not_delete_elsewhere() -> None:
    """An allowed fader with a deletion of the author's own earlier work beside it goes the long way, and is refused."""
    hands, ada, bob = desk(None)
    hands.edit(bob, bob.track("t_bob"), bob.field("tracks", "t_mine", "gain_db", -1))
    bob.member.become(Role.EDITOR, MIX)

    def trick(roots: dict[str, "Map[Any]"]) -> None:
        roots["tracks"]["t_mine"]["gain_db"] = -2.0
        del roots["tracks"]["t_bob"]

    hands.edit(bob, bob.edit(trick))
    assert hands.expelled[bob.member][0] == CloseCode.NOT_ALLOWED
    assert "t_bob" in canonical(hands.room.doc)["tracks"]
    ada.listen()
    assert ada.json() == held(hands)


def test_what_waits_for_the_tick_counts() -> None:
    """A clip that another member has just moved away is not mine any more, before the room has applied it."""
    hands, ada, bob = desk(MINE)
    hands.do(hands.room.edit(ada.member, ada.field("clips", "c_mine", "track", "t_other")))
    hands.do(hands.room.edit(bob.member, bob.field("clips", "c_mine", "pos", 960)))
    assert hands.expelled[bob.member][0] == CloseCode.NOT_ALLOWED
    hands.tick()
    assert canonical(hands.room.doc)["clips"]["c_mine"]["track"] == "t_other"


def test_a_drag_of_a_clip_ends_when_somebody_moves_it_away() -> None:
    """Steps of an everyday drag are allowed as long as the clip is on a chosen track, wherever the move comes from."""
    for elsewhere in (False, True):
        hands, ada, bob = desk(None)
        hands.edit(bob, bob.field("clips", "c_mine", "pos", 0))
        bob.member.become(Role.EDITOR, MINE)
        hands.edit(bob, *[bob.field("clips", "c_mine", "pos", 960 * step) for step in range(1, 9)])
        ada.listen()
        away = ada.field("clips", "c_mine", "track", "t_other")
        if elsewhere:
            hands.do(hands.room.grow(hands.room.head + 1, [Entry(ada.user, away)]))
        else:
            hands.do(hands.room.edit(ada.member, away))
        assert bob.member not in hands.expelled
        hands.do(hands.room.edit(bob.member, bob.field("clips", "c_mine", "pos", 0)))
        assert hands.expelled[bob.member][0] == CloseCode.NOT_ALLOWED
        hands.tick()
        assert canonical(hands.room.doc)["clips"]["c_mine"]["pos"] == 7680


def test_saying_again_what_is_known_is_no_offence() -> None:
    """The Step2 of a stock client repeats every deletion: nothing is news, whatever it touches."""
    hands, ada, bob = desk(None)
    hands.edit(ada, ada.field("tracks", "t_other", "name", "b"), ada.edit(lambda roots: roots["points"].clear()))
    bob.listen()
    bob.member.become(Role.EDITOR, MARKERS)
    hands.do(hands.room.edit(bob.member, bob.doc.get_update(hands.room.vector()), merge=True))
    assert bob.member not in hands.expelled


def test_offline_work_is_decided_like_any_other() -> None:
    """A Step2 with forbidden work in it, deletions alone too, is refused as a whole."""
    changes: list[Callable[[Author], bytes]] = [
        lambda a: a.put("transport", "bpm", 90),
        lambda a: a.edit(lambda roots: roots["points"].clear()),
    ]
    for change in changes:
        hands, _, bob = desk(MARKERS)
        change(bob)
        hands.do(hands.room.edit(bob.member, bob.doc.get_update(hands.room.vector()), merge=True))
        assert hands.expelled[bob.member][0] == CloseCode.NOT_ALLOWED
