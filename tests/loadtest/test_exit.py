"""Exit codes: 1 for a broken threshold or a server that goes away, 2 with one sentence for what cannot be run."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from loadtest.wire import Dialect
from tests.loadtest.harness import loadtest
from tests.loadtest.relay import Relay, relaying

SMALL = ("--rooms", "1", "--people", "2", "--duration", "1.5", "--settle", "0.5")


async def test_a_broken_threshold_is_exit_code_1(tmp_path: Path) -> None:
    """The run is sound, the bound is not kept, and the table says which."""
    async with relaying(Relay(Dialect.Y_WEBSOCKET)) as address:
        result = await loadtest(
            tmp_path, "steady", "--protocol", "yws", "--ws", address, *SMALL, "--max-p99-ms", "0.001"
        )
    assert result.code == 1
    assert "FAIL --max-p99-ms" in result.said
    assert "ok   0 acknowledged edits missing" in result.said


async def test_a_server_that_goes_away_is_told_honestly(tmp_path: Path) -> None:
    """Lost connections are errors, the room counts as unverified, and nothing is green."""
    relay = Relay(Dialect.Y_WEBSOCKET)
    async with relaying(relay) as address:
        run = asyncio.create_task(loadtest(tmp_path, "steady", "--protocol", "yws", "--ws", address, *SMALL))
        async with asyncio.timeout(20):
            while relay.updates < 50:  # noqa: ASYNC110 - the relay counts, and knows no events
                await asyncio.sleep(0.02)
    result = await run
    assert result.code == 1
    assert any(words.startswith("join: ") for words in result.numbers["errors"])
    assert result.numbers["verification"]["unverified"] == 1
    assert result.numbers["verification"]["outside"] == 3, "two people and the silent host"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("no-such",), "invalid choice"),
        (("presence", "--rooms", "0"), "--rooms must be greater than 0."),
        (("presence", "--protocol", "yws"), "--protocol yws needs --ws URL."),
        (
            ("presence", "--http", "localhost:1"),
            "--http localhost:1 is no address that begins with http:// or https://.",
        ),
        (("presence", "--pid", "server=4194305"), "there is no such process"),
    ],
)
async def test_bad_usage_is_one_sentence_and_exit_code_2(arguments: tuple[str, ...], sentence: str) -> None:
    """No usage text, no traceback."""
    from loadtest.errors import BadUsage
    from loadtest.options import parse

    with pytest.raises(BadUsage) as raised:
        parse(arguments)
    assert sentence in str(raised.value)


async def test_a_server_that_is_not_there_is_one_sentence_and_exit_code_2(
    tmp_path: Path, free_ports: Callable[[], int]
) -> None:
    """Over HTTP as over websockets."""
    nobody = free_ports()
    http, ws = await asyncio.gather(
        loadtest(tmp_path / "http", "presence", "--http", f"http://127.0.0.1:{nobody}"),
        loadtest(tmp_path / "ws", "presence", "--protocol", "yws", "--ws", f"ws://127.0.0.1:{nobody}"),
    )
    assert (http.code, ws.code) == (2, 2)
    assert http.told.splitlines()[-1] == f"loadtest: http://127.0.0.1:{nobody} cannot be used: connection refused."
    assert ws.told.splitlines()[-1] == f"loadtest: ws://127.0.0.1:{nobody} cannot be used: connection refused."
