"""What a single value must be: R1-R4, R6, R14 and R15 of document design §2; and that two nodes mend alike."""

from typing import Any

import pytest

from studio import schema
from studio.repair import Stamp
from tests.studio.desk import Desk, desk, rules
from tests.studio.peers import Room
from tests.studio.stage import SONG, new, put, track
from tests.yjs_peer.peer import Yjs

__all__ = ["desk"]

NAN, INF = float("nan"), float("inf")


def test_a_valid_document_needs_nothing(desk: Desk) -> None:
    """The seed and ordinary edits are never touched."""
    assert desk.room.repairs == []


def test_R1_what_is_no_entity_is_removed_and_shown(desk: Desk) -> None:
    """A string where a clip should stand goes away; the log keeps it."""
    (made,) = desk.write(("set", "clips", "", "c_junk", "not a map"))
    assert (made.rule, made.id, made.key, made.old, made.removed) == ("R1", "c_junk", "", "not a map", True)
    assert "c_junk" not in desk.room.json()["clips"]


def test_R1_a_map_where_a_leaf_belongs_is_removed(desk: Desk) -> None:
    """And so is a leaf that is no list at all."""
    assert rules(desk.write(("nested", "tempo", "", "p_1"))) == ["R1"]
    assert rules(desk.write(("set", "points", "", "t_1.gain/p_1", "junk"))) == ["R1"]
    assert desk.room.json()["tempo"] == desk.room.json()["points"] == {}


def test_R1_a_body_that_is_a_string_becomes_a_text(desk: Desk) -> None:
    """The words stay."""
    desk.write(new("notes", "n_1", {"anchor": ["t", 0], "body": "plain"}))
    assert desk.client.edit(("insert", "notes", "n_1", "body", 5, "!")) != b""


@pytest.mark.parametrize("value", [NAN, INF, -INF, "loud", True, None, [1], {"a": 1}])
def test_R2_S7_no_number_becomes_the_default(desk: Desk, value: Any) -> None:
    """NaN, infinities, words, booleans and structures are no gain."""
    assert rules(desk.write(*put("tracks", "t_1", gain_db=value))) == ["R2"]
    assert desk.field("tracks", "t_1", "gain_db") == 0


def test_R2_S7_a_nested_map_for_a_number_becomes_the_default(desk: Desk) -> None:
    """A shared type in a number's place."""
    assert rules(desk.write(("nested", "tracks", "t_1", "pan"))) == ["R2"]
    assert rules(desk.write(("nested", "transport", "", "bpm"))) == ["R2"]
    assert desk.field("transport", "", "bpm") == 120


@pytest.mark.parametrize(("value", "kept"), [(7, 6), (-97, -96), (1e308, 6)])
def test_R3_numbers_are_clamped(desk: Desk, value: float, kept: float) -> None:
    """Out of range means the nearest bound."""
    assert rules(desk.write(*put("tracks", "t_1", gain_db=value))) == ["R3"]
    assert desk.field("tracks", "t_1", "gain_db") == kept


@pytest.mark.parametrize(("value", "kept"), [(0.5, 1), (-0.5, -1), (2.4, 2), (-1.5, -2)])
def test_R3_integers_are_rounded_half_away_from_zero(desk: Desk, value: float, kept: int) -> None:
    """The same in every language."""
    assert rules(desk.write(*put("clips", "c_1", pos=value, in_=5))) == ["R3"]
    assert desk.field("clips", "c_1", "pos") == kept


def test_R3_R10_bounds_leave_room_for_each_other(desk: Desk) -> None:
    """Edges at the very ends of their ranges settle at once (found by seed 959)."""
    desk.write(*put("clips", "c_1", in_=-1e300, pos=1e300))
    desk.write(*put("clips", "c_1", in_=1e300))
    desk.write(*put("clips", "c_1", in_=1e300, base="time"))
    desk.write(new("markers", "m_1", {"tick": 1e300, "end": 1}))


def test_R4_enums_patterns_and_lengths(desk: Desk) -> None:
    """Unknown words read as the default, long names end at a whole code point."""
    made = desk.write(*put("tracks", "t_1", role="kazoo", color="RED", name="😀" * 41))
    assert rules(made) == ["R4", "R4", "R4"]
    held = desk.room.json()["tracks"]["t_1"]
    assert (held["role"], held["color"], held["name"]) == ("none", schema.palette_color("t_1"), "😀" * 40)


def test_R4_a_long_body_is_cut_in_place(desk: Desk) -> None:
    """4,000 UTF-16 units stay, no code point is broken, the text stays the same text."""
    desk.write(new("notes", "n_1", {"anchor": ["t", 0]}), ("text", "notes", "n_1", "body", "é" * 3999))
    assert rules(desk.write(("insert", "notes", "n_1", "body", 3999, "😀😀"))) == ["R4"]
    assert desk.field("notes", "n_1", "body") == "é" * 3999


def test_R4_there_is_one_master(desk: Desk) -> None:
    """A second master is an audio track."""
    desk.write(new("tracks", "t_m", track("x", kind="master")))
    assert desk.field("tracks", "t_m", "kind") == "audio"


def test_R6_an_unusable_order_goes_to_the_end(desk: Desk) -> None:
    """Equal orders are left alone."""
    assert rules(desk.write(*put("tracks", "t_1", order="a b"))) == ["R6"]
    assert desk.field("tracks", "t_1", "order") == "zzt1"
    assert desk.write(*put("tracks", "t_2", order="c")) == []


@pytest.mark.parametrize(("key", "value"), [("loop", [1, 960, 960]), ("signature", [4, 3]), ("loop", "on")])
def test_R14_leaves_are_allowed_as_a_whole_or_default(desk: Desk, key: str, value: Any) -> None:
    """Co-dependent values have one default together."""
    assert rules(desk.write(("set", "transport", "", key, value))) == ["R14"]
    assert desk.field("transport", "", key) == {"loop": [0, 0, 3840], "signature": [4, 4]}[key]


@pytest.mark.parametrize(
    ("root", "row"), [("tempo", [-5, 90, 0]), ("points", [-1, 0.5, 1]), ("events", [-9, 240, 60, 1])]
)
def test_R15_nothing_happens_before_the_song(desk: Desk, root: str, row: list[float]) -> None:
    """Negative ticks are zero."""
    assert rules(desk.write(("set", root, "", "x/1", row))) == ["R15"]
    assert desk.field(root, "", "x/1") == [0, *row[1:]]


def test_unknown_keys_are_kept_and_not_judged(desk: Desk) -> None:
    """A newer client's fields survive an older server."""
    assert desk.write(*put("clips", "c_1", shimmer={"depth": NAN}), ("set", "transport", "", "groove", "x")) == []
    assert desk.field("transport", "", "groove") == "x"


def test_effect_parameters_are_numbers(desk: Desk) -> None:
    """Each `p.` key is judged by itself."""
    desk.write(new("effects", "e_1", {"track": "t_1", "kind": "eq", "p.freq": 440, "p.q": "wide"}))
    assert (desk.field("effects", "e_1", "p.freq"), desk.field("effects", "e_1", "p.q")) == (440, 0)


def test_S14_two_nodes_mend_alike(yjs: Yjs) -> None:
    """Two servers judge the same edits, each under a client id of its own: they mend alike and then rest."""
    one, two = Room(client_id=1001), Room(client_id=1002)
    peer = yjs.open(10)
    one.sync(peer)
    update = peer.edit(*SONG, *put("clips", "c_1", out=-5, track="t_none"), *put("tracks", "t_1", pan="left"))
    from_one = one.receive(update)
    from_two = two.hear(update)
    assert one.hear(from_two) == two.hear(from_one) == b""
    assert one.json() == two.json()


def test_S14_nodes_do_not_fight_over_a_stamp(yjs: Yjs) -> None:
    """A forged author reaches another node before its correction does: the correction stands on both."""
    one, two = Room(client_id=1001), Room(client_id=1002)
    peer = yjs.open(10)
    one.sync(peer)
    forged = peer.edit(new("notes", "n_1", {"anchor": ["t", 0], "author": "u_forged", "at": 1}))
    corrected = one.receive(forged, stamp=Stamp("u_real", 9))
    assert two.hear(forged) == b""
    assert two.hear(corrected) == b""
    assert two.json() == one.json()
    assert two.json()["notes"]["n_1"]["author"] == "u_real"
