"""Tests of when presence is told: at once what is new, and together who is still there as they were."""

from uuid import UUID

import pytest

from collab_server.attendance import EVERYDAY_BYTES
from collab_server.closing import CloseCode
from collab_server.effects import NOTHING, PRESENCE_TICK, RENEWAL_TICK, Announce, Effects, Expel, Send, Spread
from collab_server.gate.awareness import Entry, decode, encode
from collab_server.gate.limits import Limits
from collab_server.presence_timer import RENEWAL_SECONDS
from collab_server.room import Room
from collab_server.wire import Kind
from studio.roles import Role
from tests.collab_server.lobby import Lobby
from tests.collab_server.peer import until
from tests.collab_server.rooms import Person, desk

NODE = UUID(int=101)
CURSOR = '{"cursor":{"tick":960}}'


def shows(room: Room, person: Person, clock: int, state: str = CURSOR) -> Effects:
    """What the room wants done when somebody shows this."""
    client = person.doc.client_id
    return room.attendance.hear(person.member, encode([Entry(client, clock, state)]), float(clock))


def test_who_is_still_there_as_before_is_told_later() -> None:
    """The first word and every other state are news; the same again is none, however many say it."""
    ada, bob = Person(10), Person(11)
    room = desk(ada, bob).room
    for person in (ada, bob):
        assert shows(room, person, 1) in (PRESENCE_TICK, NOTHING)
    room.attendance.tick()
    assert shows(room, ada, 2) is RENEWAL_TICK
    assert shows(room, bob, 2) is NOTHING
    assert shows(room, ada, 3, "{}") is PRESENCE_TICK
    assert shows(room, bob, 3) is NOTHING
    room.attendance.tick()
    assert shows(room, bob, 4) is RENEWAL_TICK


def test_a_renewal_is_told_with_its_clock_to_everybody() -> None:
    """Others forget whose clock does not move on; here and on other nodes."""
    ada = Person(10)
    hands = desk(ada)
    for clock in (1, 2):
        shows(hands.room, ada, clock)
        told = encode([Entry(10, clock, ada.member.stamp.on(CURSOR))])
        assert hands.room.attendance.tick() == [Spread([ada.member], ada.member.dialect.presence(told)), Announce(told)]
    assert hands.room.roster.told(10) == 2


def test_what_is_shown_while_news_is_due_is_heard_with_it() -> None:
    """Nothing is told twice or left out, whoever shows how much."""
    ada, bob = Person(10), Person(11)
    room = desk(ada, bob).room
    assert shows(room, ada, 1) is PRESENCE_TICK
    assert not any((shows(room, bob, 1), shows(room, bob, 2), shows(room, ada, 2, "{}")))
    assert not shows(room, bob, 3, '{"long":"%s"}' % ("x" * EVERYDAY_BYTES))
    assert shows(room, bob, 4) is NOTHING
    effects = room.attendance.tick()
    told = [Entry(10, 2, ada.member.stamp.on("{}")), Entry(11, 4, bob.member.stamp.on(CURSOR))]
    assert [sorted(decode(effect.entries, Limits())) for effect in effects if isinstance(effect, Announce)] == [told]
    assert room.attendance.tick() == []


def test_newcomers_are_told_of_those_who_wait() -> None:
    """The tick goes by whoever has not yet asked for the document."""
    ada, bob, carol = Person(10), Person(11), Person(12)
    hands = desk(ada, bob)
    shows(hands.room, ada, 1)
    shows(hands.room, bob, 1)
    (answer,) = hands.room.attendance.ask(ada.member)
    assert isinstance(answer, Send)
    assert bob.member.stamp.on(CURSOR).encode() in answer.data
    shows(hands.room, bob, 2, '{"cursor":{"tick":1920}}')
    (welcome,) = hands.room.join(carol.member)
    assert isinstance(welcome, Send)
    assert b'"tick":1920' in welcome.data


def test_only_who_shows_one_thing_shortly_waits() -> None:
    """Many entries cost their author the time, and not the tick; another's word is not heard on one's own account."""
    ada, eve = Person(10), Person(66)
    room = desk(ada, eve).room
    shows(room, eve, 1)
    shows(room, ada, 1)
    room.attendance.hear(eve.member, encode([Entry(66, 2, "{}"), Entry(67, 1, "{}")]), 0.0)
    assert [room.roster.told(client) for client in (10, 66, 67)] == [-1, 2, 1]


def test_whoever_shows_what_cannot_be_read_goes_at_the_tick_at_the_latest() -> None:
    """The others' presence is told all the same."""
    ada, eve = Person(10), Person(66)
    room = desk(ada, eve).room
    shows(room, ada, 1)
    assert room.attendance.hear(eve.member, b"\x01\x42", 0.0) is NOTHING
    expelled, *told = room.attendance.tick()
    assert isinstance(expelled, Expel)
    assert (expelled.member, expelled.code, len(told)) == (eve.member, CloseCode.MALFORMED, 2)


@pytest.mark.parametrize("then", ["leave", "demote", "expire", "another node"])
def test_what_was_shown_before_counts_before(then: str) -> None:
    """What happens next finds it heard: whoever leaves is gone with what they showed last, and is there no more."""
    ada, bob = Person(10), Person(11)
    room = desk(ada, bob).room
    shows(room, ada, 1)
    shows(room, bob, 7)
    match then:
        case "leave":
            room.leave(bob.member)
        case "demote":
            room.change_role(bob.member, Role.VIEWER)
        case "expire":
            room.attendance.expire(7.0)
        case _:
            room.attendance.hear_node(NODE, [Entry(11, 9, None)], 0.0)
    assert room.roster.told(11) == (8 if then == "demote" else 10 if then == "another node" else 7)
    (told,) = [effect.entries for effect in room.attendance.tick() if isinstance(effect, Announce)]
    states = {entry.client: entry.state for entry in decode(told, Limits())}
    assert (states[11] is None) == (then == "leave")
    assert (states[10] is None) == (then == "expire")


def test_a_role_that_changed_is_news_although_the_client_says_the_same() -> None:
    """What others see of a person is not what the client says alone."""
    ada = Person(10)
    room = desk(ada).room
    shows(room, ada, 1)
    room.attendance.tick()
    ada.member.become(Role.VIEWER)
    assert shows(room, ada, 2) is PRESENCE_TICK


def test_another_nodes_renewals_are_told_later_too() -> None:
    """And what it says of somebody else, or anew, at once."""
    room = desk(Person(10)).room
    assert room.attendance.hear_node(NODE, [Entry(20, 1, CURSOR)], 0.0) is PRESENCE_TICK
    room.attendance.tick()
    assert room.attendance.hear_node(NODE, [Entry(20, 1, CURSOR)], 1.0) is RENEWAL_TICK
    assert room.attendance.hear_node(NODE, [Entry(20, 2, CURSOR)], 1.0) is NOTHING
    assert room.attendance.hear_node(NODE, [Entry(21, 1, CURSOR), Entry(20, 3, CURSOR)], 1.0) is PRESENCE_TICK
    room.attendance.tick()
    assert room.attendance.hear_node(UUID(int=102), [Entry(20, 4, CURSOR)], 2.0) is PRESENCE_TICK


async def test_news_does_not_wait_for_a_renewal_nor_the_renewal_for_ever() -> None:
    """Whoever moves is seen at once, with what was put off; and what is put off alone is told by itself."""
    lobby = Lobby()
    room, ada, bob = lobby.hosted.room, Person(10), Person(11)
    lobby.hosted.perform(room.join(bob.member))
    lobby.hosted.perform(room.ask(bob.member, bob.doc.get_state()))

    async def hears() -> tuple[dict[int, int], bool]:
        """client → clock, as bob is told next; and whether that was late."""
        bob.take()
        seconds = await until(lambda: bob.written)
        ((kind, payload),) = bob.heard()
        assert kind is Kind.AWARENESS
        return {client: clock for client, clock, _ in decode(payload, Limits())}, seconds > RENEWAL_SECONDS / 2

    for person in (ada, bob):
        lobby.hosted.perform(shows(room, person, 1))
    assert await hears() == ({10: 1, 11: 1}, False)
    lobby.hosted.perform(shows(room, ada, 2))
    lobby.hosted.perform(shows(room, bob, 2, "{}"))
    assert await hears() == ({10: 2, 11: 2}, False)
    lobby.hosted.perform(shows(room, ada, 3))
    assert await hears() == ({10: 3}, True)
