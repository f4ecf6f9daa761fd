"""Every cell of the role table that Yjs frames decide; tests/api/test_matrix.py has those that HTTP decides.

For each role and each way in which something may be said, what comes of it: whether the document changes, whether
others hear of it, and that the connection stays.
"""

from collections.abc import Callable

import pytest
from pycrdt import merge_updates

from collab_server.closing import CloseCode
from collab_server.gate.awareness import Entry as PresenceEntry
from collab_server.gate.awareness import encode as encode_presence
from collab_server.wire import Kind
from studio.canonical import canonical
from studio.roles import Action, Role, may
from tests.collab_server.restrictions import entity, song
from tests.collab_server.rooms import SEED, Hands, Person, open_room

WRITES = "oe"
"""The roles whose frames change the document: owner and editor. Commenters work through commands, over HTTP."""

EDITS: dict[str, Callable[[Person], bytes]] = {
    "transport": lambda p: p.put("transport", "bpm", 90),
    "tempo": lambda p: p.put("tempo", "q_1", [0, 90, 0]),
    "signatures": lambda p: p.put("signatures", "g_1", [0, 3, 4]),
    "tracks": lambda p: p.track("t_new"),
    "clips": lambda p: entity(p, "clips", "c_new", track="t_mine", pos=0, take="c_new"),
    "lanes": lambda p: p.put("lanes", "t_mine.gain", {"on": True, "min": 0, "max": 1, "def": 0}),
    "points": lambda p: p.put("points", "t_mine.gain/p_9", [0, 0.5, 1]),
    "effects": lambda p: p.field("effects", "e_mine", "p.cutoff", 3),
    "sends": lambda p: p.field("sends", "t_mine>master", "gain_db", -9),
    "events": lambda p: p.put("events", "c_mine/n_9", [0, 240, 60, 0.5]),
    "markers": lambda p: p.marker("m_new", 0, "x"),
    "notes": lambda p: p.note("n_new", "x"),
    "arrangement": lambda p: p.put("arrangement", "s_1", {"order": "a", "name": "A", "bars": 4}),
    "slots": lambda p: p.put("slots", "t_mine:0", {"clip": "c_mine", "color": None}),
    "a removal": lambda p: p.edit(lambda roots: roots["points"].pop("t_mine.gain/p_1")),
    "a soft deletion": lambda p: p.field("clips", "c_mine", "deleted", ["u", 1]),
}
WAYS: dict[str, Callable[[Hands, Person, bytes], None]] = {
    "update": lambda hands, person, update: hands.edit(person, update),
    "step2": lambda hands, person, update: hands.do(hands.room.edit(person.member, update, merge=True)).tick(),
    "hidden": lambda hands, person, update: hands.edit(person, merge_updates(SEED, update)),
    "said twice": lambda hands, person, update: hands.edit(person, update, update),
}


def desk(role: Role) -> tuple[Hands, Person, Person]:
    hands, ada, bob = Hands(open_room(song())), Person(10), Person(11, role=role)
    hands.join(ada, bob)
    return hands, ada, bob


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("edit", EDITS)
def test_s5_who_may_not_write_changes_nothing_by_any_frame(edit: str, way: str, role: Role) -> None:
    """Musical roots, markers, notes: an owner's and an editor's frame counts, a commenter's or viewer's does not."""
    hands, ada, bob = desk(role)
    before = canonical(hands.room.doc)
    WAYS[way](hands, bob, EDITS[edit](bob))
    after = canonical(hands.room.doc)
    told = [said for said, _ in ada.heard()]
    denied = [said for said, _ in bob.heard()].count(Kind.AUTH)
    assert bob.member not in hands.expelled
    if role[0] in WRITES:
        assert (after != before, bool(told), denied) == (True, True, 0)
    else:
        assert (after, told, denied, hands.commit()) == (before, [], 1, None)


@pytest.mark.parametrize("role", Role)
def test_who_may_not_write_any_more_is_stopped_in_the_middle_of_a_drag(role: Role) -> None:
    """The express lane asks for the role with every frame."""
    hands, _, bob = desk(Role.EDITOR)
    hands.edit(bob, *[bob.field("tracks", "t_mine", "gain_db", -step) for step in range(5)])
    hands.do(hands.room.change_role(bob.member, role))
    hands.edit(bob, *[bob.field("tracks", "t_mine", "gain_db", -step) for step in range(5, 9)])
    assert canonical(hands.room.doc)["tracks"]["t_mine"]["gain_db"] == (-8 if role[0] in WRITES else -4)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("root", ["meta", "assets"])
def test_nobody_writes_the_servers_roots(root: str, role: Role) -> None:
    """Rights, splits and assets are the server's: whoever may write is closed, who may not is denied."""
    hands, _, bob = desk(role)
    before = canonical(hands.room.doc)
    hands.edit(bob, bob.put(root, "name", "Mine"))
    assert canonical(hands.room.doc) == before
    code, _ = hands.expelled.get(bob.member, (None, ""))
    assert code == (CloseCode.NOT_ALLOWED if role[0] in WRITES else None)


@pytest.mark.parametrize("role", Role)
def test_nobody_locks_a_track_by_a_frame(role: Role) -> None:
    """`lock` is the server's field: what a client writes there is undone."""
    hands, _, bob = desk(role)
    hands.edit(bob, bob.field("tracks", "t_mine", "lock", [str(bob.user), 10**14]))
    assert canonical(hands.room.doc)["tracks"]["t_mine"].get("lock") is None


@pytest.mark.parametrize("role", Role)
def test_everybody_reads_asks_and_is_seen(role: Role) -> None:
    """Step1 is answered, edits are heard, and presence is shown with the role as the server knows it."""
    hands, ada, bob = desk(role)
    assert bob.json() == canonical(hands.room.doc)
    hands.edit(ada, ada.track("t_new"))
    hands.do(hands.room.attendance.hear(bob.member, encode_presence([PresenceEntry(11, 1, '{"cursor":4}')]), 0.0))
    hands.presence_tick()
    bob.listen()
    assert bob.json() == canonical(hands.room.doc)
    assert [payload for kind, payload in ada.heard() if kind is Kind.AWARENESS and role.value.encode() in payload]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("credited", [True, False])
def test_credit_is_no_part_of_the_role(role: Role, credited: bool) -> None:
    """`credited` is shown beside the name, changes while connected, and decides about nothing."""
    hands, ada, bob = desk(role)
    hands.do(hands.room.attendance.hear(bob.member, encode_presence([PresenceEntry(11, 1, "{}")]), 0.0))
    hands.do(hands.room.change_role(bob.member, role, None, credited))
    hands.presence_tick()
    heard = b"".join(payload for kind, payload in ada.heard() if kind is Kind.AWARENESS)
    assert f'"credited":{str(credited).lower()}'.encode() in heard.replace(b": ", b":")
    assert bob.member.writes is may(role, Action.WRITE)
