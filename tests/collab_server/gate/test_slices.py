"""Tests of cutting an update into slices."""

import random
from typing import Any

import pytest
from pycrdt import Doc, Map, Text

from collab_server.gate.contents import SKIP, STRING
from collab_server.gate.errors import Malformed
from collab_server.gate.inspection import missing, news
from collab_server.gate.limits import Limits
from collab_server.gate.slices import slices
from collab_server.gate.update import inspect
from collab_server.wire import write_varstring
from tests.collab_server.gate.forge import Section, Struct, encode

LARGE = Limits(update_bytes_max=1 << 24, structs_max=1 << 20)


def jam(seed: int, people: int = 4, rounds: int = 12) -> bytes:
    """A document in which several people wrote into each other's texts, over each other's values, and deleted."""
    rng = random.Random(seed)
    docs: list[Doc[Any]] = [Doc(client_id=rng.getrandbits(30)) for _ in range(people)]
    for turn in range(rounds):
        for doc in docs:
            text, keys = doc.get("text", type=Text), doc.get("keys", type=Map)
            with doc.transaction():
                for _ in range(8):
                    at = rng.randint(0, len(text))
                    text.insert(at, f"<{turn}:{rng.randint(0, 99)}>") if at % 2 == 0 else text.insert(0, "ab")
                    keys[f"k{rng.randint(0, 9)}"] = Map({"value": turn}) if rng.random() < 0.3 else turn
                if turn > 3:
                    del text[2 : 2 + rng.randint(0, 5)]
        for doc in rng.sample(docs, 3):
            for other in docs:
                if other is not doc:
                    doc.apply_update(other.get_update(doc.get_state()))
    for doc in docs[1:]:
        docs[0].apply_update(doc.get_update(docs[0].get_state()))
    return docs[0].get_update()


def text(signs: str, origin: tuple[int, int] | None = None) -> Struct:
    """A piece of text."""
    return Struct(STRING, len(signs), write_varstring(signs), origin)


def contents(updates: list[bytes]) -> tuple[bytes, str, object]:
    """What a document shows and knows after updates."""
    doc: Doc[Any] = Doc(client_id=5)
    text, keys = doc.get("text", type=Text), doc.get("keys", type=Map)
    for update in updates:
        doc.apply_update(update)
    return doc.get_update(), str(text), keys.to_py()


@pytest.mark.parametrize("seed", range(12))
def test_slices_make_the_same_document_and_nothing_is_ever_missing(seed: int) -> None:
    """Applied one by one they give what the whole gives, and each leans only on those before it."""
    update = jam(seed)
    whole = inspect(update, LARGE, offsets=True)
    parts = list(slices(update, whole, 300))
    assert len(parts) > 5
    known: dict[int, int] = {}
    for part in parts:
        found = inspect(part, LARGE)
        assert not missing(found, known)
        assert part is parts[-1] or news(found, known)
        known |= {client: end for client, _, end in found.ranges}
    assert contents(parts)[1:] == contents([update])[1:]
    assert len(contents(parts)[0]) == len(contents([update])[0])
    assert known == {client: end for client, _, end in whole.ranges}


def test_no_slice_is_much_larger_than_asked() -> None:
    """A slice ends with the struct that fills it."""
    update = jam(1)
    found = inspect(update, LARGE, offsets=True)
    longest = max(after - before for before, after in zip(found.offsets, found.offsets[1:], strict=False))
    deletes = len(update) - found.offsets[-1]
    assert max(map(len, slices(update, found, 300))) <= 300 + longest + deletes + 64


def test_a_small_update_is_its_own_slice() -> None:
    """What fits is passed on as it is."""
    update = jam(2, rounds=1)
    assert list(slices(update, inspect(update, LARGE, offsets=True), len(update))) == [update]


def test_an_update_with_skips_stays_whole() -> None:
    """Its structs have gaps: nothing could be said of what comes before what."""
    structs = [text("ab"), Struct(SKIP, 3, b"\x03"), text("cd")]
    update = encode([Section(77, 0, structs)], {})
    assert list(slices(update, inspect(update, LARGE, offsets=True), 4)) == [update]


def test_a_ring_is_refused() -> None:
    """Two structs that wait for each other end the cutting, not the process."""
    update = encode([Section(7, 0, [text("aa", (8, 0))]), Section(8, 0, [text("bb", (7, 0))])], {})
    with pytest.raises(Malformed, match="ring"):
        list(slices(update, inspect(update, LARGE, offsets=True), 4))
