"""How far an update reaches is read as yrs means it, whatever is in the update."""

import random
from typing import Any

import pytest
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText, merge_updates

from loadtest.lib0 import read_vectors
from loadtest.reach import Unreadable, reach


def changes(rng: random.Random, doc: "Doc[Any]") -> None:
    """A transaction with contents of many kinds."""
    values = [None, True, 3, -(2**40), 2.5, "é🎹", b"\x00\xff", [1, ["x", {"a": None}]], {"k": {"l": [1.5]}, "m": "n"}]
    kind = rng.randrange(7)
    with doc.transaction():
        if kind == 0:
            doc.get("m", type=Map)[rng.choice("abc")] = rng.choice(values)
        elif kind == 1:
            doc.get("m", type=Map)[rng.choice("def")] = Map({"x": 1, "t": Text("🎸 note"), "y": Array([1, None, "z"])})
        elif kind == 2:
            doc.get("t", type=Text).insert(0, rng.choice(("plain", "ünï", "🥁🥁", "")))
        elif kind == 3:
            doc.get("a", type=Array).extend([rng.choice(values) for _ in range(3)])
        elif kind == 4 and len(doc.get("a", type=Array)) > 2:
            del doc.get("a", type=Array)[0:2]
        elif kind == 5:
            doc.get("t", type=Text).insert(0, "bold", attrs={"bold": True})
        else:
            doc.get("x", type=XmlFragment).children.append(XmlElement("p", {"a": "b"}, [XmlText("hi")]))


def fresh(client: int) -> "Doc[Any]":
    """A document with roots of each kind."""
    doc: Doc[Any] = Doc(client_id=client)
    doc["m"], doc["t"], doc["a"], doc["x"] = Map(), Text(), Array(), XmlFragment()
    return doc


@pytest.mark.parametrize("seed", range(6))
def test_each_update_reaches_the_state_vector_it_leads_to(seed: int) -> None:
    """One update at a time, merged, or as a whole state: the clock behind the last struct is the same."""
    rng, doc = random.Random(seed), fresh(2**31 + seed)
    made: list[bytes] = []
    doc.observe(lambda event: made.append(event.update))
    reached: dict[int, int] = {}
    for _ in range(60):
        changes(rng, doc)
        if made:
            reached |= reach(made[-1])
        assert reached == read_vectors(doc.get_state())
    assert reach(merge_updates(*made)) == reached
    assert reach(doc.get_update()) == reached


def test_several_clients_in_one_update_are_told_apart() -> None:
    """A state of two authors names both."""
    one, two = fresh(5), fresh(900_000)
    one.get("t", type=Text).insert(0, "abc")
    two.apply_update(one.get_update())
    two.get("t", type=Text).insert(1, "defg")
    assert reach(two.get_update()) == {5: 3, 900_000: 4}


@pytest.mark.parametrize(
    "update", [b"", b"\x01", b"\x01\x01\x05\x00\x0f\x01", b"\x01\x01\x05\x00\x08\x01\x01m\x01\x02"]
)
def test_what_is_no_update_is_refused(update: bytes) -> None:
    """Too short, or of an unknown content or value."""
    with pytest.raises(Unreadable):
        reach(update)


def test_an_update_of_deletions_alone_reaches_nowhere() -> None:
    """It has no structs."""
    assert reach(b"\x00\x01\x05\x01\x00\x01") == {}
