"""Runs every scenario against every contender, one after the other, round by round, within a time limit."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import BenchError
from bench.job import Job
from bench.measure import machine_busy_seconds
from bench.scenarios import WALL_LIMIT, Scenario
from bench.servers import Contender

PROJECT = Path(__file__).resolve().parent.parent
Run = dict[str, float | str]


@dataclass(slots=True)
class Results:
    """By scenario and contender: one run per round, None where it was not made. A failed run has `error` alone."""

    runs: dict[str, dict[str, list[Run | None]]] = field(default_factory=dict)

    def add(self, scenario: str, contender: str, index: int, run: Run) -> None:
        """Keep a run."""
        rounds = self.runs.setdefault(scenario, {}).setdefault(contender, [])
        rounds += [None] * (index + 1 - len(rounds))
        rounds[index] = run

    def failures(self) -> int:
        """How many runs failed."""
        made = (run for by in self.runs.values() for rounds in by.values() for run in rounds)
        return sum(run is not None and "error" in run for run in made)

    def values(self, scenario: str, contender: str, metric: str) -> list[float | None]:
        """A metric, round by round; None where there is no number."""
        found: list[float | None] = []
        for run in self.runs.get(scenario, {}).get(contender, []):
            value = None if run is None else run.get(metric)
            found.append(value if isinstance(value, int | float) else None)
        return found


@dataclass(slots=True, frozen=True)
class Plan:
    """What to run: the contenders of a pair run right after each other, and no run begins after `seconds`."""

    scenarios: Sequence[Scenario]
    contenders: Sequence[Contender]
    seconds: float
    client_core: int


async def compete(plan: Plan, say: Callable[[str], None]) -> Results:
    """All rounds; a contender that fails in a scenario is tried again in the next round."""
    results, deadline = Results(), time.monotonic() + plan.seconds
    for index in range(max(scenario.rounds for scenario in plan.scenarios)):
        for scenario in plan.scenarios:
            if index >= scenario.rounds:
                continue
            if time.monotonic() > deadline:
                say(f"out of time: round {index + 1} of {scenario.title} and what follows is left out")
                return results
            for contender in plan.contenders:
                run = await _run(scenario, contender, plan.client_core)
                results.add(scenario.name, contender.name, index, run)
                say(f"round {index + 1}  {scenario.title:<24} {contender.title:<24} {summary(scenario, run)}")
    return results


async def _run(scenario: Scenario, contender: Contender, client_core: int) -> Run:
    began, busy = time.monotonic(), machine_busy_seconds()
    run: Run
    try:
        try:
            server = await contender.start(scenario.load)
            job = Job(scenario.load, contender.dialect, server.port, server.doors, server.trees, client_core)
            run = await _load(job)
        finally:
            said = await contender.stop()
        run |= said
    except BenchError as error:
        return {"error": str(error)}
    wall = time.monotonic() - began
    return run | {"wall": wall, "machine_cores": (machine_busy_seconds() - busy) / wall}


async def _load(job: Job) -> Run:
    """The load client, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.load",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=PROJECT,
    )
    try:
        async with asyncio.timeout(WALL_LIMIT + job.load.warmup + job.load.duration):
            answer, complaint = await process.communicate(json.dumps(job.dump()).encode())
    except TimeoutError:
        process.kill()
        await process.wait()
        return {"error": "the load client was not done in time"}
    if process.returncode or not answer:
        lines = complaint.decode(errors="replace").strip().splitlines()
        return {"error": f"the load client failed: {lines[-1] if lines else process.returncode}"}
    run: Run = json.loads(answer)
    return run


def summary(scenario: Scenario, run: Run) -> str:
    """One line for the person who waits."""
    if "error" in run:
        return f"failed: {run['error']}"
    shown = {
        "closed": ("{cpu_server_per_mdel:.2f} CPU s/M", "{edits_s:,.0f} edits/s", "client {client_share:.0%}"),
        "open": ("p50 {latency_p50_us:,.0f} µs", "p99 {latency_p99_us:,.0f} µs", "{cpu_server_ms_s:.0f} CPU ms/s"),
        "presence": ("{cpu_server:.2f} CPU s", "{delivered_ratio:.0%} delivered", "client {client_share:.0%}"),
        "join": ("{cpu_server_per_join_ms:.2f} CPU ms a join", "{join_p50_ms:.2f} ms"),
        "idle": ("{kib_per_connection:.1f} KiB a connection", "{cpu_server_per_join_ms:.2f} CPU ms to connect"),
    }[scenario.load.shape]
    parts = [part.format(**run) for part in shown]
    for name, trouble in (("lost", "edits lost"), ("surplus", "delivered twice")):
        if run.get(name):
            parts.append(f"{run[name]:.0f} {trouble}")
    return ", ".join(parts)
