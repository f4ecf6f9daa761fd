"""The verification can fail: servers that lose what they acknowledged are found out, honest ones are not accused."""

import asyncio
from pathlib import Path

from loadtest.wire import Dialect
from tests.loadtest.harness import Result, loadtest
from tests.loadtest.relay import Relay, relaying

NAMES = {Dialect.Y_WEBSOCKET: "yws", Dialect.HOCUSPOCUS: "hocuspocus"}


async def steady(relay: Relay, folder: Path) -> Result:
    """A short steady load against a relay."""
    async with relaying(relay) as address:
        size = ("--rooms", "1", "--people", "3", "--rate", "100", "--duration", "1.2", "--settle", "0.8")
        return await loadtest(folder, "steady", "--protocol", NAMES[relay.dialect], "--ws", address, *size)


async def in_both(folder: Path, forgets: int) -> list[Result]:
    """The same in both dialects, side by side."""
    runs = (steady(Relay(dialect, forgets), folder / dialect.value) for dialect in Dialect)
    return await asyncio.gather(*runs)


async def test_an_honest_server_is_green_in_either_dialect(tmp_path: Path) -> None:
    """Every edit is acknowledged, delivered to both others once they are in, and verified; the exit code is 0."""
    for result in await in_both(tmp_path, 0):
        assert result.code == 0, result.said
        totals, judged = result.numbers["totals"], result.numbers["verification"]
        assert totals["acks"] == totals["edits"] > 50
        assert 1.6 * totals["edits"] < totals["deliveries"] <= 2 * totals["edits"]
        assert judged["checked"] == totals["edits"] + 1, "the edits, and the one that furnished the room"
        assert judged["members"] == 4, "three people, and the silent host of a room that is but a name"


async def test_a_server_that_forgets_acknowledged_edits_is_found_out(tmp_path: Path) -> None:
    """One forgotten update in forty is enough for exit code 1, with the number of missing edits."""
    for result in await in_both(tmp_path, 40):
        assert result.code == 1
        assert result.numbers["verification"]["missing"] > 0
        assert result.numbers["green"] is False
        assert "not there for a newcomer" in result.said


async def test_a_server_that_keeps_an_edit_from_one_member_is_found_out(tmp_path: Path) -> None:
    """Nothing is missing for a newcomer, but the members do not hold the same."""
    result = await steady(Relay(Dialect.Y_WEBSOCKET, deaf=True), tmp_path)
    assert result.code == 1
    assert result.numbers["verification"]["missing"] == 0
    assert result.numbers["verification"]["different"] > 0
