"""The load client against a real server: everything arrives, durably, and its own account is complete."""

import asyncio
import json
import os
import sys
from pathlib import Path

from bench.contest import Plan, compete, summary
from bench.job import Job, Load
from bench.ours import Backline
from bench.scenarios import FULL, Scenario, quick

SHORT = (
    Scenario("closed", "closed", Load("closed", clients=4, rooms=2, window=2, duration=0.3, warmup=0.1), 1),
    Scenario("open", "open", Load("open", clients=3, rate=200, duration=0.3, warmup=0.1), 1),
    Scenario("presence", "presence", Load("presence", clients=3, rate=20, duration=0.3, warmup=0.1), 1),
    Scenario("join", "join", Load("join", preload=500, joins=3, together=2), 1),
    Scenario("idle", "idle", Load("idle", clients=6, rooms=2), 1),
)


async def test_every_shape_of_load_runs_against_our_server(scratch: Path) -> None:
    """No edit is lost or doubled, every edit is acknowledged, and each shape answers with its metrics."""
    core = min(os.sched_getaffinity(0))
    said: list[str] = []
    async with Backline(scratch / "bench", core) as ours:
        results = await compete(Plan(SHORT, [ours], 120, core), said.append)
    runs = {name: rounds["backline"][0] for name, rounds in results.runs.items()}
    assert results.failures() == 0, runs
    for shape in ("closed", "open"):
        run = runs[shape]
        assert run is not None
        assert (run["lost"], run["surplus"]) == (0, 0)
        assert run["completed"]
    assert all(run and summary(scenario, run) for scenario, run in zip(SHORT, runs.values(), strict=True))
    assert all(run and "stall_ms" in run and "cpu_postgresql" in run for run in runs.values())
    assert runs["open"]
    assert 0 < float(runs["open"]["echo_p50_us"]) < 5_000_000


async def test_a_server_that_refuses_is_reported_and_not_waited_for() -> None:
    """The answer of the load client is an error in words."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    data = {
        "load": {name: getattr(SHORT[1].load, name) for name in Load.__dataclass_fields__},
        "dialect": "y-websocket",
        "port": port,
        "doors": [["room", ["/room"]]],
        "trees": {},
        "core": None,
    }
    job = Job.load_from(data)
    assert job.dump() == data
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.load", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    answer, _ = await process.communicate(json.dumps(data).encode())
    server.close()
    await server.wait_closed()
    assert json.loads(answer) == {"error": "HTTP/1.1 403 Forbidden"}


def test_the_quick_set_is_the_full_one_but_for_the_largest_document() -> None:
    """`--quick` leaves out only what takes long."""
    names = {scenario.name for scenario in FULL}
    assert {scenario.name for scenario in quick()} == names - {"join100k", "visit100k"}
