"""R18 and R19 of document design §2: how many entities, and how much under unknown keys."""

from typing import Any

import pytest

from studio import schema
from studio.repair import Census, over_limit, repair
from tests.studio.desk import Desk, desk, rules
from tests.studio.peers import Change, Room
from tests.studio.stage import SONG, clip, new, put, track
from tests.yjs_peer.peer import Yjs

__all__ = ["desk"]


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
