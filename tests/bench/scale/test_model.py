"""The capacity model keeps its promises: more people never need less, and each parameter has a meaning and a source."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from bench.scale.model import (
    HERE,
    SIZES,
    Mix,
    bus_events,
    cpu_of,
    flushes_of,
    plan,
    read_assumptions,
    read_coefficients,
    report,
    spread_of,
)

MIX = Mix(edits=100, cursors=300, opens=2, connections=600, rooms=200, members=3)


def test_ten_times_the_people_need_more_of_everything() -> None:
    """Nodes, database and storage grow from size to size."""
    answers = [plan(users, read_assumptions(), read_coefficients()) for users in SIZES]
    for smaller, larger in pairwise(answers):
        assert larger.mix.nodes > smaller.mix.nodes
        assert larger.cores["postgresql"] > smaller.cores["postgresql"]
        assert larger.storage_gib > smaller.storage_gib
        assert sum(larger.cost.values()) > sum(smaller.cost.values())


def test_the_first_limit_is_the_most_used_resource() -> None:
    """Nothing is nearer to its limit than what is named."""
    answer = plan(10_000_000, read_assumptions(), read_coefficients())
    assert answer.load[answer.first] == max(answer.load.values())


def test_nodes_are_enough_for_cpu_and_memory() -> None:
    """Neither a node's core nor its memory is used beyond what the parameters allow."""
    a = read_assumptions()
    answer = plan(3_000_000, a, read_coefficients())
    assert answer.cores["nodes"] / answer.mix.nodes <= a["core_use"]
    assert answer.memory_gib / answer.mix.nodes <= a["node_memory_gib"]


def test_a_balancer_that_knows_rooms_saves_cpu_and_bus() -> None:
    """With a room's people together, less is done twice and less is told."""
    c, apart = read_coefficients(), replace(MIX, nodes=10, spread=spread_of(3, 10, 0))
    together = replace(apart, spread=spread_of(3, 10, 1))
    assert together.spread == 1
    assert cpu_of(c, together)["nodes"] < cpu_of(c, apart)["nodes"]
    assert bus_events(together) < bus_events(apart)


def test_one_node_holds_every_room_once() -> None:
    """Whatever the balancer knows, a single node has all of a room."""
    assert spread_of(5, 1, 0) == 1


def test_a_node_commits_no_more_often_than_its_rhythm_allows() -> None:
    """Few edits make a commit each; many share the commits there are."""
    c = read_coefficients()
    assert flushes_of(0, 1, c) == 0
    assert flushes_of(1, 1, c) == pytest.approx(1, rel=0.05)
    assert flushes_of(100_000, 1, c) == pytest.approx(1 / c["flush_period"], rel=0.01)


def test_a_file_changes_parameters_and_may_not_invent_any(tmp_path: Path) -> None:
    """What the file says wins; a name that the model does not know is refused."""
    file = tmp_path / "ours.json"
    file.write_text(json.dumps({"peak_share": 0.5}))
    assert read_assumptions(file)["peak_share"] == 0.5
    assert "500" in report(file)
    file.write_text(json.dumps({"peak_shore": 0.5}))
    with pytest.raises(ValueError, match="peak_shore"):
        read_assumptions(file)


def test_every_coefficient_names_its_source() -> None:
    """A number without a source is an opinion."""
    for entry in json.loads((HERE / "coefficients.json").read_text()).values():
        assert entry["source"]
        assert entry["unit"]
