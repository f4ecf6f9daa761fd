"""The measurements run on the real thing: a small one of each ends with every connection and edit in place."""

from collections.abc import AsyncIterator

import pytest

from bench.scale import channels, cold, idle, large, spread
from bench.scale.findings import Findings
from bench.scale.stage import Stage
from launch.place import choose_data_folder


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with Stage(choose_data_folder(None) / "scale-test", None) as running:
        yield running


def value(found: Findings, what: str) -> float:
    """The first figure whose name begins like this."""
    return next(row.value for row in found.rows if row.what.startswith(what))


def quietly(_: str) -> None:
    """Nobody waits for progress."""


async def test_idle_rooms_are_opened_and_kept(stage: Stage) -> None:
    """All rooms and connections are there, and none is lost while they are silent."""
    found = await idle.measure(stage, quietly, None, idle.Size(rooms=5, connections=10, seconds=0.5))
    assert value(found, "rooms open") == 5
    assert value(found, "connections") == 10
    assert value(found, "refused") == value(found, "connections lost") == 0


async def test_cold_opens_all_arrive(stage: Stage) -> None:
    """Every visitor gets the document of a project that nobody had open."""
    found = await cold.measure(stage, quietly, None, cold.Size(projects=200, rate=50, seconds=1, stay=0.1))
    assert value(found, "opened") == 50


async def test_a_spread_room_loses_no_edit(stage: Stage) -> None:
    """With its people on two nodes everybody gets everything."""
    size = spread.Size(rate=50, members=4, rooms=2, room_members=2, rooms_rate=40, seconds=1, rounds=1)
    found = await spread.measure(stage, quietly, None, size)
    assert value(found, "edits lost") == 0
    assert value(found, "two nodes, other node: p50") > 0


async def test_a_large_document_is_opened_beside_others(stage: Stage) -> None:
    """The others lose nothing."""
    size = large.Size(bytes=6_000_000, opens=1, rooms=2, members=2, rate=20, seconds=4)
    found = await large.measure(stage, quietly, None, size)
    assert value(found, "others' edits lost") == 0
    assert value(found, "connect to synced") > 0


async def test_each_layout_of_the_bus_delivers_everything(stage: Stage) -> None:
    """A measurement of a layout that loses events would say nothing."""
    found = await channels.measure(stage, quietly, None, channels.Size(rooms=40, nodes=2, events=300))
    assert len(found.rows) == 15
