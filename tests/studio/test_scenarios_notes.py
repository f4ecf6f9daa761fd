"""Scenarios §8.3: text, markers and comments."""

from studio.blank import blank, open_doc
from studio.canonical import canonical
from studio.edits import add_note, edit_note
from studio.repair import Stamp
from tests.studio.peers import SEED, Change, Room
from tests.studio.stage import BEAT, SONG, Scene, Stage, new, put, split
from tests.yjs_peer.peer import Yjs


def note(entity: str, body: str, **fields: object) -> list[Change]:
    base = {"anchor": ["t", 0], "track": None, "author": "u", "at": 1, "parent": None, "resolved": None}
    return [new("notes", entity, base | {"deleted": None} | fields), ("text", "notes", entity, "body", body)]


def ticks(scene: Scene) -> dict[str, float]:
    return {shown.id: shown.tick for shown in scene.view().notes}


def test_N1_two_typists_lose_no_code_point(stage: Stage) -> None:
    """Both type around accents and emoji: both texts are there, no code point lost or broken."""
    base = (*SONG, *note("n_1", "aé😀b"))
    scene = stage.play(
        [("insert", "notes", "n_1", "body", 4, "Ünï🎹"), ("remove", "notes", "n_1", "body", 0, 1)],
        [("insert", "notes", "n_1", "body", 2, "日本🎸"), ("remove", "notes", "n_1", "body", 8, 1)],
        base,
    )
    body = scene.json()["notes"]["n_1"]["body"]
    assert body == "é日本🎸😀Ünï🎹"


def test_N1_both_type_at_one_place(stage: Stage) -> None:
    """Two insertions between the same two code points: each whole, one after the other."""
    base = (*SONG, *note("n_1", "😀é"))
    scene = stage.play(
        [("insert", "notes", "n_1", "body", 2, "🎹ä")], [("insert", "notes", "n_1", "body", 2, "🎸ö")], base
    )
    assert scene.json()["notes"]["n_1"]["body"] in {"😀🎹ä🎸öé", "😀🎸ö🎹äé"}


def test_N1_the_servers_edit_keeps_what_somebody_types(yjs: Yjs) -> None:
    """An edit over HTTP replaces only what differs, counted in bytes where pycrdt wants bytes."""
    room, peer = Room(), yjs.open(10)
    add_note(room.doc, "n_1", "u", 1, body="Straße 😀 zu laut")
    room.sync(peer)
    peer.edit(("insert", "notes", "n_1", "body", 0, "→ "))
    edit_note(room.doc, "n_1", "Straße 😀😀 viel zu laut")
    room.sync(peer)
    assert peer.json() == room.json()
    assert room.json()["notes"]["n_1"]["body"] == "→ Straße 😀😀 viel zu laut"


def test_N2_a_reply_outlives_its_head(stage: Stage) -> None:
    """A deletes a note while B replies: the reply is kept under the removed head."""
    base = (*SONG, *note("n_1", "head"))
    scene = stage.play(put("notes", "n_1", deleted=["u", 5]), note("n_2", "reply", parent="n_1", at=2), base)
    head, reply = scene.view().notes
    assert (head.id, head.deleted) == ("n_1", True)
    assert (reply.body, reply.parent, reply.deleted) == ("reply", "n_1", False)


def test_N2_a_reply_to_a_removed_note_is_a_head(stage: Stage) -> None:
    """A foreign client removes the head for good: the reply stands alone (R16)."""
    base = (*SONG, *note("n_1", "head"))
    scene = stage.play([("delete", "notes", "n_1", "")], note("n_2", "reply", parent="n_1"), base)
    assert [(shown.id, shown.parent) for shown in scene.view().notes] == [("n_2", None)]
    assert scene.room.rules() == ["R16"]


def test_N3_resolved_and_edited(stage: Stage) -> None:
    """A resolves while B edits the body: both."""
    base = (*SONG, *note("n_1", "too loud"))
    scene = stage.play(put("notes", "n_1", resolved=["u", 5]), [("insert", "notes", "n_1", "body", 8, "!")], base)
    (shown,) = scene.view().notes
    assert (shown.body, shown.resolved) == ("too loud!", True)


def test_N4_a_note_moves_with_its_clip(stage: Stage) -> None:
    """A moves the clip while B pins a note to it: the note is where the content went."""
    scene = stage.play(put("clips", "c_1", pos=4 * BEAT), note("n_1", "here", anchor=["c", "c_1", 3 * BEAT]))
    assert ticks(scene) == {"n_1": 7 * BEAT}


def test_N4_a_note_stays_with_the_part_that_holds_it(stage: Stage) -> None:
    """Split and the right half moved: a note on its content goes with the right half."""
    half = f"c_1@{8 * BEAT}"
    moved = [*split("c_1", 8 * BEAT), *put("clips", half, pos=2 * BEAT, track="t_2")]
    scene = stage.play(moved, note("n_1", "here", anchor=["c", "c_1", 10 * BEAT]))
    assert ticks(scene) == {"n_1": 12 * BEAT}


def test_N4_a_note_on_a_deleted_clip_stays_in_time(stage: Stage) -> None:
    """Deleted softly: the note shows at the clip's last place."""
    base = (*SONG, *put("clips", "c_1", pos=4 * BEAT))
    scene = stage.play(put("clips", "c_1", deleted=["u", 5]), note("n_1", "here", anchor=["c", "c_1", 3 * BEAT]), base)
    assert ticks(scene) == {"n_1": 7 * BEAT}


def test_N4_a_note_on_a_removed_clip_falls_to_its_last_known_tick(stage: Stage) -> None:
    """Removed for good after a move: the server knows where it was (R16)."""
    base = (*SONG, *put("clips", "c_1", pos=4 * BEAT), *note("n_1", "here", anchor=["c", "c_1", 3 * BEAT]))
    scene = stage.play([("delete", "clips", "c_1", "")], put("notes", "n_1", resolved=["u", 1]), base)
    assert scene.json()["notes"]["n_1"]["anchor"] == ["t", 7 * BEAT]
    assert scene.room.rules() == ["R16"]


def test_N5_a_forged_author_is_the_servers(yjs: Yjs) -> None:
    """A client writes somebody else's name and an old time: the server's stand, at once and later (R17)."""
    room, peer = Room(), yjs.open(10)
    room.sync(peer)
    stamp = Stamp("u_real", 777)
    peer.apply(room.receive(peer.edit(*note("n_1", "x", author="u_forged", at=1)), stamp=stamp))
    peer.apply(room.receive(peer.edit(*put("notes", "n_1", author="u_forged", at=2)), stamp=Stamp("u_other", 888)))
    held = room.json()["notes"]["n_1"]
    assert (held["author"], held["at"]) == ("u_real", 777)
    assert peer.json() == room.json()
    assert set(room.rules()) == {"R17"}


def test_S17_a_seed_applied_twice_is_one_document() -> None:
    """The seed is a function of its arguments: two servers that make it make one master and one lost."""
    twice = open_doc()
    twice.apply_update(SEED)
    twice.apply_update(blank("p", "Song", "u", 0, 1))
    assert canonical(twice) == Room().json()
    assert set(canonical(twice)["tracks"]) == {"master", "lost"}
