"""Tests of client ids: whose they are, and that nobody writes under somebody else's."""

from uuid import UUID

import pytest

from collab_server.closing import CloseCode
from collab_server.gate.awareness import Entry as PresenceEntry
from collab_server.gate.awareness import encode as encode_presence
from collab_server.gate.limits import Limits as GateLimits
from collab_server.gate.vector import inspect_vector
from collab_server.roster import stamp
from persistence.body import Entry
from studio.canonical import canonical
from studio.roles import Role
from tests.collab_server.gate.forge import Section, Struct, encode
from tests.collab_server.rooms import REPAIRER, SEED, Hands, Person, desk, expelled, open_room

ANY_7 = b"\x01\x7d\x07"
"""One plain value, the number 7."""


def test_s12_a_client_id_belongs_to_its_first_writer() -> None:
    """Somebody else's client id is refused, in this session and after a reload; its owner goes on."""
    ada, eve = Person(10), Person(10)
    hands = desk(ada, eve)
    hands.edit(ada, ada.track("t_1"))
    eve.listen()
    forged = encode([Section(10, 9, [Struct(8, 1, ANY_7, parent="transport", key="bpm")])], {})
    hands.edit(eve, forged)
    assert expelled(hands, eve) == CloseCode.NOT_ALLOWED
    hands.edit(ada, ada.field("tracks", "t_1", "name", "mine"))
    assert expelled(hands, ada) is None
    late = Hands(open_room([ada.doc.get_update(Person(0).know(SEED).doc.get_state())], clients={10: ada.user}))
    mallory = Person(10)
    late.join(mallory)
    late.edit(mallory, mallory.put("transport", "bpm", 66))
    assert expelled(late, mallory) == CloseCode.NOT_ALLOWED


def test_s12_two_tabs_with_one_client_id_are_told_apart() -> None:
    """The same person's second tab that writes other content under used clocks is refused."""
    ada = Person(10)
    twin = Person(10, user=ada.user)
    hands = desk(ada, twin)
    hands.edit(ada, ada.put("transport", "bpm", 90))
    hands.edit(twin, twin.put("transport", "bpm", 60))
    assert expelled(hands, twin) == CloseCode.NOT_ALLOWED
    assert canonical(hands.room.doc)["transport"]["bpm"] == 90


def test_s12_a_person_returns_under_the_same_client_id() -> None:
    """A reconnect, even before the old connection is known dead, goes on where it was."""
    ada = Person(10)
    hands = desk(ada)
    hands.edit(ada, ada.track("t_1"))
    back = ada.again()
    hands.join(back)
    hands.do(hands.room.edit(back.member, ada.field("tracks", "t_1", "name", "offline"), merge=True))
    hands.edit(back, ada.field("tracks", "t_1", "name", "online"))
    assert not hands.expelled
    assert canonical(hands.room.doc)["tracks"]["t_1"]["name"] == "online"


def test_s12_a_person_who_comes_from_another_node_goes_on_writing() -> None:
    """What somebody wrote through another node is no reason to refuse them here."""
    ada = Person(10)
    hands = desk(ada)
    hands.do(hands.room.grow(2, [Entry(ada.user, ada.track("t_1"))]))
    hands.edit(ada, ada.field("tracks", "t_1", "name", "from here"))
    assert not hands.expelled
    assert canonical(hands.room.doc)["tracks"]["t_1"]["name"] == "from here"


@pytest.mark.parametrize("client", [1, REPAIRER])
def test_s12_the_servers_own_client_ids_are_reserved(client: int) -> None:
    """Nobody writes with the seed's id or the id under which this room repairs."""
    eve = Person(0)
    hands = desk(eve)
    clock = inspect_vector(hands.room.vector(), GateLimits()).get(client, 0)
    update = encode([Section(client, clock, [Struct(8, 1, ANY_7, parent="transport", key="bpm")])], {})
    hands.edit(eve, update)
    assert expelled(hands, eve) == CloseCode.NOT_ALLOWED


def test_a_client_that_says_everything_again_is_no_second_writer() -> None:
    """A stock client that loads its own store after connecting sends the whole state as an Update: nobody has to go."""
    ada, bob = Person(10), Person(20)
    hands = desk(ada, bob)
    hands.edit(ada, ada.track("t_1"))
    hands.edit(bob, hands.room.state())
    assert not hands.expelled
    hands.edit(ada, ada.field("tracks", "t_1", "name", "still here"))
    assert canonical(hands.room.doc)["tracks"]["t_1"]["name"] == "still here"


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize("merge", [False, True])
def test_s12_nobody_writes_first_under_the_id_of_an_editor_who_is_here(merge: bool, elsewhere: bool) -> None:
    """Whoever is present under an id and may write has it, on whichever node; a reader's presence keeps nobody out."""
    ada, vera, eve = Person(501), Person(502, role=Role.VIEWER), Person(666)
    hands = desk(ada, vera, eve)
    shown = [PresenceEntry(501, 1, stamp("{}", ada.member)), PresenceEntry(502, 1, stamp("{}", vera.member))]
    if elsewhere:
        hands.do(hands.room.attendance.hear_node(UUID(int=101), shown, 0.0))
    else:
        for person, entry in zip((ada, vera), shown, strict=True):
            hands.do(hands.room.attendance.hear(person.member, encode_presence([entry]), 0.0))
    forger = Person(501, user=eve.user).know(SEED)
    forged = forger.track("t_1")
    before = hands.room.state()
    hands.do(hands.room.edit(eve.member, forged, merge=merge))
    assert expelled(hands, eve) == (CloseCode.TRY_AGAIN_LATER if merge else CloseCode.NOT_ALLOWED)
    hands.tick()
    assert hands.room.state() == before
    hands.edit(ada, ada.track("t_2"))
    assert ada.member not in hands.expelled
    free = Person(502)
    hands.join(free)
    hands.edit(free, free.track("t_3"))
    assert {"t_2", "t_3"} <= canonical(hands.room.doc)["tracks"].keys()
