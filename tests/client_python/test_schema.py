"""The client's table of fields is the server's, and its reading of values that of the shared vectors."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from backline import document as client_document
from backline import ids, order, records, rows, specs
from backline.entities import Clip, Effect, Entity, Marker, Note, Send, Track, Transport
from backline.fields import Field, Fields
from backline.timeline import PPQ, Timeline
from studio import fields, schema
from tests.client_python.offline import document

VECTORS = Path(__file__).parents[1] / "studio" / "vectors"
KINDS: tuple[type[Fields], ...] = (Track, Clip, Marker, Note, Effect, Send, Transport)
ENTITIES: tuple[type[Entity], ...] = (Track, Clip, Marker, Note, Effect, Send)
ROWS: dict[str, rows.ListShape[Any]] = {
    "tempo": rows.TEMPO,
    "signatures": rows.SIGNATURES,
    "events": rows.EVENTS,
    "points": rows.POINTS,
}

RECORDS: dict[str, records.RecordShape[Any]] = {
    "lanes": records.LANES,
    "arrangement": records.SECTIONS,
    "slots": records.SLOTS,
}


def cases(name: str) -> Any:
    """A file of vectors."""
    return json.loads((VECTORS / name).read_text())


def shape(spec: object) -> tuple[object, ...]:
    """What either side's kind of value allows, in the same words."""
    match spec:
        case specs.Nullable(inner):
            return ("or None", *shape(inner)[:-1])
        case specs.Number(low, high, default):
            return ("number", low, high, default)
        case specs.Integer(low, high, default):
            return ("integer", low, high, default)
        case fields.Number(low, high, default, integer, nullable):
            found = ("integer" if integer else "number", low, high)
            return ("or None", *found) if nullable else (*found, default)
        case specs.String(units, default, made) | fields.String(units, default, False, made):
            return ("string", units, made("t_1") if made else default)
        case specs.Pattern(regex, default, made):
            return ("pattern", regex, made("t_1") if made else default)
        case _:
            return server_shape(spec)


def server_shape(spec: object) -> tuple[object, ...]:
    """The rest of them."""
    match spec:
        case fields.String(units):
            return ("or None", "string", units)
        case fields.Pattern(regex, _, True):
            return ("or None", "pattern", regex)
        case fields.Pattern(regex, default, _, made):
            return ("pattern", regex, made("t_1") if made else default)
        case fields.Body(units):
            return ("string", units, "")
        case specs.Choice(values, default) | fields.Choice(values, default):
            return ("choice", values, default)
        case specs.Flag(default) | fields.Flag(default):
            return ("flag", default)
        case specs.Leaf(allowed, default) | fields.Leaf(allowed, default):
            return ("leaf", allowed.__name__, default)
    raise AssertionError(spec)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.root))
def test_fields_are_those_of_the_servers_schema(kind: type[Fields]) -> None:
    """Each entity has the same fields, with the same types, ranges, defaults and rights, as the server's schema."""
    ours = {key: shape(field.spec) for key, field in kind.fields().items()}
    assert ours == {key: shape(spec) for key, spec in schema.FIELDS[kind.root].items()}
    fixed = {key for key, field in kind.fields().items() if field.fixed}
    assert fixed == schema.IMMUTABLE.get(kind.root, frozenset())
    servers = {key for key, field in kind.fields().items() if field.server}
    stamped = set(schema.STAMPED.get(kind.root, ()))
    assert servers == schema.SERVER_FIELDS.get(kind.root, frozenset()) | stamped


def test_roots_and_constants_are_the_servers() -> None:
    """Roots, ticks of a quarter, and what leaf rows hold are equal on both sides."""
    assert client_document.ROOTS == schema.ROOTS
    assert client_document.SERVER_ROOTS == schema.SERVER_ROOTS
    assert {kind.root for kind in KINDS} == schema.FIELDS.keys() - {"meta"}
    assert PPQ == schema.PPQ
    for root, ours in ROWS.items():
        theirs = schema.LEAVES[root]
        assert isinstance(theirs, fields.Row)
        assert [shape(spec) for spec in ours.specs] == [shape(spec) for spec in theirs.cells]
    for root, shapes in RECORDS.items():
        record = schema.LEAVES[root]
        assert isinstance(record, fields.Record)
        keys = dict(zip(shapes.names, map(shape, shapes.specs), strict=True))
        assert keys == {key: shape(spec) for key, spec in record.cells.items()}
    assert {*ROWS, *RECORDS} == schema.LEAVES.keys() - {"assets"}


def test_values_read_as_the_vectors_say() -> None:
    """Whatever stands in a field, the client reads what the server's repair would leave."""
    known = {(kind.root, key): field for kind in KINDS for key, field in kind.fields().items()}
    tried = 0
    for case in cases("fields.json"):
        field = known.get((case["root"], case["key"]))
        if field is not None:
            assert read(field, case) == case["reads"], case
            tried += 1
    assert tried > 50


def read(field: Field[object], case: dict[str, Any]) -> object:
    """A stored value as the client sees it, in JSON."""
    return json.loads(json.dumps(field.spec.read(case["value"], case["id"])))


@pytest.mark.parametrize("case", cases("fields.json"), ids=lambda case: f"{case['root']}.{case['key']}")
def test_only_what_the_server_would_leave_alone_is_accepted(case: dict[str, Any]) -> None:
    """A value is accepted exactly if it reads as itself."""
    known = {(kind.root, key): field for kind in KINDS for key, field in kind.fields().items()}
    field = known.get((case["root"], case["key"]))
    if field is None:
        assert case["root"] not in {kind.root for kind in KINDS} or case["key"].startswith("p.")
        return
    unharmed = case["reads"] == case["value"] and isinstance(case["reads"], bool) == isinstance(case["value"], bool)
    if unharmed:
        assert field.spec.accept(case["value"]) == case["value"]
    else:
        with pytest.raises(ValueError):
            field.spec.accept(case["value"])


@pytest.mark.parametrize("case", cases("tempo.json"), ids=lambda case: str(case["name"]))
def test_time_as_the_vectors_say(case: dict[str, Any]) -> None:
    """Ticks, seconds, bars and beats turn into each other as on the server and in the page."""
    doc = document(case["canonical"])
    transport = Transport(doc, "")
    tempo, signatures = rows.Tempo(doc, "tempo", rows.TEMPO), rows.Signatures(doc, "signatures", rows.SIGNATURES)
    timeline = Timeline(transport.bpm, transport.signature, tempo.values(), signatures.values())
    for tick, second in case["seconds"]:
        assert timeline.seconds(tick) == pytest.approx(second, rel=1e-9, abs=1e-9)
        assert timeline.tick(second) == pytest.approx(tick, rel=1e-9, abs=1e-6)
    for tick, *position in case["bars"]:
        assert list(timeline.position(tick)) == position
        assert timeline.tick_of(*position) == tick


def test_order_keys_as_the_vectors_say() -> None:
    """A key is found between any two that leave room, and refused between others."""
    dice = random.Random(1)
    for low, high in cases("order.json")["between"]:
        key = order.between(low or "", high, dice.randrange)
        assert (low or "") < key
        assert high is None or key < high
        assert not key.endswith("0")
    for low, high in cases("order.json")["impossible"]:
        with pytest.raises(ValueError):
            order.between(low, high, dice.randrange)


def test_ids_are_ones_the_server_knows() -> None:
    """A new id has its kind's prefix and the server's form."""
    for kind in ENTITIES:
        if kind.prefix:
            from studio.ids import is_id

            assert is_id(ids.new_id(kind.prefix), kind.prefix)
