"""The shared vectors hold for Python; the TypeScript client holds the same files."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from studio import schema
from studio.errors import Invalid
from studio.locks import ROOTS as LOCKABLE
from studio.locks import lock_of
from studio.order import between, spread
from studio.restriction import Only, Restriction, allows, reaches, refused, restriction_of
from studio.roles import Action, Role, may
from studio.tempo import TempoMap
from studio.view import view
from studio.watch import Touched

VECTORS = Path(__file__).parent / "vectors"


def cases(name: str) -> list[Any]:
    found: list[Any] = json.loads((VECTORS / name).read_text())
    return found


def named(case: dict[str, Any]) -> str:
    return str(case["name"])


def rounded(value: Any) -> Any:
    """Numbers to nine significant places; true stays true."""
    match value:
        case bool():
            return value
        case int() | float():
            return float(f"{value:.9g}")
        case list():
            return [rounded(item) for item in value]
        case dict():
            return {key: rounded(item) for key, item in value.items()}
    return value


@pytest.mark.parametrize("case", cases("view.json"), ids=named)
def test_view_vector(case: dict[str, Any]) -> None:
    """A canonical document is seen as the vector says."""
    assert rounded(view(case["canonical"]).as_json()) == rounded(case["view"])


@pytest.mark.parametrize("case", cases("tempo.json"), ids=named)
def test_tempo_vector(case: dict[str, Any]) -> None:
    """Ticks and seconds turn into each other, and ticks into bars and beats, as the vector says."""
    tempo = TempoMap.from_canonical(case["canonical"])
    for tick, second in case["seconds"]:
        assert tempo.seconds(tick) == pytest.approx(second, rel=1e-9, abs=1e-9)
        assert tempo.tick(second) == pytest.approx(tick, rel=1e-9, abs=1e-6)
    for tick, *position in case["bars"]:
        assert list(tempo.position(tick)) == position
        assert tempo.tick_of(*position) == tick


@pytest.mark.parametrize(
    "case", cases("fields.json"), ids=lambda c: f"{c['root']}.{c['key']}={json.dumps(c['value'])[:24]}"
)
def test_field_vector(case: dict[str, Any]) -> None:
    """A field reads as the vector says, and what it reads as is allowed."""
    spec = schema.field(case["root"], case["key"])
    assert spec is not None
    reads = spec.fix(case["value"], case["id"])
    assert reads == case["reads"]
    assert type(reads) is type(case["reads"]) or isinstance(reads, float)
    assert spec.fix(reads, case["id"]) is reads


def test_order_vectors() -> None:
    """Keys sort as text, a key is found wherever there is room and refused where there is none."""
    order: dict[str, list[Any]] = json.loads((VECTORS / "order.json").read_text())
    assert all(run == sorted(run) for run in order["sorted"])
    jitter = random.Random(1).randrange
    for a, b in order["between"]:
        keys = [between(a, b, jitter), *spread(a, b, 20, jitter)]
        assert all((a or "") < key < (b or "~") and not key.endswith("0") for key in keys)
        assert keys[1:] == sorted(set(keys[1:]))
    for a, b in order["impossible"]:
        with pytest.raises(Invalid):
            between(a, b, jitter)


def test_order_crowds_T10() -> None:
    """A thousand inserts into one gap stay strictly ordered and within 256 characters."""
    jitter = random.Random(2).randrange
    low, high = "A", "B"
    for _ in range(1000):
        key = between(low, high, jitter)
        assert low < key < high
        high = key
    assert len(high) <= 256
    low, high = "A", "B"
    for _ in range(1000):
        key = between(low, high, jitter)
        assert low < key < high
        low = key
    assert len(low) <= 256


RIGHTS: dict[str, list[Any]] = json.loads((VECTORS / "rights.json").read_text())


@pytest.mark.parametrize("case", RIGHTS["touches"], ids=named)
def test_rights_vector(case: dict[str, Any]) -> None:
    """A role and a restriction let somebody write what the vector says."""
    root, entity, key = case["touch"]
    restriction = restriction_of(case["restriction"])
    touched = [Touched(root, entity, frozenset({key}))]
    barred = restriction and refused(restriction, touched, lambda *_: case["before"], lambda *_: case["after"])
    assert (may(Role(case["role"]), Action.WRITE) and not barred) is case["may"]


def test_rights_beyond_keys() -> None:
    """What a restriction leaves of actions and locks, and what a track's lock says, is as in the vectors."""
    for case in RIGHTS["actions"]:
        assert allows(restriction_of(case["restriction"]), Action(case["action"])) is case["may"], case
    for case in RIGHTS["holds"]:
        restriction = restriction_of(case["restriction"])
        assert restriction is not None
        assert reaches(restriction, case["track"]) is case["may"], case
    for case in RIGHTS["locks"]:
        assert lock_of(case["value"], case["now"]) == (case["lock"] and tuple(case["lock"])), case
    assert sorted(LOCKABLE) == sorted(RIGHTS["lockable"])


def test_presence_tells_other_chosen_tracks_apart() -> None:
    """The kind of a restriction, and a mark that changes with its tracks, in whatever order they are kept."""
    assert Restriction(Only.MIX).told() == {"only": "mix"}
    chosen = [Restriction(Only.TRACKS, frozenset(tracks)).told() for tracks in (["a", "b"], ["b", "a"], ["a"], ["ab"])]
    assert all(told["only"] == "tracks" and len(told["part"]) == 8 for told in chosen)
    assert chosen[0] == chosen[1]
    assert len({told["part"] for told in chosen}) == 3
