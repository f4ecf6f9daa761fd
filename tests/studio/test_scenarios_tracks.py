"""Scenarios §8.2: tracks, routing, automation and tempo."""

import random

from studio.order import CROWDED, between, rekey
from studio.tempo import TempoMap
from studio.view import View
from tests.studio.stage import BAR, BEAT, SONG, Stage, clip, new, put, track


def order(stage_view: View) -> list[str]:
    return [shown.id for shown in stage_view.tracks]


def test_T1_two_inserts_at_one_slot(stage: Stage) -> None:
    """Both tracks are there, in the same order everywhere, even with equal keys."""
    scene = stage.play([new("tracks", "t_x", track("aV"))], [new("tracks", "t_y", track("aV"))])
    assert order(scene.view()) == ["t_1", "t_x", "t_y", "t_2", "t_3"]
    assert scene.room.repairs == []


def test_T2_crossing_moves_keep_each_track_once(stage: Stage) -> None:
    """X above Y and Y above X: one order, each track once."""
    scene = stage.play(put("tracks", "t_2", order="1"), put("tracks", "t_1", order="bV"))
    assert order(scene.view()) == ["t_2", "t_1", "t_3"]


def test_T3_reorder_does_not_resurrect(stage: Stage) -> None:
    """A reorders what B deletes: deleted."""
    scene = stage.play(put("tracks", "t_1", order="z"), put("tracks", "t_1", deleted=["u", 5]))
    assert order(scene.view()) == ["t_2", "t_3"]


def test_T4_a_deleted_track_hides_what_others_put_on_it(stage: Stage) -> None:
    """A clip added to and one moved onto a deleted track are hidden, counted, and return with it."""
    base = (*SONG, new("clips", "c_2", clip(take="c_2", track="t_2")))
    scene = stage.play(
        put("tracks", "t_1", deleted=["u", 5]),
        [
            new("clips", "c_3", clip(take="c_3", pos=BAR)),
            *put("clips", "c_2", track="t_1"),
            *put("tracks", "t_1", gain_db=-7),
        ],
        base,
    )
    hidden = scene.view()
    assert hidden.clips == ()
    assert (hidden.trash["tracks"], hidden.trash["clips"]) == (1, 3)
    assert scene.room.repairs == []
    scene.a.edit(*put("tracks", "t_1", deleted=None))
    scene.meet()
    back = scene.view()
    assert {part.id for part in back.clips} == {"c_1", "c_2", "c_3"}
    assert back.tracks[0].gain_db == -7


def test_T5_clips_of_a_removed_track_are_found_again(stage: Stage) -> None:
    """A foreign client removes a track for good while B adds a clip to it: both clips are on lost (R7)."""
    scene = stage.play([("delete", "tracks", "t_1", "")], [new("clips", "c_2", clip(take="c_2", pos=BAR))])
    shown = scene.view()
    assert order(shown) == ["t_2", "t_3", "lost"]
    assert {(part.id, part.track) for part in shown.clips} == {("c_1", "lost"), ("c_2", "lost")}
    assert set(scene.room.rules()) == {"R7"}


def test_T6_a_circle_of_outputs_is_broken_at_the_highest_id(stage: Stage) -> None:
    """A sends bus 1 to bus 2, B bus 2 to bus 1: the higher id goes to master, both are audible."""
    base = (*SONG, new("tracks", "t_b1", track("d", kind="bus")), new("tracks", "t_b2", track("e", kind="bus")))
    scene = stage.play(put("tracks", "t_b1", output="t_b2"), put("tracks", "t_b2", output="t_b1"), base)
    tracks = scene.json()["tracks"]
    assert (tracks["t_b1"]["output"], tracks["t_b2"]["output"]) == ("t_b2", "master")
    assert scene.room.rules() == ["R12"]


def test_T6_a_track_and_its_bus_in_a_circle_are_both_audible(stage: Stage) -> None:
    """An audio track is no output: whatever the circle, both ways end at master or a living bus."""
    base = (*SONG, new("tracks", "t_b1", track("d", kind="bus")))
    scene = stage.play(put("tracks", "t_1", output="t_b1"), put("tracks", "t_b1", output="t_1"), base)
    tracks = scene.json()["tracks"]
    assert tracks["t_b1"]["output"] == "master"
    assert tracks["t_1"]["output"] in {"t_b1", "master"}


def test_T6_a_circle_of_folders_is_broken(stage: Stage) -> None:
    """Two groups put into each other: the higher id stands by itself."""
    scene = stage.play(put("tracks", "t_1", parent="t_2"), put("tracks", "t_2", parent="t_1"))
    tracks = scene.json()["tracks"]
    assert (tracks["t_1"]["parent"], tracks["t_2"]["parent"]) == ("t_2", None)


def test_T7_two_people_open_one_lane(stage: Stage) -> None:
    """Three points by A, two by B on the same new lane: five points."""
    lane = {"on": True, "min": -96, "max": 6, "def": 0}
    mine = [("set", "points", "", f"t_1.gain/p_a{n}", [n * BEAT, 0.5, 1]) for n in range(3)]
    theirs = [("set", "points", "", f"t_1.gain/p_b{n}", [n * BEAT + 1, 0.25, 0]) for n in range(2)]
    opened = ("set", "lanes", "", "t_1.gain", lane)
    scene = stage.play([opened, *mine], [opened, *theirs])
    assert len(scene.view().lanes["t_1.gain"]) == 5


def test_T8_of_three_points_at_one_tick_two_remain(stage: Stage) -> None:
    """The lowest and the highest id are audible, the same two for all; none is removed."""
    rows = {"p_1": 0.1, "p_2": 0.2, "p_3": 0.3}
    points = [("set", "points", "", f"t_1.gain/{point}", [BEAT, level, 0]) for point, level in rows.items()]
    scene = stage.play(points[1:2], [points[2], points[0]])
    assert scene.view().lanes["t_1.gain"] == ((BEAT, 0.1, 0), (BEAT, 0.3, 0))
    assert len(scene.json()["points"]) == 3


def test_T9_one_send_created_twice(stage: Stage) -> None:
    """Both create the same send: one send with valid values."""
    base = (*SONG, new("tracks", "t_b", track("d", kind="bus")))
    send = {"pan": 0, "pre": False, "on": True}
    scene = stage.play(
        [new("sends", "t_1>t_b", send | {"gain_db": -6})], [new("sends", "t_1>t_b", send | {"gain_db": -12})], base
    )
    (only,) = scene.json()["sends"].values()
    assert only["gain_db"] in {-6, -12}
    assert only["on"] is True


def test_T9_a_send_to_a_bus_that_is_being_deleted_is_off(stage: Stage) -> None:
    """A sends to a bus that B deletes: the send stays, switched off, and the output goes to master (R13)."""
    base = (*SONG, new("tracks", "t_b", track("d", kind="bus")))
    made = [new("sends", "t_1>t_b", {"gain_db": -6, "on": True}), *put("tracks", "t_2", output="t_b")]
    scene = stage.play(made, put("tracks", "t_b", deleted=["u", 5]), base)
    document = scene.json()
    assert document["sends"]["t_1>t_b"]["on"] is False
    assert document["tracks"]["t_2"]["output"] == "master"


def test_T10_a_crowded_run_is_spread_between_its_neighbours() -> None:
    """A thousand inserts at one place are re-keyed in their order, and a concurrent move lands among them."""
    jitter = random.Random(3).randrange
    keys = ["A", "B"]
    for _ in range(1000):
        keys.insert(1, between(keys[0], keys[1], jitter))
    items = [(key, f"t_{place:04}") for place, key in enumerate(keys)]
    fresh = rekey(items, jitter)
    spread = [(fresh.get(entity, key), entity) for key, entity in items]
    assert spread == sorted(spread)
    assert max(map(len, fresh.values())) <= CROWDED // 2
    assert max(len(key) for key, _ in spread) <= CROWDED
    assert rekey(spread, jitter) == {}
    moved = between(keys[1], keys[2], jitter)
    inside = [entity for key, entity in sorted([*spread, (moved, "t_moved")])]
    assert 0 < inside.index("t_moved") < len(fresh) + 1


def test_T12_points_at_one_tick_sound_alike(stage: Stage) -> None:
    """Tempo points at the same tick from A and B: the last id counts."""
    scene = stage.play(
        [("set", "tempo", "", "p_a", [4 * BEAT, 60, 0])], [("set", "tempo", "", "p_b", [4 * BEAT, 240, 0])]
    )
    tempo = TempoMap.from_canonical(scene.json())
    assert abs(tempo.seconds(8 * BEAT) - 3) < 1e-9


def test_T13_loop_ends_never_mix(stage: Stage) -> None:
    """A's start beyond B's end: one leaf wins whole."""
    scene = stage.play(put("transport", "", loop=[1, 8 * BEAT, 16 * BEAT]), put("transport", "", loop=[1, 0, 4 * BEAT]))
    assert scene.json()["transport"]["loop"] in ([1, 8 * BEAT, 16 * BEAT], [1, 0, 4 * BEAT])
    assert scene.room.repairs == []


def test_T14_markers_keep_their_tick_when_the_signature_changes(stage: Stage) -> None:
    """The marker at bar 3 stays at its tick and is then elsewhere in the bars."""
    marker = {"tick": 2 * BAR, "label": "Drop", "kind": "drop", "end": None, "deleted": None}
    scene = stage.play(put("transport", "", signature=[3, 4]), [new("markers", "m_1", marker)])
    assert [shown.tick for shown in scene.view().markers] == [2 * BAR]
    assert TempoMap.from_canonical(scene.json()).position(2 * BAR)[:2] == (3, 3)
