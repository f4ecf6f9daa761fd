"""Tests of presence clocks: the client alone numbers its states, and every node tells them under its numbers."""

import json
from uuid import UUID, uuid4

import pytest

from collab_server.gate.awareness import Entry, decode, encode
from collab_server.news import TOLD_BY_NODES
from collab_server.roster import COUNTED_ON_MAX, OWN_CLOCK_MAX, Roster
from collab_server.wire import Kind
from studio.roles import Role
from tests.collab_server.rooms import Hands, Person, open_room
from tests.collab_server.test_roster import CURSOR, NODE, OTHER, told
from tests.simulation.crowd import Crowd


class Page:
    """A client of y-protocols that moves about: each connection is another member, its presence stays."""

    def __init__(self, client: int) -> None:
        self.client = client
        self.person = Person(client)
        self.crowd = Crowd(client)

    def come(self, hands: Hands) -> None:
        """Another connection, which the server does not know to be the last."""
        self.person = self.person.again()
        hands.join(self.person)

    def show(self, hands: Hands, cursor: int) -> None:
        """Move the cursor, and say so."""
        state = json.dumps({"cursor": cursor})
        hands.do(hands.room.attendance.hear(self.person.member, self.crowd.show(state, 0.0), 0.0))

    def hear(self, hands: Hands) -> None:
        """Hear what was written, and answer as y-protocols does."""
        for kind, payload in self.person.heard():
            if kind is Kind.AWARENESS and self.crowd.hear(payload, 0.0):
                again = self.crowd.show(self.crowd.states[self.client], 0.0)
                hands.do(hands.room.attendance.hear(self.person.member, again, 0.0))

    def sees(self, client: int) -> int | None:
        """Where it sees somebody, itself too."""
        state = self.crowd.states.get(client)
        return None if state is None else json.loads(state)["cursor"]


class Tab(Page):
    """A window of a person, of stock y-websocket: it says again whatever it is told that is news to it."""

    def __init__(self, client: int, user: UUID) -> None:
        super().__init__(client)
        self.person = Person(client, user=user)
        self.said = 0

    def hear(self, hands: Hands) -> None:
        """Hear what was written, and say again what was news."""
        for kind, payload in self.person.heard():
            if kind is not Kind.AWARENESS:
                continue
            before = dict(self.crowd.clocks)
            if self.crowd.hear(payload, 0.0):
                self.crowd.show(self.crowd.states[self.client], 0.0)
            clocks = {client: clock for client, (clock, _) in self.crowd.clocks.items()}
            news = [client for client, clock in clocks.items() if before.get(client, (-1, 0.0))[0] != clock]
            if news:
                self.said += 1
                again = encode([Entry(client, clocks[client], self.crowd.states.get(client)) for client in news])
                hands.do(hands.room.attendance.hear(self.person.member, again, 0.0))


def settle(*rooms: tuple[Hands, tuple[Page, ...]]) -> None:
    """Everything that is due happens, here and on the other nodes, until nothing is."""
    for _ in range(8):
        for number, (hands, pages) in enumerate(rooms):
            hands.presence_tick()
            for page in pages:
                page.hear(hands)
            while hands.announced:
                payload = hands.announced.pop(0)
                for other, (elsewhere, _) in enumerate(rooms):
                    if other != number:
                        node = (NODE, OTHER)[number]
                        elsewhere.do(elsewhere.room.attendance.hear_node(node, decode(payload, TOLD_BY_NODES), 0.0))


def nodes() -> tuple[Hands, Hands]:
    """One project, open on two nodes."""
    return Hands(open_room()), Hands(open_room())


def test_whoever_was_told_of_somebody_by_a_node_that_died_sees_them_on_the_next() -> None:
    """A node tells nobody under a higher clock than their client counts: the next node, which has heard of nothing,
    could not tell them so that others believe it."""
    one, two = nodes()
    ada, bob = Page(10), Page(11)
    bob.come(two)
    for cursor in range(1, 6):  # each time before the node that it comes from has found it gone
        here, there = (one, two) if cursor % 2 else (two, one)
        ada.come(here)
        ada.show(here, cursor)
        settle((one, ()), (two, (bob,)))
        there.do(there.room.leave(ada.person.member))
    bob.crowd.alone()
    fresh = Hands(open_room())
    bob.come(fresh)
    ada.come(fresh)
    for cursor in (6, 7):
        ada.show(fresh, cursor)
        settle((fresh, (ada, bob)))
    assert bob.sees(10) == 7


def test_a_client_is_never_set_back_by_what_it_is_told_of_itself() -> None:
    """It comes back with an old clock and moves on before it hears anything: its own state is the newest."""
    one, _ = nodes()
    ada, bob = Page(10), Page(11)
    bob.come(one)
    ada.come(one)
    one.do(one.room.attendance.hear(ada.person.member, encode([Entry(10, 50, CURSOR)]), 0.0))
    settle((one, (bob,)))
    one.do(one.room.leave(ada.person.member))
    settle((one, (bob,)))
    ada.come(one)
    ada.show(one, 1)
    one.presence_tick()
    ada.crowd.show('{"cursor":2}', 0.0)  # and this is not heard before the connection is lost
    ada.hear(one)
    assert ada.sees(10) == 2


def test_who_is_counted_on_for_counts_on_from_there() -> None:
    """A client that has come back with an old clock is asked once to say itself again, and from then on the clocks that
    are told are its own."""
    one, _ = nodes()
    ada, bob = Page(10), Page(11)
    ada.come(one)
    bob.come(one)
    one.do(one.room.attendance.hear(ada.person.member, encode([Entry(10, 50, CURSOR)]), 0.0))
    one.do(one.room.leave(ada.person.member))
    settle((one, (bob,)))
    ada.come(one)
    ada.show(one, 1)
    one.presence_tick()
    bob.hear(one)
    assert bob.sees(10) == 1  # at once
    settle((one, (ada, bob)))
    assert ada.crowd.clocks[10][0] == told(one.room.roster.snapshot())[10][0] > 50
    ada.show(one, 2)
    settle((one, (ada, bob)))
    assert ada.crowd.clocks[10][0] == told(one.room.roster.snapshot())[10][0]
    assert bob.sees(10) == 2


def test_a_role_that_changes_twice_reaches_everybody_and_sets_nobody_back() -> None:
    """The server writes it into a state that the client has said; whoever has moved on meanwhile stays where it is."""
    one, _ = nodes()
    ada, bob = Page(10), Page(11)
    ada.come(one)
    bob.come(one)
    ada.show(one, 1)
    settle((one, (ada, bob)))
    one.do(one.room.change_role(ada.person.member, Role.COMMENTER))
    one.presence_tick()
    one.do(one.room.change_role(ada.person.member, Role.VIEWER))
    one.presence_tick()
    ada.crowd.show('{"cursor":2}', 0.0)
    settle((one, (ada, bob)))
    assert (ada.sees(10), bob.sees(10)) == (2, 2)
    assert json.loads(bob.crowd.states[10])["user"]["role"] == "viewer"


def test_what_a_node_repeats_is_told_under_the_same_clock() -> None:
    """Nodes tell everything again whenever another one comes: that makes nobody newer."""
    roster, before = Roster(4), {10: (5, CURSOR)}
    for _ in range(3):
        roster.hear_node(NODE, [Entry(10, 5, CURSOR)], 0.0)
        roster.gather()
        assert told(roster.snapshot()) == before


def test_who_was_taken_for_gone_by_another_node_is_seen_there_again() -> None:
    """Two nodes lose sight of each other, and one tells that the other's people are gone. Its null, told to their own
    node, makes their clients count on."""
    one, two = nodes()
    ada, bob = Page(10), Page(11)
    ada.come(one)
    bob.come(two)
    ada.show(one, 1)
    settle((one, (ada,)), (two, (bob,)))
    two.do(two.room.attendance.leave(NODE))
    settle((one, (ada,)), (two, (bob,)))
    assert bob.sees(10) is None
    ours = one.room.roster.snapshot(ours_only=True)
    two.do(two.room.attendance.hear_node(NODE, decode(ours, TOLD_BY_NODES), 0.0))
    settle((one, (ada,)), (two, (bob,)))
    assert bob.sees(10) == 1
    assert ada.crowd.clocks[10][0] == told(two.room.roster.snapshot())[10][0]


def test_the_node_that_somebody_has_left_ends_nothing_and_knows_nothing_newer() -> None:
    """A third node takes the word of the one they are with: an older state of the same person or a null of another node
    is late news."""
    roster, moved, ada = Roster(4), Roster(4), Person(10)
    moved.hear(ada.member, [Entry(10, 1, CURSOR)], {}, 0.0)
    old = told(moved.snapshot())[10][1]
    moved.hear(ada.member, [Entry(10, 2, '{"cursor":null}')], {}, 0.0)
    new = told(moved.snapshot())[10][1]
    roster.hear_node(NODE, [Entry(10, 2, new)], 0.0)
    assert not roster.hear_node(OTHER, [Entry(10, 1, old), Entry(10, 2, None)], 0.0)
    assert told(roster.snapshot()) == {10: (2, new)}


def test_s8_nobody_is_refused_for_a_clock_that_somebody_else_has_shown() -> None:
    """Somebody has shown the highest clock of all under the id of one who was away: that one is seen, and stays."""
    one, _ = nodes()
    ada, bob, eve = Page(10), Page(11), Page(66)
    eve.come(one)
    one.do(one.room.attendance.hear(eve.person.member, encode([Entry(10, 2**30, CURSOR)]), 0.0))
    one.do(one.room.leave(eve.person.member))
    settle((one, ()))
    ada.come(one)
    bob.come(one)
    for cursor in (1, 2, 3):
        ada.show(one, cursor)
        settle((one, (ada, bob)))
        assert bob.sees(10) == cursor
    assert one.expelled == {}


@pytest.mark.parametrize("apart", [False, True])
def test_two_windows_of_one_person_come_to_rest(apart: bool) -> None:
    """What one repeats of the other is no return of the other: nobody takes anybody over, and everybody sees both."""
    user, rooms = uuid4(), nodes()
    here, there = rooms[0], rooms[int(apart)]
    first, second, bob = Tab(10, user), Tab(11, user), Tab(12, uuid4())
    for tab, hands in ((first, here), (second, there), (bob, there)):
        hands.join(tab.person)
        tab.show(hands, 1)
    places = ((here, (first,)), (there, (second, bob))) if apart else ((here, (first, second, bob)),)
    settle(*places)
    first.show(here, 2)
    settle(*places)
    said = first.said, second.said, bob.said
    settle(*places)
    assert (first.said, second.said, bob.said) == said
    assert [tab.sees(client) for tab in (first, second, bob) for client in (10, 11, 12)] == [2, 1, 1] * 3


def steps(first: int, last: int) -> bytes:
    """Ever higher clocks under the id 10, in one message."""
    return encode([Entry(10, clock, CURSOR) for clock in range(first, last + 1, 64)])


def test_s8_one_message_does_not_drive_a_clock_up() -> None:
    """Of what is said of a client in it the last counts, and that is too far ahead."""
    one, _ = nodes()
    eve = Page(66)
    eve.come(one)
    one.do(one.room.attendance.hear(eve.person.member, encode([Entry(10, OWN_CLOCK_MAX, CURSOR)]), 0.0))
    one.do(one.room.attendance.hear(eve.person.member, steps(OWN_CLOCK_MAX, OWN_CLOCK_MAX + 64 * 1_000), 0.0))
    assert one.room.roster.told(10) == OWN_CLOCK_MAX


def test_s8_nobody_is_refused_for_a_clock_that_was_driven_up_step_by_step() -> None:
    """However high somebody has shown under the id of one who was away: that one may be unseen, and stays."""
    one, _ = nodes()
    ada, eve = Page(10), Page(66)
    eve.come(one)
    for clock in range(OWN_CLOCK_MAX, COUNTED_ON_MAX + 1, 64):
        one.do(one.room.attendance.hear(eve.person.member, encode([Entry(10, clock, CURSOR)]), 0.0))
    one.do(one.room.attendance.tick())
    assert one.room.roster.told(10) == COUNTED_ON_MAX
    one.do(one.room.leave(eve.person.member))
    settle((one, ()))
    ada.come(one)
    for cursor in (1, 2, 3):
        ada.show(one, cursor)
        settle((one, (ada,)))
    assert one.expelled == {}
