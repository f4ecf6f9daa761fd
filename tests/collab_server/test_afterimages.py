"""Tests of readers who show what was told to them and then lost."""

import pytest

from collab_server import wire
from collab_server.afterimages import AHEAD_MAX, BEGIN_ANEW
from collab_server.connection import Connection
from collab_server.dialects.yws import YWebsocket
from collab_server.effects import Recheck
from collab_server.gate.awareness import Entry, encode
from collab_server.loss import Loss
from persistence.body import Entry as Row
from studio.roles import Role
from tests.collab_server.lobby import Lobby, Wire
from tests.collab_server.rooms import PROJECT, SEED, Hands, Person, desk, expelled, open_room

READERS = pytest.mark.parametrize("role", [Role.VIEWER, Role.COMMENTER])


def lost_work(author: Person) -> bytes:
    """An edit that another node has told, and nobody here knows of."""
    author.know(SEED)
    return author.track("t_lost")


def vector(*clocks: tuple[int, int]) -> bytes:
    """A state vector."""
    numbers = [len(clocks), *(number for pair in clocks for number in pair)]
    return b"".join(map(wire.write_varuint, numbers))


def wait(hands: Hands) -> None:
    """As long as anybody waits, in vain."""
    for _ in range(3):
        if hands.rechecks:
            hands.rechecks = False
            hands.do(hands.room.settle())


@READERS
def test_a_reader_who_shows_what_nobody_saved_begins_anew(role: Role) -> None:
    """It comes in and is told everything; when it has waited and its work is unknown still, it is sent to begin anew,
    whoever else is here."""
    ada, eve, bob = Person(10), Person(20, role=role), Person(30, role=role)
    eve.know(SEED, lost_work(ada))
    hands = desk(eve, bob)
    assert expelled(hands, eve) is None
    hands.do(hands.room.settle())
    assert expelled(hands, eve) is None
    wait(hands)
    assert hands.expelled == {eve.member: (4409, BEGIN_ANEW)}
    assert not hands.rechecks


@pytest.mark.parametrize("brought", [False, True])
def test_a_reader_who_knows_of_what_others_are_about_to_save_stays(brought: bool) -> None:
    """Another node commits it in the next moment, or somebody who may write brings it back after a loss."""
    ada, eve, friend = Person(10), Person(20, role=Role.VIEWER), Person(30)
    work = lost_work(ada)
    eve.know(SEED, work)
    hands = desk(eve, friend)
    hands.do(hands.room.settle())
    if brought:
        hands.do(hands.room.edit(friend.member, work, merge=True, loss=Loss.HAPPENED))
        hands.tick()
    else:
        hands.do(hands.room.grow(2, [Row(ada.user, work)]))
    wait(hands)
    assert hands.expelled == {}
    assert not hands.rechecks


def test_who_waits_for_less_than_the_others_waits_on() -> None:
    """Whoever comes a moment before the time is over has not waited."""
    ada, eve, bob = Person(10), Person(20, role=Role.VIEWER), Person(30, role=Role.VIEWER)
    work = lost_work(ada)
    eve.know(SEED, work)
    bob.know(SEED, work)
    hands = desk(eve)
    hands.do(hands.room.settle())
    hands.join(bob)
    hands.do(hands.room.settle())
    assert set(hands.expelled) == {eve.member}
    hands.do(hands.room.settle())
    assert set(hands.expelled) == {eve.member, bob.member}


def test_who_may_write_is_asked_as_ever_and_so_is_who_may_meanwhile() -> None:
    """Their own answer says what they hold: nobody is sent away unheard."""
    ada, eve, bob = Person(10), Person(20), Person(30, role=Role.VIEWER)
    work = lost_work(ada)
    eve.know(SEED, work)
    bob.know(SEED, work)
    hands = desk(eve)
    assert not hands.rechecks
    hands.join(bob)
    hands.do(hands.room.change_role(bob.member, Role.EDITOR))
    bob.take()
    wait(hands)
    assert hands.expelled == {}
    assert [kind for kind, _ in bob.heard()] == [wire.Kind.STEP1]


@pytest.mark.parametrize("how", ["saved before", "shown", "brought"])
def test_s10_nobody_is_sent_away_for_their_own_work(how: str) -> None:
    """Who was an editor holds work that came too late: it is kept as a draft as ever, and its author stays."""
    ada = Person(10, could_write=True, role=Role.VIEWER)
    work = lost_work(ada)
    hands = Hands(open_room(clients={10: ada.user} if how == "saved before" else None))
    hands.join(ada)
    if how == "shown":
        hands.do(hands.room.attendance.hear(ada.member, encode([Entry(10, 1, "{}")]), 0.0))
    if how == "brought":
        hands.do(hands.room.edit(ada.member, work, merge=True))
        assert hands.unsent == [ada.member]
    wait(hands)
    assert hands.expelled == {}
    assert not hands.rechecks


def test_s10_a_demoted_editor_who_holds_the_lost_work_of_somebody_else_begins_anew() -> None:
    """What others have written is nobody's draft."""
    ada, eve = Person(10), Person(20, role=Role.VIEWER, could_write=True)
    eve.know(SEED, lost_work(ada))
    hands = Hands(open_room(clients={10: ada.user}))
    hands.join(eve)
    wait(hands)
    assert set(hands.expelled) == {eve.member}


def test_s8_absurd_vectors_cost_one_look_and_little_memory() -> None:
    """However much somebody claims to know, and how often: it is looked into now and then, and little is remembered."""
    hands, eve = Hands(open_room()), Person(66, role=Role.VIEWER)
    absurd = vector(*((client, 2**31 - 1) for client in range(1_000, 21_000)))
    rechecks = 0
    for _ in range(20):
        eve = eve.again()
        hands.do(hands.room.join(eve.member))
        for _ in range(3):
            effects = hands.room.ask(eve.member, absurd)
            rechecks += sum(isinstance(effect, Recheck) for effect in effects)
        hands.do(hands.room.leave(eve.member))
    assert rechecks == 1
    assert hands.room.afterimages.remembered == 0
    hands.do(hands.room.join(eve.member))
    hands.do(hands.room.ask(eve.member, absurd))
    assert hands.room.afterimages.remembered == AHEAD_MAX


async def test_while_rows_may_be_missing_nobody_is_sent_away() -> None:
    """They are asked for again later: the reader knows of them perhaps."""
    lobby = Lobby(role=Role.VIEWER)
    reader = Connection(lobby.person().user_id, lobby, YWebsocket(), lobby.person(), PROJECT, None, None, lobby.loop)
    line = Wire(reader, lobby.settings.limits.outbox_bytes_max)
    reader.received(wire.encode_step1(vector((10, 3))))
    for behind, closed in ((True, None), (True, None), (False, None), (False, (4409, BEGIN_ANEW))):
        lobby.hosted.behind = behind
        await lobby.hosted.recheck()
        assert line.closed == closed


def test_what_is_news_to_somebody_who_waits_has_to_wait_itself() -> None:
    """Its first difference was cleared up; it asks again with another just before the time is over, and stays."""
    ada, bea, eve = Person(10), Person(11), Person(20, role=Role.VIEWER)
    saved = lost_work(ada)
    eve.know(SEED, saved)
    hands = desk(eve)
    hands.do(hands.room.settle())
    hands.do(hands.room.grow(2, [Row(ada.user, saved)]))
    eve.know(bea.know(SEED).track("t_soon"))
    hands.do(hands.room.ask(eve.member, eve.doc.get_state()))
    hands.do(hands.room.settle())
    assert hands.expelled == {}
    hands.do(hands.room.settle())
    assert set(hands.expelled) == {eve.member}


def test_nobody_is_sent_away_twice_for_the_same() -> None:
    """Who comes back with it has a client that does not begin anew, or has written it alone: it is let be."""
    ada, eve = Person(10), Person(20, role=Role.VIEWER)
    eve.know(SEED, lost_work(ada))
    hands = desk(eve)
    wait(hands)
    assert set(hands.expelled) == {eve.member}
    hands.do(hands.room.leave(eve.member))
    back = eve.again()
    hands.join(back)
    wait(hands)
    assert back.member not in hands.expelled
