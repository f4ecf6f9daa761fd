"""The seed, the canonical form and the ids."""

import json
import random

import pytest
from pycrdt import Text

from studio import ids
from studio.blank import blank, open_doc
from studio.canonical import canonical
from studio.schema import FLAT, ROOT_NAMES, ROOTS
from studio.tempo import TempoMap
from tests.studio.peers import PycrdtPeer
from tests.yjs_peer.peer import Yjs


def test_the_seed_is_a_function_of_its_arguments() -> None:
    """The same project makes the same bytes, in one transaction of the given client."""
    assert blank("p", "Song", "u", 5, 1) == blank("p", "Song", "u", 5, 1)
    doc = open_doc()
    doc.apply_update(blank("p", "Söng 😀", "u", 5, 1))
    found = canonical(doc)
    assert found["meta"]["name"] == "Söng 😀"
    assert found["transport"] == {key: spec.initial("") for key, spec in sorted(FLAT["transport"].items())}
    assert set(found["tracks"]) == {"master", "lost"}


def test_canonical_is_json_with_every_root_and_sorted_keys(yjs: Yjs) -> None:
    """Integers are integers, texts strings, what JSON cannot say null; unknown keys stay."""
    peer = yjs.open(10)
    peer.edit(
        ("set", "clips", "c_1", "", {"pos": 960, "gain_db": -1.5, "odd": float("nan"), "b": [1, {"z": 1, "a": 2}]}),
        ("set", "notes", "n_1", "", {}),
        ("text", "notes", "n_1", "body", "é😀"),
    )
    doc = open_doc()
    doc.apply_update(peer.update())
    found = canonical(doc)
    assert list(found) == sorted(ROOT_NAMES)
    assert found["clips"]["c_1"] == {"b": [1, {"a": 2, "z": 1}], "gain_db": -1.5, "odd": None, "pos": 960}
    assert isinstance(found["clips"]["c_1"]["pos"], int)
    assert found["notes"]["n_1"]["body"] == "é😀"
    assert json.loads(json.dumps(found, allow_nan=False)) == json.loads(json.dumps(peer.json()))


def test_numbers_written_here_are_numbers_in_yjs(yjs: Yjs) -> None:
    """No BigInt, no string: what the server writes, JavaScript reads."""
    peer = yjs.open(10)
    peer.apply(blank("p", "Song", "u", 1_700_000_000_000, 1))
    assert peer.json()["meta"]["created_at"] == 1_700_000_000_000
    assert peer.json()["transport"]["loop"] == [0, 0, 3840]


def test_every_root_stands_before_any_update() -> None:
    """open_doc integrates all of them as Maps."""
    assert set(open_doc().keys()) == set(ROOTS)


def test_ids_say_what_they_are() -> None:
    """A prefix and twelve characters; derived ids are functions of what they name."""
    made = ids.new_id("c", random.Random(1).randrange)
    assert ids.is_id(made)
    assert ids.is_id(made, "c")
    assert not ids.is_id(made, "t")
    assert not ids.is_id("c_short")
    assert ids.split_id("c_1", 960) == "c_1@960"
    assert ids.is_split_id(ids.split_id("c_1", -5, random.Random(1).randrange))
    assert not ids.is_split_id("c_1")
    assert (ids.lane_id("t", "gain"), ids.point_id("t.gain", "p"), ids.send_id("t", "b")) == (
        "t.gain",
        "t.gain/p",
        "t>b",
    )


@pytest.mark.parametrize("bpm", [(60, 180), (180, 60), (20, 400), (120, 120.0000000001)])
def test_a_ramp_is_the_integral_of_its_tempo(bpm: tuple[float, float]) -> None:
    """Seconds of a linear ramp agree with ten thousand small steps."""
    rows = {"p_1": [0, bpm[0], 1], "p_2": [7680, bpm[1], 0]}
    tempo = TempoMap.from_canonical({"tempo": rows})
    steps = 10_000
    slices = ((n + 0.5) / steps for n in range(steps))
    summed = sum(8 / steps * 60 / (bpm[0] + (bpm[1] - bpm[0]) * part) for part in slices)
    assert tempo.seconds(7680) == pytest.approx(summed, rel=1e-6)
    assert tempo.tick(tempo.seconds(3333)) == pytest.approx(3333, abs=1e-6)


def test_a_text_that_is_typed_stays_a_text() -> None:
    """A note's body is shared text on both sides."""
    peer = PycrdtPeer(10)
    peer.edit(("set", "notes", "n_1", "", {}), ("text", "notes", "n_1", "body", "x"))
    assert isinstance(peer.doc["notes"]["n_1"]["body"], Text)
