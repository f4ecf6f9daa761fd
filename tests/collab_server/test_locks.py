"""Track locks: what somebody else changes on a locked track is undone at once; whatever else they did stays."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from pycrdt import Map, merge_updates

from collab_server.wire import Kind
from persistence.body import Entry
from studio.blank import open_doc
from studio.canonical import canonical
from studio.errors import Locked
from studio.locks import LOCK_MS_MAX, Lock, lock_track, unlock_track
from tests.collab_server.author import Author
from tests.collab_server.restrictions import entity, song
from tests.collab_server.rooms import NOW_MS, Hands, Person, open_room

TRESPASSES: dict[str, Callable[[Author], bytes]] = {
    "a fader": lambda a: a.field("tracks", "t_mine", "gain_db", -3),
    "a name": lambda a: a.field("tracks", "t_mine", "name", "x"),
    "a field that was not there": lambda a: a.field("tracks", "t_mine", "phase_invert", True),
    "the track's deletion": lambda a: a.field("tracks", "t_mine", "deleted", ["u", 1]),
    "the track gone": lambda a: a.edit(lambda roots: roots["tracks"].pop("t_mine")),
    "the track replaced": lambda a: a.track("t_mine", name="Mine"),
    "a clip's place": lambda a: a.field("clips", "c_mine", "pos", 960),
    "a clip gone": lambda a: a.edit(lambda roots: roots["clips"].pop("c_mine")),
    "a clip taken away": lambda a: a.field("clips", "c_mine", "track", "t_other"),
    "a clip pulled here": lambda a: a.field("clips", "c_other", "track", "t_mine"),
    "a new clip": lambda a: entity(a, "clips", "c_new", track="t_mine", pos=0, take="c_new"),
    "a note": lambda a: a.put("events", "c_mine/n_2", [0, 240, 60, 0.5]),
    "a note gone": lambda a: a.edit(lambda roots: roots["events"].pop("c_mine/n_1")),
    "an effect": lambda a: a.field("effects", "e_mine", "p.cutoff", 3),
    "an effect pulled here": lambda a: a.field("effects", "e_other", "track", "t_mine"),
    "a point": lambda a: a.put("points", "t_mine.gain/p_1", [0, 0.25, 1]),
    "a new point": lambda a: a.put("points", "t_mine.gain/p_2", [0, 0.25, 1]),
    "a lane": lambda a: a.put("lanes", "t_mine.gain", {"on": True, "min": 0, "max": 1, "def": 0}),
    "a send": lambda a: a.field("sends", "t_mine>master", "gain_db", -9),
    "a send gone": lambda a: a.edit(lambda roots: roots["sends"].pop("t_mine>master")),
}


def desk(*, until: int = NOW_MS + 1000) -> tuple[Hands, Person, Person]:
    """Ada has locked t_mine; Bob plays along."""
    hands, ada, bob = Hands(open_room(song())), Person(10), Person(11)
    hands.join(ada, bob)
    hands.tick()
    locking = open_doc(1)
    locking.apply_update(hands.room.state())
    before = locking.get_state()
    lock_track(locking, "t_mine", str(ada.user), until - 1000, 1000)
    hands.do(hands.room.grow(hands.room.head + 1, [Entry(None, locking.get_update(before))], NOW_MS))
    for person in (ada, bob):
        person.listen()
    return hands, ada, bob


def reasons(person: Person) -> list[str]:
    """What this person was told besides edits; it has heard everything then."""
    told = []
    for kind, payload in person.listen():
        if kind is Kind.AUTH:
            told.append(payload.decode(errors="replace"))
    return told


@pytest.mark.parametrize("trespass", TRESPASSES)
def test_what_another_changes_on_a_locked_track_is_undone(trespass: str) -> None:
    """Everybody ends with the values from before, the author too; what they did elsewhere stays, and they are told."""
    hands, ada, bob = desk()
    before = canonical(hands.room.doc)
    update = merge_updates(bob.put("transport", "bpm", 90), TRESPASSES[trespass](bob))
    hands.edit(bob, update)
    assert len(reasons(bob)) == 1
    ada.listen()
    after = canonical(hands.room.doc)
    assert after["transport"]["bpm"] == 90
    assert after == {**before, "transport": after["transport"]}
    assert ada.json() == bob.json() == after
    assert bob.member not in hands.expelled
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is not None
    assert {change.origin for change in flight.batch.changes} == {"edit", "lock"}


@pytest.mark.parametrize("trespass", TRESPASSES)
def test_who_holds_the_lock_works_on(trespass: str) -> None:
    """Their own edits are nobody's business; and what they make is what is held from then on."""
    hands, ada, bob = desk()
    hands.edit(ada, TRESPASSES[trespass](ada))
    mine = canonical(hands.room.doc)
    bob.listen()
    assert bob.json() == mine
    if trespass not in ("the track gone", "the track replaced"):  # the lock went with it
        hands.edit(bob, bob.field("tracks", "t_mine", "color", "#000000"))
        assert canonical(hands.room.doc) == mine


def test_everyday_drags_are_undone_step_by_step() -> None:
    """The express lane knows no locks: while there are any, its edits take the way of all others."""
    hands, ada, bob = desk(until=NOW_MS + 5)
    held = canonical(hands.room.doc)["tracks"]["t_mine"]["gain_db"]
    hands.edit(bob, *[bob.field("tracks", "t_mine", "gain_db", -step) for step in range(1, 9)])
    hands.edit(bob, bob.field("tracks", "t_mine", "gain_db", -9))
    assert canonical(hands.room.doc)["tracks"]["t_mine"]["gain_db"] == held
    bob.listen()
    ada.listen()
    assert ada.json() == bob.json() == canonical(hands.room.doc)


def test_a_lock_ends_with_its_time() -> None:
    """Nobody has to take it away: what comes afterwards is an edit like any other."""
    hands, ada, bob = desk(until=NOW_MS)
    hands.edit(bob, bob.field("tracks", "t_mine", "gain_db", -3))
    assert reasons(bob) == []
    ada.listen()
    assert ada.json()["tracks"]["t_mine"]["gain_db"] == -3


def test_moving_many_clips_costs_no_walk_over_all_notes_each() -> None:
    """While a track is locked, a move of many clips costs a few times what it costs without any lock."""

    def move(clips: "Map[Any]", track: str) -> None:
        for n in range(200):
            clips[f"c_{n}"]["track"] = track

    def seconds(hands: Hands, mover: Person) -> float:
        """Processor time of a move from one unlocked track to another, the least of three: garbage of other tests
        may be collected in between."""
        for n in range(200):
            entity(mover, "clips", f"c_{n}", track="t_other", pos=960 * n, take=f"c_{n}")
        mover.edit(lambda roots: roots["events"].update({f"c_{n % 200}/n_{n}": [n, 9, 60, 1] for n in range(5000)}))
        hands.edit(mover, mover.doc.get_update(hands.room.vector()))

        def once(track: str) -> float:
            moving = mover.edit(lambda roots: move(roots["clips"], track))
            started = time.process_time()
            hands.edit(mover, moving)
            return time.process_time() - started

        return min(once("master"), once("t_other"), once("master"))

    held, _, bob = desk()
    free, eve = desk(until=NOW_MS)[::2]
    assert seconds(held, bob) < 10 * seconds(free, eve)
    assert not held.expelled


def test_a_loaded_room_knows_its_locks() -> None:
    """Another node, or the same one later, holds what the document says is held."""
    hands, ada, _ = desk()
    again, eve = Hands(open_room([hands.room.state()])), Person(20)
    again.join(eve)
    before = canonical(again.room.doc)
    again.edit(eve, eve.field("tracks", "t_mine", "gain_db", -3))
    assert canonical(again.room.doc) == before
    assert str(ada.user) in str(before["tracks"]["t_mine"]["lock"])


def test_a_lock_is_taken_renewed_given_back_and_broken() -> None:
    """At most ten minutes at a time; somebody else's only the owner breaks; a client's own `lock` counts nothing."""
    doc = open_doc(1)
    for update in song():
        doc.apply_update(update)
    assert lock_track(doc, "t_mine", "ann", 1000, 5000) == Lock("ann", 6000)
    assert lock_track(doc, "t_mine", "ann", 2000, 10**9) == Lock("ann", 2000 + LOCK_MS_MAX)
    with pytest.raises(Locked):
        lock_track(doc, "t_mine", "ben", 3000, 5000)
    with pytest.raises(Locked):
        unlock_track(doc, "t_mine", "ben", 3000, breaks=False)
    unlock_track(doc, "t_mine", "ben", 3000, breaks=True)
    assert lock_track(doc, "t_mine", "ben", 4000, 5000) == Lock("ben", 9000)
    assert lock_track(doc, "t_mine", "ann", 9000, 5000) == Lock("ann", 14_000)
    hands, _, bob = desk()
    hands.edit(bob, bob.field("tracks", "t_other", "lock", [str(bob.user), NOW_MS + 9000]))
    assert canonical(hands.room.doc)["tracks"]["t_other"].get("lock") is None
