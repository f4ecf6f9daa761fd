"""R7-R13 and R16 of document design §2: clips stand on tracks, routes end at master, notes point at what exists."""

import pytest

from tests.studio.desk import Desk, desk, rules
from tests.studio.stage import BEAT, clip, new, put, track

__all__ = ["desk"]


def test_R7_a_clip_on_no_track_is_lost(desk: Desk) -> None:
    """Whether it was put there or the track was removed under it."""
    assert rules(desk.write(*put("clips", "c_1", track="t_none"))) == ["R7"]
    desk.write(new("clips", "c_2", clip(take="c_2", track="t_2")))
    assert rules(desk.write(("delete", "tracks", "t_2", ""))) == ["R7"]
    assert desk.field("clips", "c_1", "track") == desk.field("clips", "c_2", "track") == "lost"


def test_R8_a_clip_on_a_deleted_track_waits_with_it(desk: Desk) -> None:
    """Nothing is written."""
    assert desk.write(*put("tracks", "t_1", deleted=["u", 1])) == []


@pytest.mark.parametrize(("base", "length"), [("beats", 240), ("time", 250_000)])
def test_R9_an_empty_clip_gets_a_length(desk: Desk, base: str, length: int) -> None:
    """A sixteenth or a quarter of a second, after its left edge."""
    desk.write(new("clips", "c_2", clip(take="c_2", base=base)))
    assert rules(desk.write(*put("clips", "c_2", out=-5))) == ["R9"]
    assert desk.field("clips", "c_2", "out") == length


def test_R10_a_clip_starts_with_the_song_at_the_earliest(desk: Desk) -> None:
    """pos + in is never negative."""
    assert rules(desk.write(*put("clips", "c_1", pos=-BEAT))) == ["R10"]
    assert rules(desk.write(*put("clips", "c_1", pos=-BEAT, in_=BEAT))) == []
    assert rules(desk.write(*put("clips", "c_1", in_=0))) == ["R10"]
    assert desk.field("clips", "c_1", "pos") == 0


def test_R11_an_unknown_asset_is_left_alone(desk: Desk) -> None:
    """It is an issue to look at, not an error to mend."""
    assert desk.write(new("clips", "c_2", clip(take="c_2", asset="a_none"))) == []


def test_R12_R13_routes_end_at_master(desk: Desk) -> None:
    """To itself, to an audio track, to nobody: master instead."""
    assert rules(desk.write(*put("tracks", "t_1", output="t_1"))) == ["R12"]
    assert rules(desk.write(*put("tracks", "t_1", output="t_2"))) == ["R13"]
    assert rules(desk.write(*put("tracks", "t_1", output="t_none"))) == ["R13"]
    assert rules(desk.write(*put("tracks", "t_1", parent="t_none"))) == ["R13"]


def test_R12_a_long_circle_is_cut_once(desk: Desk) -> None:
    """Three buses in a ring: only the highest id leaves it."""
    buses = [new("tracks", f"t_b{n}", track(str(n), kind="bus")) for n in range(3)]
    desk.write(*buses)
    ring = [change for n in range(3) for change in put("tracks", f"t_b{n}", output=f"t_b{(n + 1) % 3}")]
    assert rules(desk.write(*ring)) == ["R12"]
    assert [desk.field("tracks", f"t_b{n}", "output") for n in range(3)] == ["t_b1", "t_b2", "master"]


def test_R13_a_send_to_no_bus_is_off(desk: Desk) -> None:
    """It stays, silent."""
    assert rules(desk.write(new("sends", "t_1>t_2", {"on": True}))) == ["R13"]
    assert desk.field("sends", "t_1>t_2", "on") is False


def test_R16_a_note_points_at_what_exists(desk: Desk) -> None:
    """Clip, track and parent that are not there are let go, and no thread bites its tail."""
    dangling = {"anchor": ["c", "c_none", 50], "track": "t_none", "parent": "n_none"}
    assert rules(desk.write(new("notes", "n_1", dangling))) == ["R16"] * 3
    assert desk.field("notes", "n_1", "anchor") == ["t", 50]
    desk.write(new("notes", "n_2", {"parent": "n_1"}))
    assert rules(desk.write(*put("notes", "n_1", parent="n_2"))) == ["R16"]
    assert desk.field("notes", "n_2", "parent") is None
