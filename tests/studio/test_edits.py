"""The server's own edits: checked, one transaction each, seen by everybody."""

from collections.abc import Callable
from typing import Any

import pytest
from pycrdt import Doc

from studio import edits
from studio.canonical import canonical
from studio.errors import Invalid, NotFound
from tests.studio.peers import PycrdtPeer, Room
from tests.studio.stage import SONG, clip, new, put
from tests.yjs_peer.peer import Yjs

Edit = Callable[["Doc[Any]"], object]


@pytest.fixture
def doc() -> "Doc[Any]":
    peer = PycrdtPeer(10)
    peer.apply(Room().doc.get_update())
    peer.edit(*SONG)
    return peer.doc


def transactions(doc: "Doc[Any]", change: Edit) -> int:
    """How many updates a change makes."""
    made: list[bytes] = []
    subscription = doc.observe(lambda event: made.append(event.update))
    change(doc)
    doc.unobserve(subscription)
    return len(made)


def test_a_marker_lives_from_adding_to_deleting(doc: "Doc[Any]") -> None:
    """Added, changed, deleted softly; deleted it cannot be found."""
    made = edits.add_marker(doc, "m_1", "u", 5, tick=960, label="Verse", end=1920, kind="section")
    assert made["id"] == "m_1"
    assert canonical(doc)["markers"]["m_1"] == {key: value for key, value in made.items() if key != "id"}
    assert edits.edit_marker(doc, "m_1", {"label": "Chorus", "tick": 0})["label"] == "Chorus"
    edits.delete_marker(doc, "m_1", "u", 9)
    assert canonical(doc)["markers"]["m_1"]["deleted"] == ["u", 9]
    with pytest.raises(NotFound):
        edits.edit_marker(doc, "m_1", {"label": "x"})


def test_a_note_lives_from_adding_to_deleting(doc: "Doc[Any]") -> None:
    """Added, answered where its head stands, changed, resolved, reopened, deleted."""
    edits.add_note(doc, "n_1", "u", 5, body="zu läut 😀", anchor=["c", "c_1", 50])
    assert edits.add_note(doc, "n_2", "v", 6, body="no", parent="n_1")["anchor"] == ["c", "c_1", 50]
    assert edits.edit_note(doc, "n_1", "zu laut 😀!")["body"] == "zu laut 😀!"
    assert edits.resolve_note(doc, "n_1", "v", 7)["resolved"] == ["v", 7]
    assert edits.resolve_note(doc, "n_1", "v", 8, resolved=False)["resolved"] is None
    edits.delete_note(doc, "n_1", "u", 9)
    with pytest.raises(NotFound):
        edits.resolve_note(doc, "n_1", "u", 10)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda d: edits.add_marker(d, "m_1", "u", 1, tick=-1, label="x"), "tick"),
        (lambda d: edits.add_marker(d, "m_1", "u", 1, tick=5, end=5, label="x"), "end"),
        (lambda d: edits.add_marker(d, "m_1", "u", 1, tick=5, label="x" * 81), "label"),
        (lambda d: edits.add_marker(d, "m_1", "u", 1, tick=5, label="x", kind="party"), "kind"),
        (lambda d: edits.add_marker(d, "m_1", "u", 1, tick=5, label="x", color="red"), "color"),
        (lambda d: edits.edit_marker(d, "m_0", {"by": "v"}), "by"),
        (lambda d: edits.edit_marker(d, "m_0", {"end": 1}), "end"),
        (lambda d: edits.add_note(d, "n_1", "u", 1, body=" "), "body"),
        (lambda d: edits.add_note(d, "n_1", "u", 1, body="é" * 4001), "body"),
        (lambda d: edits.add_note(d, "n_1", "u", 1, body="x", anchor=["t", -5]), "anchor"),
        (lambda d: edits.rename(d, " "), "name"),
        (lambda d: edits.rename(d, "x" * 121), "name"),
    ],
)
def test_what_repair_would_change_is_refused(doc: "Doc[Any]", change: Edit, field: str) -> None:
    """The field is named and nothing is written."""
    edits.add_marker(doc, "m_0", "u", 1, tick=5, label="x")
    before = canonical(doc)
    with pytest.raises(Invalid) as refused:
        change(doc)
    assert refused.value.field == field
    assert canonical(doc) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda d: edits.add_note(d, "n_1", "u", 1, body="x", anchor=["c", "c_none", 5]),
        lambda d: edits.add_note(d, "n_1", "u", 1, body="x", parent="n_none"),
        lambda d: edits.add_note(d, "n_1", "u", 1, body="x", track="t_none"),
        lambda d: edits.delete_marker(d, "m_none", "u", 1),
    ],
)
def test_what_is_not_there_is_not_found(doc: "Doc[Any]", change: Edit) -> None:
    """Nothing hangs on nothing."""
    with pytest.raises(NotFound):
        change(doc)


def test_each_edit_is_one_transaction(doc: "Doc[Any]") -> None:
    """One update each, none for a restore that changes nothing."""
    assert transactions(doc, lambda d: edits.add_marker(d, "m_1", "u", 1, tick=5, label="x")) == 1
    assert transactions(doc, lambda d: edits.edit_marker(d, "m_1", {"tick": 6, "label": "y"})) == 1
    assert transactions(doc, lambda d: edits.add_note(d, "n_1", "u", 1, body="é")) == 1
    assert transactions(doc, lambda d: edits.edit_note(d, "n_1", "ée")) == 1
    assert transactions(doc, lambda d: edits.rename(d, "New")) == 1
    assert transactions(doc, lambda d: edits.restore(d, canonical(d), "u", 1)) == 0


def test_a_fork_is_a_project_of_its_own(doc: "Doc[Any]") -> None:
    """The music is the same, the facts are new."""
    before = canonical(doc)
    edits.become_fork(doc, project_id="p2", name="Fork", parent="p@s", created_by="v", now_ms=9)
    after = canonical(doc)
    assert after["meta"] == {
        "schema": 1,
        "project_id": "p2",
        "name": "Fork",
        "parent": "p@s",
        "created_by": "v",
        "created_at": 9,
    }
    assert {**after, "meta": None} == {**before, "meta": None}


def test_S15_restore_goes_back_by_going_forward(yjs: Yjs) -> None:
    """Changed keys return, new entities are in the trash, removed ones come back, and it can itself be undone."""
    room, peer = Room(), yjs.open(10)
    room.sync(peer)
    peer.edit(*SONG, new("markers", "m_1", {"tick": 5}), ("set", "tempo", "", "p_1", [960, 90, 0]))
    edits.add_note(room.doc, "n_1", "u", 1, body="old wörds 😀")
    room.sync(peer)
    then = room.json()
    peer.edit(*put("clips", "c_1", pos=960, deleted=["u", 1], fresh=1), ("delete", "tracks", "t_3", ""))
    peer.edit(new("clips", "c_2", clip(take="c_2")), ("delete", "tempo", "", "p_1"), *put("transport", "", bpm=99))
    peer.edit(("remove", "notes", "n_1", "body", 0, 4), ("set", "signatures", "", "s_1", [0, 3, 4]))
    room.sync(peer)
    changed = room.json()
    edits.restore(room.doc, then, "v", 9)
    room.sync(peer)
    back = room.json()
    assert back["clips"].pop("c_2")["deleted"] == ["v", 9]
    assert back == then
    edits.restore(room.doc, changed, "v", 10)
    room.sync(peer)
    again = room.json()
    assert again == peer.json()
    assert again["tracks"].pop("t_3")["deleted"] == ["v", 10]
    assert again == changed


def test_S15_an_offline_edit_survives_inside_what_a_restore_deletes(yjs: Yjs) -> None:
    """A clip made after the snapshot is deleted by the restore while somebody edits it: the edit is inside."""
    room, peer = Room(), yjs.open(10)
    room.sync(peer)
    peer.edit(*SONG)
    room.sync(peer)
    then = room.json()
    peer.edit(new("clips", "c_2", clip(take="c_2")))
    room.sync(peer)
    edits.restore(room.doc, then, "v", 9)
    peer.edit(*put("clips", "c_2", gain_db=-9), *put("tracks", "t_2", name="Offline"))
    room.sync(peer)
    room.sync(peer)
    assert room.json() == peer.json()
    assert room.json()["clips"]["c_2"] | {"deleted": None} == then["clips"]["c_1"] | {"take": "c_2", "gain_db": -9}
    assert room.json()["tracks"]["t_2"]["name"] == "Offline"


def test_a_restore_keeps_locks_and_facts(doc: "Doc[Any]") -> None:
    """meta and locks are not music."""
    then = canonical(doc)
    edits.rename(doc, "Later")
    doc["tracks"]["t_1"]["lock"] = ["u", 5.0]
    assert edits.restore(doc, then, "v", 9) == 0
    assert canonical(doc)["meta"]["name"] == "Later"
