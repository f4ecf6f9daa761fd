"""`python -m api` as a process."""

import asyncio
import json
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE

import httpx
import pytest

from launch.app import App


async def refused(environment: dict[str, str], app: str = "api") -> tuple[int | None, str]:
    """Exit code and stderr of a start that must not succeed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", app, env=environment, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    async with asyncio.timeout(30):
        said, complained = await process.communicate()
    assert said == b""
    return process.returncode, complained.decode()


async def test_it_serves_and_stops_at_SIGTERM(api_server: App) -> None:
    """Ready, answering, then exit code 0; every line of its log is JSON."""
    async with httpx.AsyncClient(base_url=api_server.http) as client:
        assert (await client.get("/ready")).json() == {"ready": True}
        assert (await client.post("/api/guests")).status_code == 201
    assert await api_server.stop() == 0
    assert api_server.log is not None
    for line in api_server.log.read_text().splitlines():
        json.loads(line)


async def test_a_busy_port_is_one_sentence(app_environment: dict[str, str]) -> None:
    """Exit code 2, and the address that is taken."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, complaint = await refused(app_environment | {"API__PORT": str(port)})
    assert status == 2
    assert complaint.count("\n") == 1
    assert f"127.0.0.1:{port}" in complaint


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"TICKETS__SECRET": "short"}, "TICKETS__SECRET"),
        ({"DATABASE__URL": "mysql://x"}, "DATABASE__URL"),
        ({"DATABASE__URL": "postgresql://127.0.0.1:1/x"}, "DATABASE__URL"),
        ({"BUS__URL": "http://x"}, "BUS__URL"),
        ({"BUS__URL": "memory://"}, "BUS__URL: Value error, memory:// joins no processes"),
        ({"BUS__URL": "", "BUS__PING_SECONDS": "3"}, "BUS__URL: Value error, must name a Redis or Valkey"),
        ({"API__PORT": "many"}, "API__PORT"),
        ({"API__PUBLIC_URL": "studio"}, "API__PUBLIC_URL"),
    ],
)
async def test_a_bad_configuration_is_one_sentence(
    app_environment: dict[str, str], wrong: dict[str, str], named: str
) -> None:
    """Exit code 2, the variable's name, and never its value."""
    status, complaint = await refused({**os.environ, **app_environment, "API__PORT": "0", **wrong})
    assert status == 2
    assert complaint.count("\n") == 1
    assert named in complaint
    assert "short" not in complaint or named != "TICKETS__SECRET" or "'short'" not in complaint


@pytest.mark.parametrize("name", ["DATABASE__URL", "BUS__URL", "TICKETS__SECRET"])
@pytest.mark.parametrize("app", ["api", "collab_server"])
async def test_a_missing_variable_is_named(app_environment: dict[str, str], name: str, app: str) -> None:
    """Both apps refuse to start without it, in one sentence: there is no default that would only look like one."""
    environment = {key: value for key, value in app_environment.items() if key != name}
    status, complaint = await refused({**environment, "API__PORT": "0", "COLLAB__PORT": "0"}, app)
    assert status == 2
    assert complaint.count("\n") == 1
    assert (f"{name} is not set" if app == "api" else name.partition("__")[0]) in complaint


async def test_a_bus_in_memory_is_refused(app_environment: dict[str, str]) -> None:
    """By the collab server too: two nodes would not hear of each other, and both look healthy."""
    status, complaint = await refused(
        {**app_environment, "COLLAB__PORT": "0", "BUS__URL": "memory://"}, "collab_server"
    )
    assert status == 2
    assert complaint.count("\n") == 1
    assert "BUS__URL" in complaint
    assert "memory:// joins no processes" in complaint
