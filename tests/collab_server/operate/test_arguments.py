"""The command line: what is asked for, and how a mistake is told."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest

from collab_server.operate.arguments import read
from launch.app import App
from tests.collab_server.operate.conftest import Operate

PROJECT = "123e4567-e89b-42d3-a456-426614174000"


def test_without_a_command_it_serves() -> None:
    """No arguments, or flags alone."""
    assert read([]).command == "serve"
    asked = read(["--port", "8002", "--host", "0.0.0.0"])
    assert (asked.command, asked.port, asked.host) == ("serve", 8002, "0.0.0.0")


def test_a_moment_is_a_row_or_a_time() -> None:
    """A time without a zone is UTC."""
    assert read(["replay", PROJECT, "--at", "17"]).at == 17
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    for text in ("2026-05-01T12:00:00Z", "2026-05-01T14:00:00+02:00", "2026-05-01T12:00:00"):
        assert read(["replay", PROJECT, "--at", text]).at == noon


@pytest.mark.parametrize(
    "arguments",
    [
        ["fly"],
        ["inspect"],
        ["inspect", "x"],
        ["verify"],
        ["verify", PROJECT, "--all"],
        ["replay", PROJECT],
        ["replay", PROJECT, "--at", "yesterday"],
        ["restore", PROJECT],
        ["restore", PROJECT, "--at", "1", "--snapshot", PROJECT],
        ["quarantine", PROJECT, "--release", "--reason", "x"],
        ["import", "file"],
        ["import", "file", "--owner", "x", "--name", "n" * 121],
        ["epoch"],
        ["top", "--interval", "0"],
        ["--port", "99999"],
        ["serve", "--hos", "x"],
    ],
    ids=" ".join,
)
def test_a_mistake_is_one_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error, with exit code 2."""
    with pytest.raises(SystemExit) as ended:
        read(arguments)
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.out == ""
    assert said.err.startswith("backline collab server: ")
    assert said.err.count("\n") == 1


async def test_flags_go_before_the_environment(app_environment: dict[str, str], free_port: int) -> None:
    """A node listens where its flag says."""
    app = App("collab_server", free_port, app_environment)
    app.process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "collab_server", "--port", str(free_port), "--log-level", "error"),
        env=app_environment | {"COLLAB__PORT": "1"},
    )
    try:
        async with asyncio.timeout(30):
            await app.ready()
        async with httpx.AsyncClient(base_url=app.http) as client:
            assert (await client.get("/live")).status_code == 200
    finally:
        assert await app.stop() == 0


async def test_a_bad_value_is_named_wherever_it_stands(command: Operate, free_port: int) -> None:
    """A flag mends the environment's value of its own name alone."""
    loud = await command("--port", free_port, COLLAB__PORT="many", LOG__LEVEL="loud")
    many = await command("serve", "--log-level", "info", COLLAB__PORT="many")
    for said, name in ((loud, "LOG__LEVEL"), (many, "COLLAB__PORT")):
        assert (said.status, said.out, said.err.count("\n")) == (2, b"", 1), said
        assert name in said.err


async def test_what_is_missing_is_named(command: Operate) -> None:
    """A variable that is not set, one that is wrong, a database that is not there."""
    unset = await command("inspect", PROJECT, DATABASE__URL=None)
    wrong = await command("inspect", PROJECT, DATABASE__URL="mysql://x")
    away = await command("inspect", PROJECT, DATABASE__URL="postgresql://127.0.0.1:1/none")
    short = await command("rooms", OPERATOR__TOKEN="short")
    unsigned = await command("serve", TICKETS__SECRET=None)
    for said in (unset, wrong, away, short, unsigned):
        assert (said.status, said.out, said.err.count("\n")) == (2, b"", 1), said
    assert unset.err == "backline collab server: DATABASE__URL is not set\n"
    assert "DATABASE__URL" in wrong.err
    assert "OPERATOR__TOKEN" in short.err
    assert "the database" in away.err
    assert unsigned.err == "backline collab server: TICKETS__SECRET is not set\n"


async def test_results_go_to_standard_output_alone(command: Operate, project: UUID) -> None:
    """A command as a process: its exit code, its result, and nothing on standard error."""
    said = await command("inspect", project, "--json")
    assert (said.status, said.err) == (0, "")
    assert said.json["project"] == str(project)


async def test_a_reader_who_has_enough_is_no_failure(app_environment: dict[str, str], project: UUID) -> None:
    """`inspect | head -0`: exit code 0, nothing on standard error."""
    reading, writing = os.pipe()
    os.close(reading)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "collab_server", "inspect", str(project)),
        env=app_environment,
        stdout=writing,
        stderr=PIPE,
    )
    os.close(writing)
    async with asyncio.timeout(60):
        _, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
