"""Tests of who may change what in a room: readers, changed roles, and the roots that are the server's own."""

import pytest
from pycrdt import Map, merge_updates

from collab_server.closing import CloseCode
from collab_server.wire import EMPTY_UPDATE, Kind
from persistence.body import decode
from studio.canonical import canonical
from studio.roles import Role
from tests.collab_server.rooms import Person, desk, expelled, replay


@pytest.mark.parametrize("role", [Role.VIEWER, Role.COMMENTER])
@pytest.mark.parametrize("merge", [False, True])
def test_s5_a_reader_who_writes_is_denied_once_and_unheard(role: Role, merge: bool) -> None:
    """Update or Step2 of a viewer or commenter reaches neither document, peer nor journal; they are told once."""
    ada, eve = Person(10), Person(66, role=role)
    hands = desk(ada, eve)
    before = canonical(hands.room.doc)
    for update in (eve.track("t_evil"), eve.put("transport", "bpm", 33)):
        hands.do(hands.room.edit(eve.member, update, merge=merge))
    assert not hands.room.gathering
    assert [kind for kind, _ in eve.heard()] == [Kind.AUTH]
    assert ada.heard() == []
    assert canonical(hands.room.doc) == before
    assert expelled(hands, eve) is None


def test_s5_a_reader_cannot_hide_an_edit_in_a_merged_update() -> None:
    """A viewer's update merged with what everybody knows already is refused as a whole."""
    ada, eve = Person(10), Person(66, role=Role.VIEWER)
    hands = desk(ada, eve)
    hands.edit(ada, ada.track("t_1"))
    eve.listen()
    hidden = merge_updates(hands.room.state(), eve.put("transport", "bpm", 33))
    hands.do(hands.room.edit(eve.member, hidden, merge=True))
    assert not hands.room.gathering
    assert [kind for kind, _ in eve.heard()] == [Kind.AUTH]


def test_s5_a_reader_who_repeats_what_all_know_is_not_denied() -> None:
    """A returning viewer's Step2 holds old deletions: no attempt to write, and no word about it."""
    ada, eve = Person(10), Person(66, role=Role.VIEWER)
    hands = desk(ada, eve)
    hands.edit(ada, ada.track("t_1"), ada.field("tracks", "t_1", "name", "Bass"))
    eve.listen()
    answer = eve.doc.get_update(hands.room.vector())
    assert answer != EMPTY_UPDATE
    hands.do(hands.room.edit(eve.member, answer, merge=True))
    assert eve.heard() == []
    assert not hands.room.gathering


def test_s10_a_role_counts_from_the_next_frame_on() -> None:
    """Demoted during a drag: what came before stays, what comes after is dropped, the client is told at once."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.edit(ada, ada.track("t_1", gain_db=-1))
    bob.listen()
    hands.do(hands.room.change_role(ada.member, Role.VIEWER))
    hands.edit(ada, ada.field("tracks", "t_1", "gain_db", -2), ada.field("tracks", "t_1", "gain_db", -3))
    assert [kind for kind, _ in ada.heard()] == [Kind.AUTH]
    assert bob.heard() == []
    assert canonical(hands.room.doc)["tracks"]["t_1"]["gain_db"] == -1
    hands.do(hands.room.change_role(ada.member, Role.EDITOR))
    hands.do(hands.room.edit(ada.member, ada.doc.get_update(hands.room.doc.get_state()), merge=True))
    hands.tick()
    assert canonical(hands.room.doc)["tracks"]["t_1"]["gain_db"] == -3


@pytest.mark.parametrize(("root", "key"), [("meta", "name"), ("meta", "evil"), ("assets", "a_1"), ("backdoor", "x")])
def test_s6_server_roots_and_unknown_roots_are_refused(root: str, key: str) -> None:
    """An editor who writes meta, assets or a root that does not exist is sent away with 4403."""
    ada, eve = Person(10), Person(66)
    hands = desk(ada, eve)
    before = canonical(hands.room.doc)
    eve.doc[root] = eve.doc.get(root, type=Map)
    hands.edit(eve, eve.put(root, key, "forged"))
    assert expelled(hands, eve) == CloseCode.NOT_ALLOWED
    assert ada.heard() == []
    assert canonical(hands.room.doc) == before


def test_s6_what_the_server_wrote_cannot_be_deleted() -> None:
    """A forged deletion of the project's own facts leaves them as they were, for everybody and in the journal."""
    ada, eve = Person(10), Person(66)
    hands = desk(ada, eve)
    before = canonical(hands.room.doc)
    hands.edit(eve, eve.edit(lambda roots: [roots["meta"].pop(key) for key in ("schema", "project_id", "name")]))
    ada.listen()
    flight = hands.commit()
    assert ada.json() == canonical(hands.room.doc) == before
    if flight is not None and flight.batch is not None:
        assert canonical(replay([decode(flight.batch.body)])) == before
