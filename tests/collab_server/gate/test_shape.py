"""Tests of the shape: what an update may not do with what a document already holds."""

import pytest
from pycrdt import Map

from collab_server.gate.errors import Malformed
from collab_server.gate.limits import TRUSTED, Limits
from collab_server.gate.shape import Plan, Shape
from collab_server.gate.slices import slices
from collab_server.gate.update import inspect
from studio.blank import open_doc
from tests.collab_server.gate.forge import Section, Struct, encode

LIMITS = Limits()
MAP, TEXT = b"\x01", b"\x02"
ONE = b"\x01\x78"


def value(**where: object) -> Struct:
    """A map's value."""
    return Struct(8, 1, ONE, **where)  # type: ignore[arg-type]


def kind(what: bytes, **where: object) -> Struct:
    """A map or a text."""
    return Struct(7, 1, what, **where)  # type: ignore[arg-type]


def text(characters: str, **where: object) -> Struct:
    """Characters of a text."""
    raw = characters.encode()
    return Struct(4, len(characters.encode("utf-16-le")) // 2, bytes((len(raw),)) + raw, **where)  # type: ignore[arg-type]


def plan(
    shape: Shape, client: int, clock: int, *structs: Struct, deletes: dict[int, list[tuple[int, int]]] | None = None
) -> Plan:
    """Plan one section."""
    sections = [Section(client, clock, list(structs))] if structs else []
    return shape.plan(inspect(encode(sections, deletes or {}), LIMITS))


@pytest.fixture
def shape() -> Shape:
    """Client 7: 0 map tracks.a, 1 its name, 2 its gain, 3 map notes.n, 4 its body (text), 5-9 "aé😀b", 10-12 gone."""
    known = Shape(LIMITS)
    known.learn(
        plan(
            known, 7, 0,
            kind(MAP, parent="tracks", key="a"), value(parent=(7, 0), key="name"), value(parent=(7, 0), key="gain"),
            kind(MAP, parent="notes", key="n"), kind(TEXT, parent=(7, 3), key="body"), text("aé😀b", parent=(7, 4)),
            Struct(0, 3, b"\x03"),
        )
    )  # fmt: skip
    return known


def test_roots_of_nested_items(shape: Shape) -> None:
    """The root is known of items that name no root."""
    assert plan(shape, 8, 0, value(origin=(7, 2))).roots == {"tracks"}
    assert plan(shape, 8, 0, text("x", origin=(7, 5), right=(7, 6))).roots == {"notes"}
    assert plan(shape, 8, 0, value(parent="transport", key="bpm")).roots == {"transport"}
    assert plan(shape, 8, 0, value(origin=(7, 11))).roots == set()


@pytest.mark.parametrize(
    ("struct", "reason"),
    [
        (value(parent=(7, 1), key="k"), "parent is no type"),
        (text("x", origin=(7, 5), right=(7, 2)), "neighbours apart"),
        (value(origin=(7, 1), right=(7, 2)), "neighbours apart"),
        (value(origin=(7, 1), right=(7, 1)), "right origin"),
        (value(right=(7, 1)), "right origin"),
        (text("x", origin=(7, 5), right=(7, 5)), "right origin"),
        (text("x", origin=(7, 1)), "out of place"),
        (value(origin=(7, 5)), "out of place"),
        (value(parent="tracks"), "out of place"),
        (value(parent=(7, 0)), "out of place"),
        (text("x", parent=(7, 4), key="k"), "out of place"),
        (text("x", parent="tracks", key="k"), "out of place"),
        (text("x", origin=(7, 7)), "surrogate pair"),
        (text("x", origin=(7, 6), right=(7, 8)), "surrogate pair"),
    ],
)
def test_refuses(shape: Shape, struct: Struct, reason: str) -> None:
    """Each rule about places has a struct that breaks it."""
    with pytest.raises(Malformed, match=reason):
        plan(shape, 8, 0, struct)


@pytest.mark.parametrize(("clock", "length"), [(7, 1), (8, 1), (5, 3)])
def test_deletions_through_a_pair(shape: Shape, clock: int, length: int) -> None:
    """A deletion takes both halves of a pair or none."""
    with pytest.raises(Malformed, match="surrogate pair"):
        plan(shape, 8, 0, deletes={7: [(clock, length)]})
    plan(shape, 8, 0, deletes={7: [(7, 2)]})


def test_live_values_of_a_key(shape: Shape) -> None:
    """Several values of one key come in one struct only when the same update deletes them all."""
    three = Struct(8, 3, b"\x03\x78\x78\x78", parent="tracks", key="z")
    for deletes in ({}, {8: [(0, 2)]}, {8: [(1, 2)]}, {7: [(0, 3)]}):
        with pytest.raises(Malformed, match="alive"):
            plan(shape, 8, 0, three, deletes=deletes)
    plan(shape, 8, 0, three, value(origin=(8, 2)), deletes={8: [(0, 3)]})


def test_collected_and_deleted_parents(shape: Shape) -> None:
    """A child of something collected or deleted is harmless: yrs collects it at once."""
    shape.learn(plan(shape, 8, 0, Struct(1, 2, b"\x02", origin=(7, 0))))
    for parent in ((7, 11), (8, 1)):
        assert plan(shape, 9, 0, kind(MAP, parent=parent, key="k"), value(parent=(9, 0), key="x")).roots == set()


def test_known_structs_are_not_judged(shape: Shape) -> None:
    """yrs skips what it knows, so another spelling of known clocks is neither believed nor refused."""
    again = plan(shape, 7, 1, text("x", origin=(7, 0)))
    assert (again.roots, again.runs[7].end) == (set(), 13)


def test_known_part_ties_the_rest(shape: Shape) -> None:
    """A struct of which the first part is known stands where that part stands, whatever it says."""
    shape.learn(plan(shape, 8, 0, value(parent="tracks", key="z")))
    with pytest.raises(Malformed, match="known part elsewhere"):
        plan(shape, 8, 0, Struct(8, 2, b"\x02\x78\x78", parent="notes", key="z"), deletes={8: [(0, 2)]})


def test_a_known_part_that_was_collected_takes_the_rest_along(shape: Shape) -> None:
    """Its container must be deleted by now, which the plan says and the document knows; a root never is."""
    assert plan(shape, 7, 12, text("xy", parent=(7, 4))).gone == {(7, 4)}
    assert plan(shape, 7, 12, text("xy", origin=(7, 9))).gone == {(7, 4)}
    with pytest.raises(Malformed, match="known part elsewhere"):
        plan(shape, 7, 12, Struct(8, 2, b"\x02\x78\x78", parent="tracks", key="z"), deletes={7: [(12, 2)]})


def test_known_part_ends_inside_a_pair(shape: Shape) -> None:
    """Nor may the known part end between the halves of a pair."""
    shape.learn(plan(shape, 8, 0, text("ab", parent=(7, 4))))
    with pytest.raises(Malformed, match="surrogate pair"):
        plan(shape, 8, 0, text("a😀", parent=(7, 4)))


def test_depth_across_updates() -> None:
    """Types nest as deep as the limit says, however many updates they are spread over."""
    shape = Shape(LIMITS)
    shape.learn(plan(shape, 7, 0, kind(MAP, parent="tracks", key="a")))
    for clock in range(1, LIMITS.types_depth_max):
        shape.learn(plan(shape, 7, clock, kind(MAP, parent=(7, clock - 1), key="a")))
    with pytest.raises(Malformed, match="deep"):
        plan(shape, 7, LIMITS.types_depth_max, kind(MAP, parent=(7, LIMITS.types_depth_max - 1), key="a"))


def test_depth_through_overwriting() -> None:
    """A type that overwrites another stands as deep as that one did, not deeper."""
    shape = Shape(LIMITS)
    shape.learn(plan(shape, 7, 0, kind(MAP, parent="tracks", key="a"), value(parent=(7, 0), key="x")))
    for clock in range(2, 40, 2):
        shape.learn(plan(shape, 7, clock, kind(MAP, origin=(7, clock - 2)), value(parent=(7, clock), key="x")))
    assert plan(shape, 7, 40, kind(MAP, origin=(7, 38)), kind(MAP, origin=(7, 39))).roots == {"tracks"}


def test_planning_changes_nothing(shape: Shape) -> None:
    """A plan that is not learned leaves no trace."""
    plan(shape, 8, 0, kind(MAP, parent="tracks", key="b"))
    assert plan(shape, 9, 0, value(parent=(8, 0), key="k")).roots == set()


@pytest.mark.parametrize("people", [3, 5])
def test_people_who_take_turns_at_one_value_are_no_ring(people: int) -> None:
    """A value that several clients overwrote in turn is learned from one update, and in slices, to the last byte."""
    docs = [open_doc(100 + number) for number in range(people)]
    for turn in range(120):
        writer = docs[turn % people]
        with writer.transaction():
            writer.get("transport", type=Map)["bpm"] = 60 + turn
        for reader in docs:
            if reader is not writer:
                reader.apply_update(writer.get_update(reader.get_state()))
    update = docs[0].get_update()
    shape = Shape(TRUSTED)
    shape.learn(shape.plan(inspect(update, TRUSTED)))
    again, anew = open_doc(7), Shape(TRUSTED)
    for part in slices(update, inspect(update, TRUSTED, offsets=True), 300):
        anew.learn(anew.plan(inspect(part, TRUSTED)))
        again.apply_update(part)
    assert again.get_state() == docs[0].get_state()
