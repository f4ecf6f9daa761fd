"""Tests of what a room lets in: gaps and repeats, roles, reserved roots and client ids, lost work that comes back."""

from uuid import UUID

import pytest
from pycrdt import Map, merge_updates

from collab_server.closing import CloseCode
from collab_server.effects import KeepDraft, Send
from collab_server.gate.awareness import Entry as PresenceEntry
from collab_server.gate.awareness import encode as encode_presence
from collab_server.gate.limits import TRUSTED
from collab_server.gate.limits import Limits as GateLimits
from collab_server.gate.update import inspect
from collab_server.gate.vector import inspect_vector
from collab_server.loss import Loss
from collab_server.room import Room
from collab_server.roster import stamp
from collab_server.settings import Limits
from collab_server.wire import EMPTY_UPDATE, Kind
from persistence.body import Entry, decode
from studio.blank import open_doc
from studio.canonical import canonical
from studio.roles import Role
from tests.collab_server.gate.forge import Section, Struct, encode
from tests.collab_server.rooms import DIALECT, REPAIRER, SEED, Hands, Person, desk, expelled, open_room, replay

ANY_7 = b"\x01\x7d\x07"
"""One plain value, the number 7."""


def test_s2_an_update_before_its_predecessor_is_not_applied_but_asked_for() -> None:
    """A gap is answered with Step1; the client's answer to it brings everything and all agree."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    ada.track("t_1")
    second = ada.field("tracks", "t_1", "name", "Bass")
    (effect,) = hands.room.edit(ada.member, second)
    assert isinstance(effect, Send)
    assert effect.data == DIALECT.step1(hands.room.doc.get_state())
    assert "t_1" not in hands.room.doc["tracks"]
    hands.do(hands.room.edit(ada.member, ada.doc.get_update(hands.room.doc.get_state()), merge=True))
    hands.tick()
    bob.listen()
    assert bob.json() == ada.json() == canonical(hands.room.doc)


def test_s2_a_deletion_of_what_is_unknown_is_a_gap_too() -> None:
    """A delete set that names clocks nobody has is not applied."""
    ada = Person(10)
    hands = desk(ada)
    (effect,) = hands.room.edit(ada.member, encode([], {10: [(0, 3)]}))
    assert isinstance(effect, Send)
    assert not hands.room.gathering


def test_s3_the_same_update_three_times_is_one_row() -> None:
    """Repeats change nothing, tell nobody and are recorded nowhere, but each is acknowledged."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    update = ada.track("t_1")
    hands.edit(ada, update)
    first = hands.commit()
    assert first is not None
    assert first.batch is not None
    bob.take()
    ada.take()
    for _ in range(2):
        hands.edit(ada, update)
        again = hands.commit()
        assert again is not None
        assert again.batch is None
        assert ada.heard() == [(Kind.UPDATE, update)]
    assert bob.heard() == []
    assert hands.room.head == 2


def test_s3_repeats_within_one_tick_are_told_once() -> None:
    """The same update three times between two ticks is one edit to everybody else."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    update = ada.track("t_1")
    hands.edit(ada, update, update, update)
    assert bob.heard() == [(Kind.UPDATE, update)]
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is not None
    assert [entry.update for entry in decode(flight.batch.body)] == [update]
    assert ada.heard() == [(Kind.UPDATE, update)] * 3


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


def test_s1_work_of_another_lineage_is_kept_as_a_draft() -> None:
    """A Step2 that brings its own project facts is merged with nothing, kept, and its author told 4409."""
    eve = Person(66)
    hands = desk(eve)
    before = canonical(hands.room.doc)
    stranger = Person(67)
    foreign = stranger.put("meta", "name", "Another song")
    hands.do(hands.room.edit(eve.member, foreign, merge=True))
    assert hands.drafts == [KeepDraft(eve.member, foreign)]
    assert expelled(hands, eve) == CloseCode.EPOCH_CHANGED
    assert canonical(hands.room.doc) == before


def test_s1_of_another_lineage_even_deletions_are_kept() -> None:
    """A copy of an earlier epoch comes with the project's facts, which are known, and a deletion, which is not; without
    one it has nothing to tell."""
    ada, eve, again = Person(10), Person(66), Person(67)
    hands = desk(ada, eve, again)
    hands.edit(ada, ada.track("t_1"))
    copy = Person(68).know(hands.room.state())
    hands.do(hands.room.edit(eve.member, copy.doc.get_update(), merge=True))
    assert (hands.drafts, expelled(hands, eve)) == ([], None)
    copy.edit(lambda roots: roots["tracks"].pop("t_1"))
    hands.do(hands.room.edit(again.member, copy.doc.get_update(), merge=True))
    assert expelled(hands, again) == CloseCode.EPOCH_CHANGED
    assert [draft.member for draft in hands.drafts] == [again.member]
    assert "t_1" in canonical(hands.room.doc)["tracks"]


@pytest.mark.parametrize("update", [b"", b"\x01", b"\x00", b"\x00\x00\x00", b"\x05" * 40, b"\xff" * 30])
def test_s4_junk_ends_that_connection_alone(update: bytes) -> None:
    """Cut, trailing or random bytes: 4400 for their sender, nothing for anybody else."""
    ada, eve = Person(10), Person(66)
    hands = desk(ada, eve)
    hands.edit(eve, update)
    assert expelled(hands, eve) == CloseCode.MALFORMED
    assert expelled(hands, ada) is None
    assert ada.heard() == []


def test_s4_too_much_is_4413() -> None:
    """An update over the limit, and one that would make the document too large, end their connection."""
    ada, bob = Person(10), Person(11)
    hands = Hands(open_room(limits=Limits(update_bytes_max=5_000, document_bytes_max=6_000)))
    hands.join(ada, bob)
    hands.edit(ada, ada.note("n_1", "x" * 5_000))
    assert expelled(hands, ada) == CloseCode.TOO_LARGE
    hands.edit(bob, bob.note("n_2", "x" * 3_000))
    assert expelled(hands, bob) is None
    hands.edit(bob, bob.note("n_3", "x" * 3_000))
    assert expelled(hands, bob) == CloseCode.TOO_LARGE


def lost_work(room: Room, author: Person) -> bytes:
    """An edit of `author` that a friend heard and that this room has lost."""
    friend = Person(20)
    friend.doc.apply_update(room.state())
    author.track("t_1")
    update = author.field("tracks", "t_1", "name", "told, not saved")
    friend.doc.apply_update(author.doc.get_update())
    assert update
    return friend.doc.get_update(room.doc.get_state())


@pytest.mark.parametrize("deleted", [True, False])
def test_an_item_whose_beginning_was_collected_goes_on_only_in_what_is_deleted(deleted: bool) -> None:
    """Somebody typed on offline in a note that is gone: that is welcome, and has no effect. In a note that lives yrs
    would put the rest where no copy has it."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.edit(ada, ada.note("n_1", "la", author=str(ada.user)))
    bob.listen()
    state = hands.room.state()
    if deleted:
        hands.edit(bob, bob.edit(lambda roots: roots["notes"].pop("n_1")))
    body = next(id for id, kind in inspect(state, TRUSTED).types.items() if kind == 2)
    clock = inspect_vector(hands.room.vector(), GateLimits())[10]
    hands.edit(ada, encode([Section(10, clock, [Struct(0, 2, b"\x02")])], {}))
    hands.edit(ada, encode([Section(10, clock, [Struct(4, 4, b"\x04ssss", parent=body)])], {}))
    assert expelled(hands, ada) == (None if deleted else CloseCode.MALFORMED)
    copy = open_doc()
    copy.apply_update(hands.room.state())
    assert canonical(copy) == canonical(hands.room.doc)
    assert not deleted or canonical(copy)["notes"] == {}


@pytest.mark.parametrize("salvage", [True, False])
def test_s13_lost_work_comes_back_for_its_absent_author_only_after_a_loss(salvage: bool) -> None:
    """A friend's Step2 may hold what an absent author had told, but only when a server may have died with it.

    Until that is known the friend is asked to come back."""
    ada, friend = Person(10), Person(30)
    hands = desk(friend, ada)
    hands.edit(ada, ada.put("transport", "bpm", 99))
    hands.do(hands.room.leave(ada.member))
    answer = lost_work(hands.room, ada)
    loss = Loss.HAPPENED if salvage else Loss.UNKNOWN
    hands.do(hands.room.edit(friend.member, answer, merge=True, loss=loss))
    hands.tick()
    assert ("t_1" in canonical(hands.room.doc)["tracks"]) is salvage
    assert expelled(hands, friend) == (None if salvage else CloseCode.TRY_AGAIN_LATER)
    assert hands.doubted is not salvage


def test_s13_nobody_brings_back_the_work_of_an_author_who_is_here() -> None:
    """An author who is connected needs no help: what another brings is not taken, and its bringer comes back later."""
    ada, friend = Person(10), Person(30)
    hands = desk(friend, ada)
    hands.edit(ada, ada.put("transport", "bpm", 99))
    answer = lost_work(hands.room, ada)
    hands.do(hands.room.edit(friend.member, answer, merge=True, loss=Loss.HAPPENED))
    hands.tick()
    assert expelled(hands, friend) == CloseCode.TRY_AGAIN_LATER
    assert "t_1" not in canonical(hands.room.doc)["tracks"]


def test_s13_when_nothing_was_lost_work_of_others_that_stays_unknown_becomes_a_draft() -> None:
    """Whoever brings it is asked to come back once, as another node may be about to commit it. Nobody can write under
    an absent author's client id like that, whose own work would then be taken for known."""
    ada, friend = Person(10), Person(30)
    hands = desk(friend, ada)
    hands.edit(ada, ada.put("transport", "bpm", 99))
    hands.do(hands.room.leave(ada.member))
    answer = lost_work(hands.room, ada)
    hands.do(hands.room.edit(friend.member, answer, merge=True, loss=Loss.EXCLUDED))
    assert expelled(hands, friend) == CloseCode.TRY_AGAIN_LATER
    assert hands.doubted
    again = friend.again()
    hands.join(again)
    hands.do(hands.room.edit(again.member, answer, merge=True, loss=Loss.UNKNOWN))
    assert expelled(hands, again) == CloseCode.TRY_AGAIN_LATER
    once_more = friend.again()
    hands.join(once_more)
    hands.do(hands.room.edit(once_more.member, answer, merge=True, loss=Loss.EXCLUDED))
    hands.tick()
    assert expelled(hands, once_more) == CloseCode.EPOCH_CHANGED
    assert [draft.update for draft in hands.drafts] == [answer]
    assert "t_1" not in canonical(hands.room.doc)["tracks"]


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
        hands.do(hands.room.hear_node(UUID(int=101), shown, 0.0))
    else:
        for person, entry in zip((ada, vera), shown, strict=True):
            hands.do(hands.room.present(person.member, encode_presence([entry]), 0.0))
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
