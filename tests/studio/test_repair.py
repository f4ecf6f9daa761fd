"""Every rule R1-R19 of document design §2, on what a client wrote and the watch saw."""

from collections.abc import Iterator
from typing import Any

import pytest

from studio import schema
from studio.canonical import canonical
from studio.repair import Census, Firsts, Repair, Stamp, over_limit, repair
from tests.studio.peers import Change, PycrdtPeer, Room
from tests.studio.stage import BEAT, SONG, clip, new, put, track
from tests.yjs_peer.peer import Yjs

NAN, INF = float("nan"), float("inf")


class Desk:
    """A room and one client whose edits it judges."""

    def __init__(self) -> None:
        self.room = Room()
        self.client = PycrdtPeer(10)
        self.client.apply(self.room.doc.get_update())
        self.write(*SONG)

    def write(self, *changes: Change, stamp: Stamp | None = None) -> list[Repair]:
        """The repairs that one edit needed; afterwards client and room agree and nothing is left to do."""
        before = len(self.room.repairs)
        update = self.room.receive(self.client.edit(*changes), stamp=stamp)
        if update:
            self.client.apply(update)
        assert self.client.json() == self.room.json()
        assert self.room.settled()
        return self.room.repairs[before:]

    def field(self, root: str, entity: str, key: str) -> Any:
        held = self.room.json()[root]
        return held[entity][key] if entity else held[key]


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.room.close()


def rules(made: list[Repair]) -> list[str]:
    return [repair.rule for repair in made]


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


@pytest.mark.parametrize(
    ("root", "entity", "key", "value"),
    [("tracks", "t_1", "kind", "bus"), ("clips", "c_1", "take", "c_9"), ("clips", "c_1", "base", "time")],
)
def test_R5_immutable_fields_come_back(desk: Desk, root: str, entity: str, key: str, value: str) -> None:
    """Changed or removed, they are what they were at first."""
    first = desk.field(root, entity, key)
    assert rules(desk.write(("set", root, entity, key, value))) == ["R5"]
    assert rules(desk.write(("delete", root, entity, key))) == ["R5"]
    assert desk.field(root, entity, key) == first


def test_R5_an_invalid_first_value_is_not_what_comes_back(desk: Desk) -> None:
    """Created wrong, repaired, and settled (found by seed 21)."""
    desk.write(new("clips", "c_2", clip(take=[1, 2], base="moons")))
    assert (desk.field("clips", "c_2", "take"), desk.field("clips", "c_2", "base")) == ("c_2", "beats")
    assert rules(desk.write(*put("clips", "c_2", take="c_3"))) == ["R5"]


def test_R6_an_unusable_order_goes_to_the_end(desk: Desk) -> None:
    """Equal orders are left alone."""
    assert rules(desk.write(*put("tracks", "t_1", order="a b"))) == ["R6"]
    assert desk.field("tracks", "t_1", "order") == "zzt1"
    assert desk.write(*put("tracks", "t_2", order="c")) == []


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


def test_R16_a_note_points_at_what_exists(desk: Desk) -> None:
    """Clip, track and parent that are not there are let go, and no thread bites its tail."""
    dangling = {"anchor": ["c", "c_none", 50], "track": "t_none", "parent": "n_none"}
    assert rules(desk.write(new("notes", "n_1", dangling))) == ["R16"] * 3
    assert desk.field("notes", "n_1", "anchor") == ["t", 50]
    desk.write(new("notes", "n_2", {"parent": "n_1"}))
    assert rules(desk.write(*put("notes", "n_1", parent="n_2"))) == ["R16"]
    assert desk.field("notes", "n_2", "parent") is None


def test_R17_server_roots_are_the_servers(desk: Desk) -> None:
    """A forged name goes back, a forged asset goes away."""
    assert rules(desk.write(("set", "meta", "", "name", "Mine"))) == ["R17"]
    assert rules(desk.write(("delete", "meta", "", "schema"))) == ["R17"]
    assert rules(desk.write(("set", "assets", "", "a_1", {"name": "x"}))) == ["R17"]
    document = desk.room.json()
    assert (document["meta"]["name"], document["meta"]["schema"], document["assets"]) == ("Song", 1, {})


def test_R17_locks_are_the_servers(desk: Desk) -> None:
    """Neither an old nor a new track is locked by a client."""
    assert rules(desk.write(*put("tracks", "t_1", lock=["u", 5]))) == ["R17"]
    assert rules(desk.write(new("tracks", "t_n", track("x", lock=["u", 5])))) == ["R17"]
    assert desk.field("tracks", "t_n", "lock") is None


def test_R17_who_and_when_are_the_servers(desk: Desk) -> None:
    """Creation is stamped with the writer; nobody changes it afterwards."""
    forged = {"tick": 0, "label": "x", "by": "u_forged", "at": 1}
    assert rules(desk.write(new("markers", "m_1", forged), stamp=Stamp("u_real", 9))) == ["R17"] * 2
    assert rules(desk.write(*put("markers", "m_1", by="u_forged"), stamp=Stamp("u_2", 10))) == ["R17"]
    assert (desk.field("markers", "m_1", "by"), desk.field("markers", "m_1", "at")) == ("u_real", 9)


@pytest.mark.parametrize("fixed", ["master", "lost"])
def test_R17_master_and_lost_always_stand(desk: Desk, fixed: str) -> None:
    """Removed or deleted, they are back."""
    assert rules(desk.write(*put("tracks", fixed, deleted=["u", 1]))) == ["R17"]
    assert rules(desk.write(("delete", "tracks", fixed, ""))) == ["R17"]
    assert desk.field("tracks", fixed, "deleted") is None


def test_R17_the_journal_is_believed(desk: Desk) -> None:
    """What another node or the API wrote is accepted, and is then what clients cannot change."""
    other = PycrdtPeer(1)
    other.apply(desk.room.doc.get_update())
    update = other.edit(("set", "meta", "", "name", "Renamed"), *put("tracks", "t_1", lock=["u", 5]))
    desk.room.doc.apply_update(update)
    touched = list(desk.room.touched)
    desk.room.touched.clear()
    desk.room.firsts.accept(desk.room.doc, touched)
    assert repair(desk.room.doc, touched, desk.room.firsts) == []
    desk.client.apply(update)
    desk.write(("set", "meta", "", "name", "Mine"), *put("tracks", "t_1", lock=None))
    assert desk.field("meta", "", "name") == "Renamed"
    assert desk.field("tracks", "t_1", "lock") == ["u", 5]


def test_R18_limits_count_the_living(desk: Desk) -> None:
    """64 tracks are allowed, a 65th is too many, a deleted one does not count; the census agrees at every step."""
    census = Census.of(desk.room.doc)
    for number in range(3, schema.ENTRY_LIMITS["tracks"] + 1):
        assert not over_limit(desk.room.doc)
        with_touched(desk, census, new("tracks", f"t_x{number}", track("x")))
    assert over_limit(desk.room.doc)
    assert census.over(desk.room.doc)
    with_touched(desk, census, *put("tracks", "t_x9", deleted=["u", 1]))
    assert not over_limit(desk.room.doc)
    assert not census.over(desk.room.doc)


def with_touched(desk: Desk, census: Census, *changes: Change) -> None:
    desk.room.doc.apply_update(desk.client.edit(*changes))
    census.note(desk.room.touched)
    desk.room.touched.clear()


def test_unknown_keys_are_kept_and_not_judged(desk: Desk) -> None:
    """A newer client's fields survive an older server."""
    assert desk.write(*put("clips", "c_1", shimmer={"depth": NAN}), ("set", "transport", "", "groove", "x")) == []
    assert desk.field("transport", "", "groove") == "x"


def many(count: int, first: int = 0) -> dict[str, Any]:
    """Unknown keys x00, x01, ..."""
    return {f"x{number:02}": number for number in range(first, first + count)}


@pytest.mark.parametrize(("root", "entity"), [("clips", "c_1"), ("tracks", "master"), ("transport", "")])
def test_R19_the_highest_of_too_many_unknown_keys_go(desk: Desk, root: str, entity: str) -> None:
    """Sixteen stay, whenever they came; known fields are not counted."""
    assert desk.write(*[("set", root, entity, key, value) for key, value in many(16, first=4).items()]) == []
    made = desk.write(("set", root, entity, "x00", "late"), ("set", root, entity, "x99", "later"))
    assert [(one.rule, one.key, one.removed) for one in made] == [("R19", "x19", True), ("R19", "x99", True)]
    held = desk.room.json()[root][entity] if entity else desk.room.json()[root]
    assert sorted(key for key in held if key.startswith("x")) == ["x00", *many(15, first=4)]


@pytest.mark.parametrize("value", ["é" * 128, list(range(99)), {"deep": {"er": "x" * 250}}, b"\0" * 128])
def test_R19_a_large_value_goes_and_takes_nobodys_place(desk: Desk, value: Any) -> None:
    """256 bytes of JSON are the most; a key has 64 characters; sixteen small ones beside it stay."""
    assert desk.write(new("clips", "c_new", {**clip(), **many(16), "x": value})) != []
    assert desk.write(*put("clips", "c_new", **{"y" * 65: 1})) != []
    assert set(desk.room.rules()) == {"R19"}
    assert many(16).items() <= desk.room.json()["clips"]["c_new"].items()
    assert not {"x", "y" * 65} & desk.room.json()["clips"]["c_new"].keys()


def test_R19_shared_values_are_measured_too(desk: Desk) -> None:
    """A text that grows under an unknown key goes when it is too long, and so does a map that is filled."""
    assert desk.write(("text", "clips", "c_1", "lyrics", "x" * 254), ("nested", "clips", "c_1", "map")) == []
    assert rules(desk.write(("insert", "clips", "c_1", "lyrics", 0, "!"))) == ["R19"]
    assert "lyrics" not in desk.room.json()["clips"]["c_1"]


def test_R19_a_leaf_record_is_bounded_alike(desk: Desk) -> None:
    """Its unknown keys are kept as an entity's are."""
    lane = {"on": True, "min": 0, "max": 1, "def": 0}
    assert rules(desk.write(("set", "lanes", "", "t_1.gain", {**lane, **many(18), "big": "x" * 256}))) == ["R19"]
    assert desk.field("lanes", "", "t_1.gain") == {**lane, **many(16)}


def test_R19_also_at_load(desk: Desk) -> None:
    """What came in before the rule did goes when the document is opened, and a second look finds nothing."""
    desk.room.doc.apply_update(desk.client.edit(*put("clips", "c_1", **many(20), big="x" * 300)))
    loaded = Room(desk.room.doc.get_update())
    made = repair(loaded.doc, None, loaded.firsts)
    assert [one.key for one in made] == ["big", *many(4, first=16)]
    assert repair(loaded.doc, None, loaded.firsts) == []


def test_R19_two_nodes_take_the_same_keys(yjs: Yjs) -> None:
    """Two people fill one clip on two servers: both servers end with the same sixteen keys."""
    one, two = Room(client_id=1001), Room(client_id=1002)
    peers = yjs.open(10), yjs.open(11)
    one.sync(*peers)
    song = peers[0].edit(*SONG)
    one.receive(song)
    two.hear(song)
    peers[1].apply(song)
    left, right = (peers[at].edit(*put("clips", "c_1", **many(12, first=at * 9))) for at in (0, 1))
    assert one.receive(left) == two.receive(right) == b""
    mended_one, mended_two = one.hear(right), two.hear(left)
    assert one.hear(mended_two) == two.hear(mended_one) == b""
    assert one.json() == two.json()
    assert many(16).keys() <= one.json()["clips"]["c_1"].keys()
    assert one.settled()
    assert two.settled()


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


def test_firsts_of_a_loaded_document_know_everything(desk: Desk) -> None:
    """After a restart the same changes are refused."""
    loaded = Room(desk.room.doc.get_update())
    assert repair(loaded.doc, None, Firsts.of(loaded.doc)) == []
    loaded.receive(client_of(loaded).edit(*put("clips", "c_1", take="c_9")))
    assert loaded.rules() == ["R5"]
    assert canonical(loaded.doc)["clips"]["c_1"]["take"] == "c_1"


def client_of(room: Room) -> PycrdtPeer:
    peer = PycrdtPeer(77)
    peer.apply(room.doc.get_update())
    return peer
