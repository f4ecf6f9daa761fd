"""The measurements run on the real thing: a small one of each ends with every connection and edit in place.

They mostly wait, so they do that side by side, each on a stage of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

from bench.scale import channels, cold, idle, large, spread
from bench.scale.findings import Findings
from bench.scale.stage import Stage

COLD = cold.Size(projects=200, rate=50, seconds=1, stay=0.1)
IDLE = idle.Size(rooms=5, connections=10, seconds=0.5)
SPREAD = spread.Size(rate=50, members=4, rooms=2, room_members=2, rooms_rate=40, seconds=1, rounds=1)
LARGE = large.Size(bytes=6_000_000, opens=1, rooms=2, members=2, rate=20, seconds=4)
CHANNELS = channels.Size(rooms=40, nodes=2, events=300)
MEASURES: Final[Mapping[str, Callable[[Stage], Awaitable[Findings]]]] = MappingProxyType(
    {
        "idle": lambda stage: idle.measure(stage, quietly, None, IDLE),
        "cold": lambda stage: cold.measure(stage, quietly, None, COLD),
        "spread": lambda stage: spread.measure(stage, quietly, None, SPREAD),
        "large": lambda stage: large.measure(stage, quietly, None, LARGE),
        "channels": lambda stage: channels.measure(stage, quietly, None, CHANNELS),
    }
)


@pytest.fixture(scope="module")
async def found(scratch: Path) -> Mapping[str, Findings]:
    """What each measurement has found."""

    async def measured(name: str) -> Findings:
        async with Stage(scratch / f"scale-{name}", None) as stage:
            return await MEASURES[name](stage)

    async with asyncio.TaskGroup() as beside:
        running = {name: beside.create_task(measured(name)) for name in MEASURES}
    return {name: task.result() for name, task in running.items()}


def value(found: Findings, what: str) -> float:
    """The first figure whose name begins like this."""
    return next(row.value for row in found.rows if row.what.startswith(what))


def quietly(_: str) -> None:
    """Nobody waits for progress."""


def test_idle_rooms_are_opened_and_kept(found: Mapping[str, Findings]) -> None:
    """All rooms and connections are there, and none is lost while they are silent."""
    assert value(found["idle"], "rooms open") == 5
    assert value(found["idle"], "connections") == 10
    assert value(found["idle"], "refused") == value(found["idle"], "connections lost") == 0


def test_cold_opens_all_arrive(found: Mapping[str, Findings]) -> None:
    """Every visitor gets the document of a project that nobody had open."""
    assert value(found["cold"], "opened") == 50


def test_a_spread_room_loses_no_edit(found: Mapping[str, Findings]) -> None:
    """With its people on two nodes everybody gets everything."""
    assert value(found["spread"], "edits lost") == 0
    assert value(found["spread"], "two nodes, other node: p50") > 0


def test_a_large_document_is_opened_beside_others(found: Mapping[str, Findings]) -> None:
    """The others lose nothing."""
    assert value(found["large"], "others' edits lost") == 0
    assert value(found["large"], "connect to synced") > 0


def test_each_layout_of_the_bus_delivers_everything(found: Mapping[str, Findings]) -> None:
    """A measurement of a layout that loses events would say nothing."""
    assert len(found["channels"].rows) == 15
