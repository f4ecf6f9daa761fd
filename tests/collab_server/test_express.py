"""The short way in admits nothing that the gate would not admit, and joins updates without changing what they say."""

import random
from typing import Any

import pytest
from pycrdt import Doc, Map

from collab_server.express import Lane
from collab_server.gate.inspection import missing
from collab_server.gate.limits import Limits
from collab_server.gate.shape import Shape
from collab_server.gate.update import inspect
from collab_server.wire import write_varuint
from studio.schema import ENTITIES, PLAIN, field
from studio.watch import Touched, watch

CLIENT = 7_777_777
MARKER = "m_0123456789ab"
VALUES: tuple[object, ...] = ("a", "", "Zoë ♪ 😀", "x" * 100, 1, -1, 0, 4095, -70_000, 0.5, 1e300, True, False, None)


def edits(values: list[object], key: str = "label") -> list[bytes]:
    """What pycrdt sends when one marker is made and then one key of it is set to each value."""
    doc: Doc[Any] = Doc(client_id=CLIENT)
    updates: list[bytes] = []
    subscription = doc.observe(lambda event: updates.append(event.update))
    doc.get("markers", type=Map)[MARKER] = Map({"tick": 1, key: "first"})
    for value in values:
        doc["markers"][MARKER][key] = value
    doc.unobserve(subscription)
    return updates


def learned(*updates: bytes) -> Shape:
    """A shape that knows these updates."""
    shape = Shape(Limits())
    for update in updates:
        shape.learn(shape.plan(inspect(update, Limits())))
    return shape


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_plain_value_takes_the_short_way(value: object) -> None:
    """Setting a key to a small plain value is an everyday edit, whatever its type."""
    made, changed = edits([value])
    everyday = Lane(CLIENT).read(changed, learned(made))
    assert everyday is not None
    assert everyday.clock == inspect(changed, Limits()).ranges[0][1]


@pytest.mark.parametrize(
    ("key", "value", "sound"),
    [
        ("label", "chorus", True),
        ("label", "x" * 81, False),
        ("label", 5, False),
        ("kind", "section", True),
        ("kind", "nonsense", False),
        ("tick", 960, False),
        ("unknown", "x", False),
    ],
)
def test_only_allowed_values_of_plain_fields_are_sound(key: str, value: object, sound: bool) -> None:
    """An edit is sound if its field is judged by its value alone and the value is allowed."""
    made, changed = edits([value], key)
    everyday = Lane(CLIENT).read(changed, learned(made))
    assert everyday is not None
    assert everyday.touched == (Touched("markers", MARKER, frozenset({key})) if sound else None)


@pytest.mark.parametrize(("root", "key"), sorted((root, key) for root, keys in PLAIN.items() for key in keys))
def test_a_sound_edit_touches_what_the_document_says_it_touches(root: str, key: str) -> None:
    """Whoever reads it at a glance names the place that yrs names when it is applied."""
    doc: Doc[Any] = Doc(client_id=CLIENT)
    updates: list[bytes] = []
    subscription = doc.observe(lambda event: updates.append(event.update))
    holder = doc.get(root, type=Map)
    if root in ENTITIES:
        holder["x_1"] = holder = Map({})
    for _ in range(2):
        holder[key] = sound_value(root, key)
    doc.unobserve(subscription)
    *made, changed = updates
    copy: Doc[Any] = Doc()
    for update in made:
        copy.apply_update(update)
    notes: list[Touched] = []
    with watch(copy, notes.append):
        copy.apply_update(changed)
    everyday = Lane(CLIENT).read(changed, learned(*made))
    assert everyday is not None
    assert [everyday.touched] == notes


def test_an_entry_is_no_field_whatever_its_id_is() -> None:
    """What stands under a key of an entity root itself is judged by the repair, also if a field is called like that."""
    doc: Doc[Any] = Doc(client_id=CLIENT)
    updates: list[bytes] = []
    subscription = doc.observe(lambda event: updates.append(event.update))
    for value in (1.0, 2.0):
        doc.get("clips", type=Map)["gain_db"] = value
    doc.unobserve(subscription)
    made, changed = updates
    everyday = Lane(CLIENT).read(changed, learned(made))
    assert everyday is not None
    assert everyday.touched is None


def test_what_is_remembered_of_the_last_edit_counts_for_its_successor_alone() -> None:
    """Keys set by turns are each told by their own name; other work in between ends what was remembered."""
    doc: Doc[Any] = Doc(client_id=CLIENT)
    updates: list[bytes] = []
    subscription = doc.observe(lambda event: updates.append(event.update))
    markers = doc.get("markers", type=Map)
    markers[MARKER] = Map({"label": "a", "kind": "section"})
    keys = ["label", "label", "kind", "label", "kind", "kind"]
    for number, key in enumerate(keys):
        markers[MARKER][key] = "cue" if key == "kind" else f"n{number}"
    markers["m_other"] = Map({"label": "b"})
    markers[MARKER]["label"] = "after"
    markers["m_other"]["label"] = "last"
    doc.unobserve(subscription)
    made, *changed, other, after, last = updates
    shape, lane = learned(made), Lane(CLIENT)
    read = [lane.read(update, shape) for update in changed]
    assert [one and one.touched and one.touched.keys for one in read] == [frozenset((key,)) for key in keys]
    assert lane.read(other, shape) is None
    shape.learn(shape.plan(inspect(other, Limits())))
    read = [lane.read(after, shape), lane.read(last, shape)]
    assert [one and one.touched and one.touched.id for one in read] == [MARKER, "m_other"]


def sound_value(root: str, key: str) -> object:
    """One that this field allows."""
    spec = field(root, key)
    assert spec is not None
    values: tuple[object, ...] = (spec.initial("x_1"), 1.0, "x", True)
    return next(value for value in values if spec.fix(value, "x_1") is value)


def test_another_client_takes_the_long_way() -> None:
    """A lane knows one client id: an update of any other is none of its business."""
    made, changed = edits(["a"])
    assert Lane(CLIENT + 1).read(changed, learned(made)) is None


def test_a_repeated_update_takes_the_long_way() -> None:
    """The second time, the clock is known already."""
    made, changed = edits(["a"])
    shape = learned(made)
    assert Lane(CLIENT).read(changed, shape) is not None
    assert Lane(CLIENT).read(changed, shape) is None


@pytest.mark.parametrize("deleted", [(0, 1), (0, 3), (1, 1)])
def test_deleting_more_than_the_values_of_the_key_takes_the_long_way(deleted: tuple[int, int]) -> None:
    """A deletion of one's own entity or of another of its keys may have to be repaired."""
    made, changed = edits(["a"])
    found = inspect(changed, Limits())
    own = write_varuint(CLIENT)
    tail = b"\x01" + own + b"\x01" + write_varuint(found.deletes[0][1]) + write_varuint(found.deletes[0][2])
    assert changed.endswith(tail)
    other = b"\x01" + own + b"\x01" + write_varuint(deleted[0]) + write_varuint(deleted[1])
    assert Lane(CLIENT).read(changed[: -len(tail)] + other, learned(made)) is None


def test_a_joined_run_says_what_its_updates_say() -> None:
    """A document that applies the joined update equals one that applies them one by one, and so does its encoding."""
    made, *changed = edits(list(VALUES))
    shape, lane = learned(made), Lane(CLIENT)
    read = [lane.read(update, shape) for update in changed]
    everyday = [one for one in read if one is not None]
    assert len(everyday) == len(changed)
    joined = lane.join(
        everyday[0].clock,
        [one.struct for one in everyday],
        [one.deleted for one in everyday if one.deleted is not None],
    )
    one_by_one: Doc[Any] = Doc()
    at_once: Doc[Any] = Doc()
    for update in (made, *changed):
        one_by_one.apply_update(update)
    for update in (made, joined):
        at_once.apply_update(update)
    assert at_once.get_state() == one_by_one.get_state()
    assert at_once.get("markers", type=Map).to_py() == one_by_one.get("markers", type=Map).to_py()
    assert at_once.get_update() == one_by_one.get_update()


@pytest.mark.parametrize("seed", range(20))
def test_no_mutation_takes_the_short_way_unless_the_gate_admits_it(seed: int) -> None:
    """For 20,000 mutated updates: what the lane accepts, the gate accepts too, and reads the same out of it."""
    rng = random.Random(seed)
    made, *changed = edits([rng.choice(VALUES) for _ in range(3)])
    accepted = 0
    for _ in range(1_000):
        mutated = mutate(rng, changed[0])
        shape = learned(made)
        everyday = Lane(CLIENT).read(mutated, shape)
        if everyday is None:
            continue
        accepted += 1
        found = inspect(mutated, Limits())
        clock = inspect(made, Limits()).ranges[0][2]
        assert found.ranges == [(CLIENT, clock, clock + 1)]
        assert not missing(found, {CLIENT: clock})
        learned(made).plan(found)
        assert found.deletes == ([] if everyday.deleted is None else [(CLIENT, *everyday.deleted)])
    assert accepted > 0


def mutate(rng: random.Random, update: bytes) -> bytes:
    """The update with a few bytes changed, dropped, doubled or swapped; now and then unchanged."""
    data = bytearray(update)
    for _ in range(rng.randrange(3)):
        place = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[place] = rng.choice((0, 1, 2, 127, 128, 255, 119, 125, rng.randrange(256)))
            case 1:
                del data[place]
            case 2:
                data.insert(place, data[place])
            case _:
                other = rng.randrange(len(data))
                data[place], data[other] = data[other], data[place]
    return bytes(data)
