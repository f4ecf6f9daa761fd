"""Scenarios §8.4: everybody undoes only their own work."""

from studio.canonical import canonical
from studio.edits import restore
from tests.studio.stage import BEAT, SONG, Stage, clip, hand, new, put, track


def test_U1_undo_takes_back_only_ones_own(stage: Stage) -> None:
    """A edits, B edits something else, A undoes: B's edit stays."""
    scene = stage.play(put("tracks", "t_1", gain_db=-3), put("tracks", "t_1", pan=0.5))
    scene.a.undo()
    scene.meet()
    held = scene.json()["tracks"]["t_1"]
    assert (held["gain_db"], held["pan"]) == (0, 0.5)


def test_U2_undo_never_overwrites_the_others_value(stage: Stage) -> None:
    """A sets, B overwrites, A undoes: B's value stays."""
    scene = stage.scene()
    scene.a.edit(*put("tracks", "t_1", gain_db=-3))
    scene.meet()
    scene.b.edit(*put("tracks", "t_1", gain_db=-6))
    scene.meet()
    scene.a.undo()
    scene.meet()
    assert scene.json()["tracks"]["t_1"]["gain_db"] == -6


def test_U3_undo_after_a_repair_keeps_the_repaired_value(stage: Stage) -> None:
    """A sets an invalid value, the server repairs it, A undoes: never the invalid one again."""
    scene = stage.scene()
    update = scene.a.edit(*put("tracks", "t_1", gain_db=float("nan")))
    hand(scene, scene.room.receive(update), scene.a)
    assert scene.room.rules() == ["R2"]
    scene.a.undo()
    scene.meet()
    assert scene.json()["tracks"]["t_1"]["gain_db"] == 0


def test_U4_an_undone_track_does_not_take_anothers_clip_along(stage: Stage) -> None:
    """A adds a track, B puts a clip on it, A undoes: B's clip is on lost."""
    scene = stage.scene()
    scene.a.edit(new("tracks", "t_new", track("d")))
    scene.meet()
    scene.b.edit(new("clips", "c_new", clip(take="c_new", track="t_new")))
    scene.meet()
    scene.a.undo()
    scene.meet()
    document = scene.json()
    assert "t_new" not in document["tracks"]
    assert document["clips"]["c_new"]["track"] == "lost"
    assert "c_new" in {part.id for part in scene.view().clips}


def test_U5_a_drag_is_one_undo_step(stage: Stage) -> None:
    """A drag written once on release, two keys: one undo brings both back."""
    scene = stage.play(put("clips", "c_1", track="t_2", pos=8 * BEAT), put("tracks", "t_3", pan=1))
    scene.a.undo()
    scene.meet()
    held = scene.json()["clips"]["c_1"]
    assert (held["track"], held["pos"]) == ("t_1", 0)


def test_U6_undo_does_not_touch_a_restore(stage: Stage) -> None:
    """The server restores; B's undo leaves the restored values of others alone."""
    scene = stage.scene()
    before = canonical(scene.room.doc)
    scene.b.edit(*put("tracks", "t_1", gain_db=-3))
    scene.a.edit(*put("tracks", "t_2", name="Mine"), new("clips", "c_2", clip(take="c_2")))
    scene.meet()
    assert restore(scene.room.doc, before, "u", 9) == 3
    scene.meet()
    scene.b.undo()
    scene.meet()
    document = scene.json()
    assert document["tracks"] == before["tracks"]
    assert document["clips"]["c_2"]["deleted"] == ["u", 9]


def test_U7_undo_after_a_reconnect_is_still_ones_own(stage: Stage) -> None:
    """Edits of others that arrived while away are not undone."""
    scene = stage.scene()
    scene.a.edit(*put("tracks", "t_1", gain_db=-3))
    scene.b.edit(*put("tracks", "t_1", name="B's"), *put("clips", "c_1", pos=BEAT))
    scene.meet()
    scene.a.undo()
    scene.meet()
    document = scene.json()
    assert (document["tracks"]["t_1"]["gain_db"], document["tracks"]["t_1"]["name"]) == (0, "B's")
    assert document["clips"]["c_1"]["pos"] == BEAT


def test_redo_brings_back_ones_own(stage: Stage) -> None:
    """Undo and redo of a soft delete leave the other's edit inside alone."""
    scene = stage.play(put("clips", "c_1", deleted=["u", 5]), put("clips", "c_1", gain_db=-9), SONG)
    scene.a.undo()
    scene.a.redo()
    scene.meet()
    assert scene.json()["clips"]["c_1"]["deleted"] == ["u", 5]
    assert scene.json()["clips"]["c_1"]["gain_db"] == -9
