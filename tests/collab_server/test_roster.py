"""Tests of presence: who may speak for whom, what is written into it, and when it ends."""

import json
from uuid import UUID, uuid4

import pytest

from collab_server.admission import SEED_CLIENT
from collab_server.closing import CloseCode
from collab_server.gate.awareness import Entry, decode, encode
from collab_server.gate.limits import Limits
from collab_server.news import TOLD_BY_NODES
from collab_server.roster import Roster, stamp
from studio.roles import Role
from tests.collab_server.rooms import REPAIRER, Hands, Person, desk, expelled, open_room

NODE, OTHER = UUID(int=101), UUID(int=102)
CURSOR = '{"cursor":{"tick":960}}'


def told(payload: bytes) -> dict[int, tuple[int, str | None]]:
    """client → (clock, state) of an awareness payload."""
    return {client: (clock, state) for client, clock, state in decode(payload, Limits())} if payload else {}


def everybody(roster: Roster) -> dict[int, tuple[int, str | None]]:
    """What the next presence tick tells."""
    return told(roster.gather()[0])


def test_newest_state_is_told_once() -> None:
    """However often somebody moves between two ticks, one entry tells the newest; then there is nothing to tell."""
    roster, ada = Roster(4), Person(10)
    for clock in range(1, 40):
        assert roster.hear(ada.member, [Entry(10, clock, json.dumps({"tick": clock}))], {}, 0.0)
    ((clock, state),) = everybody(roster).values()
    assert clock >= 39
    assert json.loads(state or "")["tick"] == 39
    assert roster.gather() == (b"", b"")


def test_an_old_clock_is_not_news() -> None:
    """Entries that are not newer change nothing, except the null of the same clock."""
    roster, ada = Roster(4), Person(10)
    roster.hear(ada.member, [Entry(10, 5, CURSOR)], {}, 0.0)
    roster.gather()
    assert not roster.hear(ada.member, [Entry(10, 5, "{}"), Entry(10, 4, "{}")], {}, 0.0)
    assert roster.hear(ada.member, [Entry(10, 5, None)], {}, 0.0)
    ((_, state),) = everybody(roster).values()
    assert state is None
    assert len(roster) == 0


def test_s8_identity_is_stamped_by_the_server() -> None:
    """Name, colour, role and id in `user` are the ticket's, whatever the client claims; other fields stay."""
    ada = Person(10, role=Role.COMMENTER, name="Ada")
    claimed = '{"user":{"id":"root","name":"Boss","role":"owner"},"cursor":{"tick":4}}'
    fields = json.loads(stamp(claimed, ada.member))
    assert fields["cursor"] == {"tick": 4}
    assert fields["user"] == {
        "id": str(ada.user),
        "name": "Ada",
        "color": "#aa3355",
        "role": "commenter",
        "credited": True,
    }


def test_numbers_too_large_for_json_become_null() -> None:
    """A state is always JSON that every client can parse."""
    text = stamp('{"x":1e999,"y":-1e999,"z":2.5}', Person(10).member)
    assert "Infinity" not in text
    assert json.loads(text)["x"] is None
    assert json.loads(text)["z"] == 2.5


def test_s8_nobody_speaks_for_somebody_else() -> None:
    """Entries under a present person's id, or an id bound to another user's edits, are ignored; the own one counts."""
    roster, ada, eve = Roster(4), Person(10), Person(66)
    roster.hear(ada.member, [Entry(10, 1, CURSOR)], {}, 0.0)
    roster.gather()
    forged = [Entry(10, 9, '{"cursor":null}'), Entry(11, 1, "{}"), Entry(66, 1, "{}")]
    assert roster.hear(eve.member, forged, {11: uuid4()}, 0.0)
    assert set(everybody(roster)) == {66}


def test_s8_what_a_client_repeats_about_others_is_ignored() -> None:
    """A stock y-websocket re-sends everybody it has heard of: no harm, no change."""
    roster, ada, bob = Roster(4), Person(10), Person(11)
    roster.hear(ada.member, [Entry(10, 1, CURSOR)], {}, 0.0)
    roster.hear(bob.member, [Entry(11, 1, CURSOR)], {}, 0.0)
    before = told(roster.snapshot())
    roster.gather()
    repeated = [Entry(client, clock, state) for client, (clock, state) in before.items()]
    assert not roster.hear(ada.member, [entry for entry in repeated if entry.client == 11], {}, 1.0)
    assert not roster.hear(ada.member, [Entry(11, 2, None)], {}, 1.0)
    assert told(roster.snapshot()) == before


def test_a_connection_speaks_for_a_few_ids_only() -> None:
    """Tabs may share a connection, a crowd of invented people may not."""
    roster, eve = Roster(4), Person(66)
    roster.hear(eve.member, [Entry(client, 1, "{}") for client in range(100, 200)], {}, 0.0)
    assert len(roster) == 4


def test_a_client_that_comes_back_with_an_old_clock_is_seen() -> None:
    """It is counted on for, so that peers who remember a later clock take the new state at once."""
    roster, ada = Roster(4), Person(10)
    roster.hear(ada.member, [Entry(10, 50, CURSOR)], {}, 0.0)
    (first, _), *_ = everybody(roster).values()
    roster.leave(ada.member)
    (gone, state), *_ = everybody(roster).values()
    assert state is None
    roster.hear(ada.again().member, [Entry(10, 1, CURSOR)], {}, 0.0)
    (back, state), *_ = everybody(roster).values()
    assert state is not None
    assert first <= gone < back


def test_the_same_person_takes_over_from_a_dead_connection() -> None:
    """A reconnect before the old socket is found dead owns the id, and the old one's end changes nothing."""
    roster, ada = Roster(4), Person(10)
    roster.hear(ada.member, [Entry(10, 7, CURSOR)], {}, 0.0)
    back = ada.again()
    assert roster.hear(back.member, [Entry(10, 1, '{"cursor":null}')], {}, 0.0)
    roster.gather()
    assert not roster.leave(ada.member)
    assert set(told(roster.snapshot())) == {10}


def test_what_is_heard_late_of_an_older_connection_takes_nothing_over() -> None:
    """Its messages waited while the same client came back: they would set it back to what it showed then."""
    roster, before = Roster(4), Person(10)
    now = before.again()
    now.member.joined = 1
    roster.hear(before.member, [Entry(10, 3, CURSOR)], {}, 0.0)
    roster.hear(now.member, [Entry(10, 6, "{}")], {}, 1.0)
    told_of_it = everybody(roster)
    for clock, state in ((4, '{"cursor":null}'), (6, CURSOR), (5, None)):
        assert not roster.hear(before.member, [Entry(10, clock, state)], {}, 2.0)
    assert told(roster.snapshot()) == told_of_it
    assert roster.behind() == []
    roster.hear(now.member, [Entry(10, 7, None)], {}, 3.0)
    assert not roster.hear(before.member, [Entry(10, 5, CURSOR)], {}, 3.0)
    assert everybody(roster) == {10: (7, None)}


def test_s8_nobody_takes_over_from_somebody_on_another_node() -> None:
    """Whoever repeats what another node has told of somebody changes nothing; the same person coming here does."""
    roster, ada, eve = Roster(4), Person(10), Person(66)
    roster.hear_node(NODE, [Entry(10, 1, stamp(CURSOR, ada.member)), Entry(20, 1, CURSOR)], 0.0)
    roster.gather()
    assert not roster.hear(eve.member, [Entry(10, 2, CURSOR), Entry(10, 3, None), Entry(20, 2, CURSOR)], {}, 0.0)
    assert roster.hear(ada.again().member, [Entry(10, 2, CURSOR)], {}, 0.0)
    assert set(told(roster.gather()[1])) == {10}


def test_s8_nobody_speaks_for_the_server() -> None:
    """What is shown under a client id of the server's own comes from the server alone."""
    hands, eve, mirror = Hands(open_room()), Person(66), [Entry(SEED_CLIENT, 5, '{"server":true}')]
    hands.join(eve)
    hands.do(hands.room.attendance.hear(eve.member, encode(mirror), 0.0))
    assert not hands.presence_due
    hands.do(hands.room.attendance.hear_node(NODE, mirror, 0.0))
    hands.do(
        hands.room.attendance.hear(eve.member, encode([Entry(SEED_CLIENT, 9, "{}"), Entry(REPAIRER, 1, "{}")]), 0.0)
    )
    assert told(hands.room.roster.snapshot()) == {SEED_CLIENT: (5, '{"server":true}')}


@pytest.mark.parametrize(
    ("clock", "state"),
    [(1, '{"x":"%s"}' % ("д" * 2000)), (1, '{"x":"%s"}' % ("\x7f" * 4000)), (2**30, CURSOR)],
    ids=["beyond ASCII", "to be escaped", "a late clock"],
)
def test_s8_what_the_server_tells_of_somebody_may_be_repeated_and_crosses_nodes(clock: int, state: str) -> None:
    """A legal state grows when it is told: the stock clients that say it again stay, here and when its author is gone,
    and another node reads it together with everybody else's."""
    eve, ada, bob = Person(66), Person(10), Person(11)
    hands = desk(eve, ada, bob)
    hands.do(hands.room.attendance.hear(ada.member, encode([Entry(10, 1, CURSOR)]), 0.0))
    hands.do(hands.room.attendance.hear(eve.member, encode([Entry(66, clock, state)]), 0.0))
    hands.do(hands.room.change_role(eve.member, Role.COMMENTER))
    hands.presence_tick()
    (entries,) = hands.announced
    assert {entry.client for entry in decode(entries, TOLD_BY_NODES)} == {10, 66}
    hands.do(hands.room.attendance.hear(bob.member, entries, 0.0))
    hands.do(hands.room.leave(eve.member))
    hands.presence_tick()
    hands.do(hands.room.attendance.hear(bob.member, entries, 0.0))
    assert hands.expelled == {}


def test_s8_a_whole_crowd_may_be_repeated() -> None:
    """A stock client answers everybody's presence with the very same, however many they are."""
    bob, crowd = Person(11), encode([Entry(client, 1, CURSOR) for client in range(100, 3100)])
    hands = desk(bob)
    hands.do(hands.room.attendance.hear_node(NODE, decode(crowd, TOLD_BY_NODES), 0.0))
    hands.do(hands.room.attendance.hear(bob.member, hands.room.roster.snapshot(), 0.0))
    assert hands.expelled == {}


@pytest.mark.parametrize("clock", [2**30 + 1, 2**31 - 1])
def test_s8_a_clock_that_no_client_reaches_is_malformed(clock: int) -> None:
    """Counted on from there, what is told would soon be unreadable to everybody."""
    eve = Person(66)
    hands = desk(eve)
    hands.do(hands.room.attendance.hear(eve.member, encode([Entry(66, clock, CURSOR)]), 0.0))
    assert expelled(hands, eve) == CloseCode.MALFORMED


def test_who_leaves_is_gone() -> None:
    """A leave is told once, as null under a clock at which everybody takes it."""
    roster, ada = Roster(4), Person(10)
    roster.hear(ada.member, [Entry(10, 3, CURSOR)], {}, 0.0)
    (before, _), *_ = everybody(roster).values()
    assert roster.leave(ada.member)
    (after, state), *_ = everybody(roster).values()
    assert (after >= before, state) == (True, None)
    assert not roster.leave(ada.member)
    assert roster.snapshot() == b""


def test_the_silent_expire() -> None:
    """Who has not been heard since a moment is gone; who has, stays."""
    roster, ada, bob = Roster(4), Person(10), Person(11)
    roster.hear(ada.member, [Entry(10, 1, CURSOR)], {}, 100.0)
    roster.hear(bob.member, [Entry(11, 1, CURSOR)], {}, 120.0)
    roster.gather()
    assert roster.expire(110.0)
    assert {client: state for client, (_, state) in everybody(roster).items()} == {10: None}
    assert not roster.expire(110.0)
    assert set(told(roster.snapshot())) == {11}


def test_a_changed_role_is_written_into_the_state() -> None:
    """Peers see a new role at the next tick without a word of the client."""
    roster, ada = Roster(4), Person(10)
    roster.hear(ada.member, [Entry(10, 1, CURSOR)], {}, 0.0)
    roster.gather()
    ada.member.become(Role.VIEWER)
    assert roster.restamp(ada.member)
    ((_, state),) = everybody(roster).values()
    assert json.loads(state or "")["user"]["role"] == "viewer"
    assert not roster.restamp(Person(12).member)


def test_nodes_tell_each_other_only_of_their_own() -> None:
    """`gather` gives all that changed, and apart from it what this node's members said."""
    roster, ada = Roster(4), Person(10)
    roster.hear(ada.member, [Entry(10, 1, CURSOR)], {}, 0.0)
    roster.hear_node(NODE, [Entry(20, 1, CURSOR)], 0.0)
    both, ours = roster.gather()
    assert set(told(both)) == {10, 20}
    assert set(told(ours)) == {10}
    assert set(told(roster.snapshot())) == {10, 20}
    assert set(told(roster.snapshot(ours_only=True))) == {10}


def test_a_node_cannot_overrule_who_is_here() -> None:
    """A state or a null from afar leaves a member of this node as it is; a null no older than what was told here makes
    it be told again, above that."""
    roster, ada = Roster(4), Person(10)
    roster.hear(ada.member, [Entry(10, 1, CURSOR)], {}, 0.0)
    assert not roster.hear_node(NODE, [Entry(10, 0, None), Entry(10, 99, "{}")], 0.0)
    assert told(roster.snapshot()) == {10: (1, stamp(CURSOR, ada.member))}
    assert roster.hear_node(NODE, [Entry(10, 99, None)], 0.0)
    assert everybody(roster) == told(roster.snapshot()) == {10: (100, stamp(CURSOR, ada.member))}


def test_a_node_that_is_gone_takes_its_people_along() -> None:
    """Those of other nodes and of this one stay."""
    roster, ada = Roster(4), Person(10)
    roster.hear(ada.member, [Entry(10, 1, CURSOR)], {}, 0.0)
    roster.hear_node(NODE, [Entry(20, 1, CURSOR), Entry(21, 1, CURSOR)], 0.0)
    roster.hear_node(OTHER, [Entry(30, 1, CURSOR)], 0.0)
    roster.gather()
    assert roster.leave(NODE)
    assert {client: state for client, (_, state) in everybody(roster).items()} == {20: None, 21: None}
    assert set(told(roster.snapshot())) == {10, 30}


def test_a_person_who_moved_to_another_node_is_where_they_are_now() -> None:
    """After a leave here, the other node's word counts; a second node may take over from the first."""
    roster, ada = Roster(4), Person(10)
    roster.hear(ada.member, [Entry(10, 5, CURSOR)], {}, 0.0)
    roster.leave(ada.member)
    assert roster.hear_node(NODE, [Entry(10, 6, CURSOR)], 0.0)
    assert roster.hear_node(OTHER, [Entry(10, 7, CURSOR)], 0.0)
    roster.gather()
    assert not roster.leave(NODE)
    assert set(told(roster.snapshot())) == {10}
