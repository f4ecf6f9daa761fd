"""Scenarios §8.1: two people edit fields and clips at once."""

from studio.tempo import TempoMap
from tests.studio.stage import BEAT, SONG, Stage, clip, new, put, split


def test_C1_one_of_two_gains_wins(stage: Stage) -> None:
    """Two gains written at once end as one of them, the same for all."""
    scene = stage.play(put("tracks", "t_1", gain_db=-3), put("tracks", "t_1", gain_db=-6))
    assert scene.json()["tracks"]["t_1"]["gain_db"] in {-3, -6}
    assert scene.room.repairs == []


def test_C2_different_fields_are_both_kept(stage: Stage) -> None:
    """A's gain and B's pan, name and colour are all kept."""
    scene = stage.play(
        put("tracks", "t_1", gain_db=-3), put("tracks", "t_1", pan=0.5, name="Bass é😀", color="#aabbcc")
    )
    track = scene.json()["tracks"]["t_1"]
    assert (track["gain_db"], track["pan"], track["name"], track["color"]) == (-3, 0.5, "Bass é😀", "#aabbcc")


def test_C3_a_thousand_writes_do_not_outvote_one(stage: Stage) -> None:
    """Somebody who turned a knob a thousand times and somebody who did once end equal."""
    scene = stage.scene()
    many = [scene.a.edit(*put("tracks", "t_1", gain_db=-(step % 90))) for step in range(1000)]
    once = scene.b.edit(*put("tracks", "t_1", gain_db=-95))
    scene.room.receive(*many[:500], once, *many[500:])
    scene.meet()
    assert scene.json()["tracks"]["t_1"]["gain_db"] in {-95, -(999 % 90)}


def test_C4_two_moves_end_at_one_place(stage: Stage) -> None:
    """Two moves on one track end at one of the two positions."""
    scene = stage.play(put("clips", "c_1", pos=4 * BEAT), put("clips", "c_1", pos=9 * BEAT))
    assert scene.json()["clips"]["c_1"]["pos"] in {4 * BEAT, 9 * BEAT}


def test_C5_move_and_trim_left_are_both_kept(stage: Stage) -> None:
    """The clip is moved and trimmed, its content where the move put it."""
    scene = stage.play(put("clips", "c_1", pos=4 * BEAT), put("clips", "c_1", in_=2 * BEAT))
    (part,) = scene.view().clips
    assert (part.start, part.end) == (6 * BEAT, 20 * BEAT)


def test_C6_both_trims_are_kept(stage: Stage) -> None:
    """Trimmed on the left by one and on the right by the other."""
    scene = stage.play(put("clips", "c_1", in_=2 * BEAT), put("clips", "c_1", out=12 * BEAT))
    (part,) = scene.view().clips
    assert (part.start, part.end) == (2 * BEAT, 12 * BEAT)


def test_C7_crossed_trims_leave_a_sixteenth(stage: Stage) -> None:
    """A trims left past B's trim right: 240 ticks remain (R9), nothing is deleted."""
    scene = stage.play(put("clips", "c_1", in_=12 * BEAT), put("clips", "c_1", out=4 * BEAT))
    fields = scene.json()["clips"]["c_1"]
    assert (fields["in"], fields["out"], fields["deleted"]) == (12 * BEAT, 12 * BEAT + 240, None)
    assert scene.room.rules() == ["R9"]


def test_C8_two_splits_make_three_abutting_clips(stage: Stage) -> None:
    """Splits at 8 and 12 of 16 beats read as 0-8, 8-12, 12-16 without any repair."""
    scene = stage.play(split("c_1", 8 * BEAT), split("c_1", 12 * BEAT))
    parts = [(part.start / BEAT, part.end / BEAT) for part in scene.view().clips]
    assert parts == [(0, 8), (8, 12), (12, 16)]
    assert scene.room.repairs == []


def test_C9_the_same_split_twice_is_one_split(stage: Stage) -> None:
    """Both split at 8: two clips, one right half."""
    scene = stage.play(split("c_1", 8 * BEAT), split("c_1", 8 * BEAT))
    assert [part.id for part in scene.view().clips] == ["c_1", f"c_1@{8 * BEAT}"]


def test_C10_split_and_move_overlap_and_say_so(stage: Stage) -> None:
    """The left half moves, the right stays; the overlap is flagged and the later start is heard."""
    scene = stage.play(split("c_1", 8 * BEAT), put("clips", "c_1", pos=4 * BEAT))
    shown = scene.view()
    assert [(part.start / BEAT, part.end / BEAT) for part in shown.clips] == [(4, 12), (8, 16)]
    assert [(issue.kind, issue.start, issue.end) for issue in shown.issues if issue.kind == "overlap"] == [
        ("overlap", 8 * BEAT, 12 * BEAT)
    ]
    assert [(run.start / BEAT, run.end / BEAT) for run in shown.sounding["t_1"]] == [(4, 8), (8, 16)]


def test_C11_split_and_delete_leave_the_right_half(stage: Stage) -> None:
    """The left is deleted, the right half remains and is listed; B's undo brings the left back."""
    scene = stage.play(split("c_1", 8 * BEAT), put("clips", "c_1", deleted=["u", 5]))
    shown = scene.view()
    assert [part.id for part in shown.clips] == [f"c_1@{8 * BEAT}"]
    assert "half_of_deleted" in {issue.kind for issue in shown.issues}
    scene.b.undo()
    scene.meet()
    assert [(part.start / BEAT, part.end / BEAT) for part in scene.view().clips] == [(0, 8), (8, 16)]


def test_C12_gain_during_a_split_stays_on_the_left(stage: Stage) -> None:
    """The left half has B's gain, the right half the old one; nobody complains."""
    scene = stage.play(split("c_1", 8 * BEAT), put("clips", "c_1", gain_db=-9))
    clips = scene.json()["clips"]
    assert (clips["c_1"]["gain_db"], clips[f"c_1@{8 * BEAT}"]["gain_db"]) == (-9, 0)
    assert {issue.kind for issue in scene.view().issues} <= {"empty_track"}


def test_C13_a_drag_is_never_mixed_with_another(stage: Stage) -> None:
    """Two drags to another track and place: exactly one of the two pairs."""
    scene = stage.play(put("clips", "c_1", track="t_2", pos=16 * BEAT), put("clips", "c_1", track="t_3", pos=32 * BEAT))
    fields = scene.json()["clips"]["c_1"]
    assert (fields["track"], fields["pos"]) in {("t_2", 16 * BEAT), ("t_3", 32 * BEAT)}


def test_C14_delete_and_edit_keep_the_edit_inside(stage: Stage) -> None:
    """Deleted wins what is seen; undeleted, B's edit shows."""
    scene = stage.play(put("clips", "c_1", deleted=["u", 5]), put("clips", "c_1", gain_db=-9))
    assert scene.view().clips == ()
    scene.a.edit(*put("clips", "c_1", deleted=None))
    scene.meet()
    assert [part.gain_db for part in scene.view().clips] == [-9]


def test_C15_two_deletes_are_one(stage: Stage) -> None:
    """Deleted by both: gone once, in the trash once; undeleting once restores."""
    scene = stage.play(put("clips", "c_1", deleted=["a", 5]), put("clips", "c_1", deleted=["b", 6]))
    assert scene.view().trash["clips"] == 1
    winner = scene.a if scene.json()["clips"]["c_1"]["deleted"][0] == "a" else scene.b
    winner.undo()
    scene.meet()
    assert [part.id for part in scene.view().clips] == ["c_1"]


def test_C16_undone_delete_keeps_the_others_edit(stage: Stage) -> None:
    """A deletes and undoes while B edits: alive, with B's gain."""
    scene = stage.scene()
    scene.a.edit(*put("clips", "c_1", deleted=["u", 5]))
    scene.b.edit(*put("clips", "c_1", gain_db=-9))
    scene.a.undo()
    scene.meet()
    assert [part.gain_db for part in scene.view().clips] == [-9]


def test_C17_copies_are_not_one_lineage(stage: Stage) -> None:
    """Both copy the same clip to the same place: two clips, neither trimmed by the other."""
    scene = stage.play(
        [new("clips", "c_2", clip(take="c_2", pos=20 * BEAT))], [new("clips", "c_3", clip(take="c_3", pos=20 * BEAT))]
    )
    parts = [part for part in scene.view().clips if part.start == 20 * BEAT]
    assert [(part.id, part.end / BEAT) for part in parts] == [("c_2", 36), ("c_3", 36)]


def test_C18_fades_longer_than_the_clip_are_scaled_when_read(stage: Stage) -> None:
    """After a trim the stored fades stay, read they fill the length in proportion."""
    scene = stage.play(put("clips", "c_1", out=2 * BEAT), put("clips", "c_1", fade_in=3 * BEAT, fade_out=BEAT))
    fields = scene.json()["clips"]["c_1"]
    (part,) = scene.view().clips
    assert (fields["fade_in"], fields["fade_out"]) == (3 * BEAT, BEAT)
    assert (part.fade_in, part.fade_out) == (1.5 * BEAT, 0.5 * BEAT)


def test_C19_overlapping_drops_are_both_kept(stage: Stage) -> None:
    """A and B drop clips onto one place: both are kept, the later start sounds."""
    base = SONG[:3]
    scene = stage.play(
        [new("clips", "c_a", clip(take="c_a", out=8 * BEAT))],
        [new("clips", "c_b", clip(take="c_b", pos=4 * BEAT, out=8 * BEAT))],
        base,
    )
    runs = [(run.clip, run.start / BEAT, run.end / BEAT) for run in scene.view().sounding["t_1"]]
    assert runs == [("c_a", 0, 4), ("c_b", 4, 12)]


def test_T11_tempo_changes_leave_ticks_and_seconds_alone(stage: Stage) -> None:
    """Two tempi at once end as one; clips in beats keep their ticks, clips in time their seconds."""
    base = (*SONG, new("clips", "c_t", clip(take="c_t", track="t_2", base="time", out=2_000_000)))
    scene = stage.play(put("transport", "", bpm=128), put("transport", "", bpm=90), base)
    document = scene.json()
    assert document["transport"]["bpm"] in {128, 90}
    parts = {part.id: part for part in scene.view().clips}
    assert (parts["c_1"].start, parts["c_1"].end) == (0, 16 * BEAT)
    seconds = TempoMap.from_canonical(document).seconds
    assert abs(seconds(parts["c_t"].end) - seconds(parts["c_t"].start) - 2) < 1e-9
