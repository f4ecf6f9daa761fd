"""Tests of the estimate of work: what takes yrs long is refused, what people do is not."""

import time
from typing import Any

import pytest
from pycrdt import Doc, Map

from collab_server.gate.errors import TooLarge
from collab_server.gate.limits import Limits
from collab_server.gate.shape import Shape
from collab_server.gate.update import inspect
from collab_server.wire import write_varstring
from tests.collab_server.gate.forge import Section, Struct, encode

LIMITS = Limits()
TEXT = Struct(7, 1, b"\x02", parent="notes", key="n")


def typed(characters: str, **where: object) -> Struct:
    """ASCII text."""
    return Struct(4, len(characters), write_varstring(characters), **where)  # type: ignore[arg-type]


def embeds(client: int, clock: int, count: int) -> list[Struct]:
    """Embeds one behind the other, which yrs cannot join."""
    first = Struct(5, 1, b"\x011", parent=(5, 0))
    return [first] + [Struct(5, 1, b"\x011", origin=(client, clock + turn)) for turn in range(count - 1)]


def refused(shape: Shape, *sections: Section, deletes: dict[int, list[tuple[int, int]]] | None = None) -> bool:
    """Whether the update is too much work; it is learned otherwise."""
    found = inspect(encode(list(sections), deletes or {}), LIMITS)
    try:
        plan = shape.plan(found, LIMITS.work_max)
    except TooLarge:
        return True
    shape.learn(plan)
    return False


def test_concurrent_inserts() -> None:
    """Thousands of inserts that would each walk over thousands of others are refused."""
    shape = Shape(LIMITS)
    assert not refused(shape, Section(5, 0, [TEXT, *embeds(5, 1, 1000)]))
    assert refused(shape, Section(9, 0, [Struct(5, 1, b"\x011", parent=(5, 0))] * 1000))
    assert not refused(shape, Section(9, 0, [Struct(5, 1, b"\x011", parent=(5, 0))] * 100))


def test_firsts_of_one_key() -> None:
    """Values that all claim to be the first of one key are refused; firsts of many keys are how documents begin."""
    firsts = [Struct(8, 1, b"\x01\x78", parent="tracks", key=key) for key in ["k"] * 1000]
    apart = [Struct(8, 1, b"\x01\x78", parent="tracks", key=f"k{turn}") for turn in range(10_000)]
    assert refused(Shape(LIMITS), Section(5, 0, firsts))
    assert not refused(Shape(LIMITS), Section(5, 0, apart))


def test_cuts_of_a_long_text() -> None:
    """Hundreds of cuts through a megabyte of text are refused, by inserting as by deleting; single ones are not."""
    shape = Shape(LIMITS)
    assert not refused(shape, Section(5, 0, [TEXT, typed("x" * 1_000_000, parent=(5, 0))]))
    places = [typed("y", origin=(5, 900_000 - 2 * turn), right=(5, 900_001 - 2 * turn)) for turn in range(300)]
    assert refused(shape, Section(9, 0, places))
    assert refused(shape, deletes={5: [(2 + 2 * turn, 1) for turn in range(3000)]})
    assert not refused(shape, Section(9, 0, places[:20]), deletes={5: [(2, 1), (9, 30)]})


def test_typing() -> None:
    """A page typed key by key weighs what its text weighs, so that a long note can be written on for ever."""
    shape = Shape(LIMITS)
    assert not refused(shape, Section(5, 0, [TEXT, typed("a", parent=(5, 0))]))
    for clock in range(2, 5000):
        assert not refused(shape, Section(5, clock, [typed("b", origin=(5, clock - 1))]))
    strokes = [typed("c", origin=(5, 4999 + turn)) for turn in range(500)]
    assert not refused(shape, Section(5, 5000, strokes))


def test_what_was_admitted_is_not_weighed() -> None:
    """A stored document opens whatever its weight."""
    firsts = [Struct(8, 1, b"\x01\x78", parent="tracks", key="k")] * 1000
    found = inspect(encode([Section(5, 0, firsts)], {}), LIMITS)
    assert Shape(LIMITS).plan(found).work.steps > LIMITS.work_max


@pytest.mark.parametrize("count", [600, 700])
def test_the_heaviest_admitted(count: int) -> None:
    """Close to the limit, yrs is done within the time the limit stands for (with room for a slow machine)."""
    shape = Shape(LIMITS)
    doc: Doc[Any] = Doc()
    doc.get("notes", type=Map)
    one = [Section(5, 0, [TEXT, *embeds(5, 1, count)])]
    two = [Section(9, 0, [Struct(5, 1, b"\x011", parent=(5, 0))] * count)]
    before = time.process_time()
    for sections in (one, two):
        assert not refused(shape, *sections)
        doc.apply_update(encode(sections, {}))
    assert time.process_time() - before < 1
