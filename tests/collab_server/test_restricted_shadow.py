"""The shadow on which restricted edits are tried: it knows everything, and lives as long as it is needed."""

from collab_server.closing import CloseCode
from collab_server.resting import ROUNDS
from studio.canonical import canonical
from studio.roles import Role
from tests.collab_server.restrictions import MARKERS, MINE, MIX, desk, held
from tests.collab_server.rooms import Person


def test_the_shadow_follows_others_and_repairs() -> None:
    """Between two trials others edit, the server repairs and the journal grows: the next trial knows all of it."""
    hands, ada, bob = desk(MINE)
    hands.edit(bob, bob.field("clips", "c_mine", "pos", 960))
    hands.edit(ada, ada.track("t_3"), ada.field("tracks", "t_mine", "gain_db", 99))
    bob.listen()
    assert bob.json()["tracks"]["t_mine"]["gain_db"] == 6
    hands.edit(bob, bob.field("tracks", "t_mine", "gain_db", -2), bob.field("clips", "c_mine", "pos", 1920))
    assert bob.member not in hands.expelled
    ada.listen()
    assert ada.json() == held(hands)


def test_of_a_large_document_the_shadow_is_made_beside_everything_else() -> None:
    """Who has to be tried waits; others do not, and what they do meanwhile counts when it is decided."""
    hands, ada, bob = desk(MINE)
    hands.edit(ada, *[ada.marker(f"m_{number}", number, "x" * 79) for number in range(2_000)])
    hands.do(hands.room.edit(bob.member, bob.field("clips", "c_mine", "pos", 960)))
    assert [held.member for held in hands.trying] == [bob.member]
    assert len(hands.copies) == 1
    before = canonical(hands.room.doc)["clips"]["c_mine"]["pos"]
    hands.edit(ada, ada.field("clips", "c_mine", "track", "t_other"))
    hands.copy()
    assert hands.expelled[bob.member][0] == CloseCode.NOT_ALLOWED
    assert canonical(hands.room.doc)["clips"]["c_mine"]["pos"] == before
    eve = Person(12)
    hands.join(eve)
    eve.member.become(Role.EDITOR, MIX)
    hands.do(hands.room.edit(eve.member, eve.put("points", "t_mine.gain/p_7", [0.0, 0.5, 1.0])))
    hands.copy()
    hands.tick()
    assert eve.member not in hands.expelled
    ada.listen()
    assert ada.json() == held(hands)


def test_only_a_room_with_restricted_members_has_a_shadow() -> None:
    """It is made by the first trial and goes with the last restricted member."""
    hands, ada, bob = desk(MARKERS)
    hands.edit(ada, ada.put("transport", "bpm", 90))
    trials = [hands.room.trials.running]
    hands.edit(bob, bob.marker("m_2", 0, "x"))
    trials.append(hands.room.trials.running)
    hands.do(hands.room.leave(bob.member))
    assert [*trials, hands.room.trials.running] == [False, True, False]


def test_a_document_that_rests_takes_its_shadow_along() -> None:
    """Nobody has looked for a minute: neither is kept in memory, and the next trial makes a new one."""
    hands, _, bob = desk(MARKERS)
    hands.edit(bob, bob.marker("m_2", 0, "x"))
    hands.commit()
    for _ in range(ROUNDS + 2):
        hands.room.rest()
    assert hands.room.trials.running is False
    hands.edit(bob, bob.marker("m_3", 0, "x"))
    assert bob.member not in hands.expelled
    bob.listen()
    assert canonical(hands.room.doc) == bob.json()
