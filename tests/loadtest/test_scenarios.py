"""Every scenario, small, against the real server: it ends green and tells what it is for in three forms."""

import asyncio
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from launch.app import App
from loadtest.scenarios import NAMED
from tests.loadtest.harness import Result, loadtest

GENEROUS = ("--max-p99-ms", "20000")
ANY_SLOPE = ("--max-memory-slope", "1000000")  # the other scenarios fill the same server meanwhile
SIZES = {
    "studio-evening": ("--rooms", "3", "--people", "3", "--pace", "6"),
    "join-storm": ("--rooms", "2", "--people", "5"),
    "presence": ("--rooms", "2", "--people", "3"),
    "soak": ("--rooms", "2", "--people", "2", "--pace", "6", *ANY_SLOPE),
    "reconnect-storm": ("--rooms", "2", "--people", "4"),
    "mix": ("--rooms", "12", "--people", "2", "--pace", "6"),
    "steady": ("--rooms", "2", "--people", "3", "--rate", "200", "--processes", "2"),
    "find-limit": (
        "--rooms",
        "2",
        "--people",
        "2",
        "--duration",
        "8",
        "--step",
        "3",
        "--rate",
        "50",
        "--max-p99-ms",
        "5000",
    ),
}
"""The smallest that still shows what a scenario is for."""
IN_ALL = {"edits", "acks", "deliveries", "joins"}


@pytest.fixture(scope="module")
async def results(api_server: App, collab: App, scratch: Path) -> dict[str, Result]:
    """Each scenario's run, all of them side by side."""

    async def run(name: str) -> Result:
        common = ("--http", api_server.http, "--duration", "3.5", "--processes", "1", "--accounts", "5")
        return await loadtest(scratch / "loadtest" / name, name, *common, *SIZES[name])

    runs = await asyncio.gather(*(run(name) for name in SIZES))
    return dict(zip(SIZES, runs, strict=True))


def test_every_scenario_is_tried() -> None:
    """A new scenario is run here too."""
    assert set(SIZES) == set(NAMED)


@pytest.mark.parametrize("name", list(SIZES))
def test_a_scenario_ends_green_on_a_sound_server(results: dict[str, Result], name: str) -> None:
    """Everybody edits, everything is acknowledged and verified, nobody is left outside, and nothing failed."""
    result = results[name]
    assert result.code == 0, result.said + result.told
    numbers = result.numbers
    assert all(numbers["totals"][count] > 0 for count in IN_ALL)
    assert numbers["verification"]["checked"] >= numbers["totals"]["acks"]
    assert numbers["verification"]["members"] > 0
    assert numbers["errors"] == {}
    assert result.said.rstrip().splitlines()[-2:][0] == "green"


@pytest.mark.parametrize("name", list(SIZES))
def test_the_page_stands_alone_and_its_drawings_are_sound(results: dict[str, Result], name: str) -> None:
    """One file, no address of anything else to load, and every figure is well-formed SVG with a curve in it."""
    page = results[name].page
    drawings = [part.partition("</svg>")[0] + "</svg>" for part in page.split("<svg")[1:]]
    assert len(drawings) >= 6
    for drawing in drawings:
        marks = {element.tag for element in ElementTree.fromstring("<svg" + drawing)}
        assert marks & {"polyline", "circle"}
    assert " src=" not in page
    assert "<link" not in page
    assert "@import" not in page


def test_presence_is_heard_by_the_others(results: dict[str, Result]) -> None:
    """Cursors arrive, at the server's 20 Hz or a little less."""
    totals = results["presence"].numbers["totals"]
    assert totals["presence_sent"] > 100
    assert totals["presence_heard"] > totals["presence_sent"]
    assert results["presence"].numbers["percentiles_ms"]["presence"]["0.99"] < 2000


def test_storms_bring_everybody_in_again(results: dict[str, Result]) -> None:
    """After a storm each person has joined more than once."""
    assert results["join-storm"].numbers["totals"]["joins"] >= 20
    assert results["reconnect-storm"].numbers["totals"]["joins"] >= 16


def test_the_soak_has_a_verdict_on_memory(results: dict[str, Result]) -> None:
    """The memory of the server's processes was read, and its slope is held against the threshold."""
    numbers = results["soak"].numbers
    assert numbers["measures"]["memory_mib"] > 20
    assert any(check["name"] == "--max-memory-slope" for check in numbers["checks"])


def test_the_search_rises_until_it_is_stopped(results: dict[str, Result]) -> None:
    """Each step asks for more than the one before, as long as the bound holds."""
    steps = results["find-limit"].numbers["search"]
    assert steps[0]["rate"] == 50
    assert steps[0]["broke"] == ""
    assert 30 < steps[0]["edits_s"] < 70
    assert all(before["rate"] < after["rate"] for before, after in pairwise(steps))
    assert "limit: " in results["find-limit"].said


def test_progress_goes_to_standard_error(results: dict[str, Result]) -> None:
    """Without a terminal it is plain lines; standard output is the result alone."""
    told = results["steady"].told
    assert "/4 s" in told
    assert "\x1b" not in told
    assert "━" not in results["steady"].said
