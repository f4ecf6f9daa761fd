"""Tests of the room: what goes in, what comes out, and when."""

import math
from uuid import uuid4

import pytest
from pycrdt import Map, merge_updates

from collab_server.closing import CloseCode
from collab_server.effects import Expel, KeepDraft, Record, Relay, Send, SnapshotFirst, Spoil, Tick
from collab_server.gate.awareness import Entry as PresenceEntry
from collab_server.gate.awareness import encode as encode_presence
from collab_server.gate.limits import Limits as GateLimits
from collab_server.gate.vector import inspect_vector
from collab_server.room import Room
from collab_server.settings import Limits
from collab_server.wire import EMPTY_UPDATE, Kind
from persistence.body import Entry, decode
from studio.canonical import canonical
from studio.roles import Role
from tests.collab_server.gate.forge import Section, Struct, encode
from tests.collab_server.rooms import DIALECT, NOW_MS, REPAIRER, SEED, Hands, Person, open_room, replay

NOTHING = b"\x00"
ANY_7 = b"\x01\x7d\x07"
"""One plain value, the number 7."""


def desk(*people: Person) -> Hands:
    """A fresh room that these people have joined."""
    hands = Hands(open_room())
    hands.join(*people)
    return hands


def expelled(hands: Hands, person: Person) -> int | None:
    """The close code this person was sent away with."""
    code, _ = hands.expelled.get(person.member, (None, ""))
    return code


# ---------------------------------------------------------------------- coming and going


def test_a_newcomer_is_asked_what_it_has() -> None:
    """Joining sends Step1 with the room's state vector, and no presence while nobody is present."""
    hands, person = Hands(open_room()), Person(10)
    hands.do(hands.room.join(person.member))
    assert person.heard() == [(Kind.STEP1, hands.room.doc.get_state())]


def test_a_newcomer_hears_who_is_here() -> None:
    """Joining a room with somebody in it sends their presence right behind Step1."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada)
    hands.do(hands.room.present(ada.member, encode_presence([PresenceEntry(10, 1, '{"cursor":4}')]), 0.0))
    hands.do(hands.room.join(bob.member))
    (_, step1), (kind, payload) = bob.heard()
    assert step1 == hands.room.doc.get_state()
    assert (kind, payload) == (Kind.AWARENESS, hands.room.roster.snapshot())


def test_asking_with_nothing_gives_everything() -> None:
    """Step1 with an empty vector is answered with the whole document."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada)
    hands.edit(ada, ada.track("t_1"))
    hands.join(bob)
    assert bob.json() == ada.json() == canonical(hands.room.doc)


def test_asking_with_a_vector_gives_what_is_missing() -> None:
    """Step1 is answered with the difference alone."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    before = bob.doc.get_state()
    hands.edit(ada, ada.track("t_1", name="x" * 60))
    hands.do(hands.room.ask(bob.member, before))
    answers = [payload for kind, payload in bob.heard() if kind is Kind.STEP2]
    assert [len(answer) < len(SEED) for answer in answers] == [True]
    bob.doc.apply_update(answers[0])
    assert bob.json() == ada.json()


@pytest.mark.parametrize("vector", [b"", b"\x05", b"\x01\x01", b"\x00\x00", b"\xff" * 9])
def test_s4_a_broken_vector_ends_that_connection_alone(vector: bytes) -> None:
    """A state vector that is cut, lies about its count or has trailing bytes is answered with 4400."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.do(hands.room.ask(ada.member, vector))
    assert {member: code for member, (code, _) in hands.expelled.items()} == {ada.member: CloseCode.MALFORMED}


def test_leaving_keeps_what_was_written() -> None:
    """Who leaves before the tick has still edited."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.do(hands.room.edit(ada.member, ada.track("t_1")))
    hands.do(hands.room.leave(ada.member))
    hands.tick()
    bob.listen()
    assert bob.json() == ada.json()
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is not None


# ---------------------------------------------------------------------- the way of an edit


def test_an_edit_waits_for_the_tick_and_asks_for_one() -> None:
    """The first edit asks for a tick, the second rides along; both are told in one write."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    first, second = ada.track("t_1"), ada.field("tracks", "t_1", "name", "Bass")
    assert list(hands.room.edit(ada.member, first)) == [Tick()]
    assert list(hands.room.edit(ada.member, second)) == []
    assert hands.room.gathering
    hands.do(hands.room.tick(NOW_MS))
    assert len(bob.written) == 1
    bob.listen()
    assert bob.json() == ada.json() == canonical(hands.room.doc)


def test_a_lone_edit_is_relayed_byte_for_byte() -> None:
    """What came in is what goes out, to everybody but its author, who waits for the commit."""
    ada, bob, cid = Person(10), Person(11), Person(12)
    hands = desk(ada, bob, cid)
    update = ada.track("t_1")
    hands.edit(ada, update)
    assert bob.heard() == cid.heard() == [(Kind.UPDATE, update)]
    assert ada.heard() == []


def test_a_relay_is_one_frame_for_everybody() -> None:
    """All listeners of a dialect get the very same bytes object."""
    people = [Person(10 + number) for number in range(5)]
    hands = desk(*people)
    hands.do(hands.room.edit(people[0].member, people[0].track("t_1")))
    effects = hands.room.tick(NOW_MS)
    relays = [effect for effect in effects if isinstance(effect, Relay)]
    assert [set(relay.to) for relay in relays] == [{person.member for person in people[1:]}]
    assert any(isinstance(effect, Record) for effect in effects)


def test_acknowledged_only_after_the_commit_in_order_and_byte_for_byte() -> None:
    """Each edit comes back to its author as it was sent, first in first out, and only when its flight has landed."""
    ada = Person(10)
    hands = desk(ada)
    updates = [ada.track("t_1"), *(ada.field("tracks", "t_1", "gain_db", -number) for number in range(1, 9))]
    hands.edit(ada, *updates[:4])
    flight = hands.room.take()
    hands.edit(ada, *updates[4:])
    assert ada.heard() == []
    hands.do(hands.room.landed(flight, 2))
    assert ada.heard() == [(Kind.UPDATE, update) for update in updates[:4]]
    hands.commit()
    assert ada.heard() == [(Kind.UPDATE, update) for update in updates[4:]]
    assert hands.room.head == 3


def test_a_tick_of_many_authors_tells_each_the_others_edits() -> None:
    """Everybody hears of everybody's edits but their own, in the order of arrival."""
    ada, bob, cid = Person(10), Person(11), Person(12)
    hands = desk(ada, bob, cid)
    a1, b1 = ada.track("t_a"), bob.track("t_b")
    a2 = ada.field("tracks", "t_a", "name", "A")
    for person, update in ((ada, a1), (bob, b1), (ada, a2)):
        hands.do(hands.room.edit(person.member, update))
    hands.tick()
    assert [payload for _, payload in ada.heard()] == [b1]
    assert [payload for _, payload in bob.heard()] == [a1, a2]
    assert [payload for _, payload in cid.heard()] == [a1, b1, a2]


def test_the_journal_says_who_changed_what() -> None:
    """A flight carries the updates with their authors, the changed paths and the client ids that are new."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.edit(ada, ada.track("t_1"))
    bob.listen()
    hands.edit(bob, bob.field("tracks", "t_1", "name", "Bass"))
    hands.edit(bob, bob.put("transport", "bpm", 90))
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is not None
    changes = {change.author_id: (change.origin, change.edits, change.paths) for change in flight.batch.changes}
    assert changes == {
        ada.user: ("edit", 1, ("tracks/t_1",)),
        bob.user: ("edit", 2, ("tracks/t_1/name", "transport/bpm")),
    }
    assert dict(flight.batch.clients) == {10: ada.user, 11: bob.user}
    entries = decode(flight.batch.body)
    assert [entry.author for entry in entries][:1] == [ada.user]
    assert canonical(replay([entries])) == ada.json() | bob.json()


def test_an_empty_update_is_nothing() -> None:
    """The empty Step2 of a newcomer with nothing to add is neither told, recorded nor acknowledged."""
    ada = Person(10)
    hands = desk(ada)
    assert list(hands.room.edit(ada.member, EMPTY_UPDATE, merge=True)) == []
    assert not hands.room.gathering


def test_a_drag_in_one_tick_is_one_small_update_to_the_others() -> None:
    """A run of overwrites of one field may be joined for listeners; the author is acknowledged each as it was sent."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.edit(ada, ada.track("t_1"), ada.field("tracks", "t_1", "gain_db", 0.5))
    hands.commit()
    bob.listen()
    ada.take()
    drag = [ada.field("tracks", "t_1", "gain_db", -number / 4) for number in range(1, 60)]
    hands.edit(ada, *drag)
    told = b"".join(bob.written)
    bob.listen()
    assert len(told) <= sum(map(len, drag)) + 8 * len(drag)
    assert bob.json() == ada.json() == canonical(hands.room.doc)
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is not None
    assert ada.heard() == [(Kind.UPDATE, update) for update in drag]
    late = Person(12)
    hands.join(late)
    assert late.json() == ada.json()


# ---------------------------------------------------------------------- gaps and repeats


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


def test_a_deletion_alone_is_told_and_recorded_once() -> None:
    """An update without structs counts while its deletions are news."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.edit(ada, ada.track("t_1", spare=1))
    hands.commit()
    bob.listen()
    ada.take()
    update = ada.edit(lambda roots: roots["tracks"]["t_1"].pop("spare"))
    assert update[0] == 0
    hands.edit(ada, update)
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is not None
    bob.listen()
    assert "spare" not in bob.json()["tracks"]["t_1"]
    hands.edit(ada, update)
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is None
    assert bob.heard() == []


# ---------------------------------------------------------------------- who may not


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


# ---------------------------------------------------------------------- repair


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "loud", True, 1e308, "nested"], ids=str)
def test_s7_nobody_hears_an_invalid_value_without_its_repair(value: object) -> None:
    """What breaks the schema is repaired in the same write in which the others hear of it, and its author too."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.edit(ada, ada.track("t_1"))
    bob.listen()
    hands.edit(ada, ada.field("tracks", "t_1", "gain_db", Map() if value == "nested" else value))
    assert len(bob.written) == 1
    bob.listen()
    ada.listen()
    gain = bob.json()["tracks"]["t_1"]["gain_db"]
    assert isinstance(gain, int | float)
    assert not isinstance(gain, bool)
    assert math.isfinite(gain)
    assert abs(gain) < 200
    assert ada.json() == bob.json() == canonical(hands.room.doc)
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is not None
    assert (None, "repair") in {(change.author_id, change.origin) for change in flight.batch.changes}


def test_n5_a_forged_author_becomes_the_servers() -> None:
    """The author and time of a new note are those the server saw."""
    ada = Person(10)
    hands = desk(ada)
    hands.edit(ada, ada.note("n_1", "mine", author=str(uuid4()), at=5.0))
    note = canonical(hands.room.doc)["notes"]["n_1"]
    assert note["author"] == str(ada.user)
    assert note["at"] == NOW_MS


def test_what_an_older_server_let_pass_is_repaired_at_load() -> None:
    """A loaded document with an invalid value opens repaired, and the repair waits for the journal."""
    broken = Person(10).know(SEED).put("transport", "bpm", "fast")
    room = open_room([broken], clients={10: uuid4()})
    assert canonical(room.doc)["transport"]["bpm"] == 120
    flight = room.take()
    assert flight.batch is not None
    assert [change.origin for change in flight.batch.changes] == ["repair"]
    entries = [Entry(None, broken), *decode(flight.batch.body)]
    assert canonical(replay([entries])) == canonical(room.doc)


# ---------------------------------------------------------------------- offline work


def test_s1_much_offline_work_is_preceded_by_a_snapshot() -> None:
    """A Step2 of many edits asks for a snapshot of the document as it was; a few edits do not."""
    ada = Person(10)
    hands = desk(ada)
    hands.edit(ada, ada.track("t_1"))
    before = hands.room.state()
    for number in range(500):
        ada.field("tracks", "t_1", "gain_db", -(number % 60))
    hands.do(hands.room.edit(ada.member, ada.doc.get_update(hands.room.doc.get_state()), merge=True))
    assert hands.snapshots == [SnapshotFirst(ada.member, before)]
    hands.tick()
    assert canonical(hands.room.doc) == ada.json()
    ada.field("tracks", "t_1", "name", "a few more")
    hands.do(hands.room.edit(ada.member, ada.doc.get_update(hands.room.doc.get_state()), merge=True))
    assert len(hands.snapshots) == 1


def test_s1_an_answer_may_repeat_what_came_meanwhile_and_was_collected() -> None:
    """Step2 answers a state vector that is older than the updates sent since: of what its author has collected, a part
    is known here as living values, a part is not."""
    ada = Person(10)
    hands = desk(ada)
    hands.edit(ada, ada.track("t_1"))
    asked = hands.room.vector()
    hands.edit(ada, ada.field("tracks", "t_1", "name", "heard"))
    ada.field("tracks", "t_1", "gain_db", -6)
    ada.track("t_1", name="made anew")
    hands.do(hands.room.edit(ada.member, ada.doc.get_update(asked), merge=True))
    hands.tick()
    assert not hands.expelled
    assert canonical(hands.room.doc) == ada.json()


# ---------------------------------------------------------------------- other nodes, slow readers, spoiled rooms


def test_rows_of_other_nodes_are_applied_told_and_built_upon() -> None:
    """`grow` moves the head, tells everybody, and later updates may lean on what it brought."""
    ada, far = Person(10), Person(20)
    hands = desk(ada)
    far.know(SEED)
    row = far.track("t_far")
    hands.do(hands.room.grow(2, [Entry(far.user, row)]))
    assert hands.room.head == 2
    assert ada.listen() == [(Kind.UPDATE, row)]
    assert not hands.record_due
    hands.edit(ada, ada.field("tracks", "t_far", "name", "together"))
    assert canonical(hands.room.doc)["tracks"]["t_far"]["name"] == "together"


def test_a_row_heard_twice_changes_nothing() -> None:
    """The bus may repeat itself, and a node may hear of its own row."""
    ada = Person(10)
    hands = desk(ada)
    update = ada.track("t_1")
    hands.edit(ada, update)
    hands.commit()
    before = canonical(hands.room.doc)
    hands.do(hands.room.grow(2, [Entry(ada.user, update)]))
    assert canonical(hands.room.doc) == before
    assert hands.room.head == 2


def test_s20_a_slow_reader_gets_one_diff_and_its_own_acknowledgements() -> None:
    """Nothing is written while it lags; then one update brings it to the present, with its acknowledgements behind."""
    ada, slow = Person(10), Person(11)
    hands = desk(ada, slow)
    mine = slow.track("t_slow")
    hands.edit(slow, mine)
    slow.member.lag_vector = hands.room.vector()
    hands.edit(ada, ada.track("t_1"))
    for number in range(100):
        hands.edit(ada, ada.field("tracks", "t_1", "gain_db", -(number % 60)))
    hands.commit()
    assert slow.written == []
    hands.do(hands.room.resync(slow.member))
    heard = slow.listen()
    assert [kind for kind, _ in heard] == [Kind.STEP2, Kind.UPDATE]
    assert heard[-1][1] == mine
    assert len(heard[0][1]) < 2_000
    ada.listen()
    assert slow.json() == ada.json() == canonical(hands.room.doc)
    assert list(hands.room.resync(slow.member)) == []


def test_a_row_that_cannot_be_applied_spoils_the_room() -> None:
    """What yrs cannot take from the journal means that the document in memory is not to be trusted."""
    hands = desk(Person(10))
    (effect,) = hands.room.grow(2, [Entry(None, b"\x01\x01\x01")])
    assert isinstance(effect, Spoil)


def test_presence_offences_end_their_connection() -> None:
    """An awareness payload that cannot be read is 4400, one with an oversized state 4413."""
    eve = Person(66)
    hands = desk(eve)
    (effect,) = hands.room.present(eve.member, b"\x05\x01", 0.0)
    assert isinstance(effect, Expel)
    assert effect.code == CloseCode.MALFORMED
    large = encode_presence([PresenceEntry(66, 1, '{"x":"' + "y" * 5_000 + '"}')])
    (effect,) = hands.room.present(eve.member, large, 0.0)
    assert isinstance(effect, Expel)
    assert effect.code == CloseCode.TOO_LARGE


def lost_work(room: Room, author: Person) -> bytes:
    """An edit of `author` that a friend heard and that this room has lost."""
    friend = Person(20)
    friend.doc.apply_update(room.state())
    author.track("t_1")
    update = author.field("tracks", "t_1", "name", "told, not saved")
    friend.doc.apply_update(author.doc.get_update())
    assert update
    return friend.doc.get_update(room.doc.get_state())


@pytest.mark.parametrize("salvage", [True, False])
def test_s13_lost_work_comes_back_for_its_absent_author_only_after_a_loss(salvage: bool) -> None:
    """A friend's Step2 may hold what an absent author had told, but only when a server may have died with it.

    Until that is known the friend is asked to come back."""
    ada, friend = Person(10), Person(30)
    hands = desk(friend, ada)
    hands.edit(ada, ada.put("transport", "bpm", 99))
    hands.do(hands.room.leave(ada.member))
    answer = lost_work(hands.room, ada)
    hands.do(hands.room.edit(friend.member, answer, merge=True, salvage=salvage))
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
    hands.do(hands.room.edit(friend.member, answer, merge=True, salvage=True))
    hands.tick()
    assert expelled(hands, friend) == CloseCode.TRY_AGAIN_LATER
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


def test_a_newcomer_hears_no_edits_before_its_step1_was_answered() -> None:
    """An edit may lean on what the newcomer does not have; the answer to its Step1 has both."""
    ada, bob = Person(10), Person(11)
    hands = Hands(open_room())
    hands.join(ada)
    hands.do(hands.room.join(bob.member))
    hands.edit(ada, ada.track("t_1"))
    assert Kind.UPDATE not in {kind for kind, _ in bob.heard()}
    hands.do(hands.room.ask(bob.member, bob.doc.get_state()))
    bob.listen()
    hands.edit(ada, ada.track("t_2"))
    bob.listen()
    assert bob.json() == ada.json()
