"""How the bus should be laid out at 10,000 rooms: a channel per room, one channel for all, or sharded channels."""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from redis.asyncio import Redis

from bench.errors import BenchError
from bench.measure import cpu_seconds
from bench.scale.findings import Findings
from bench.scale.hearer import SHARED, Arrangement
from bench.scale.stage import PROJECT, Stage
from bench.servers import child_setup
from presence.dispatch import PROJECT_PREFIX
from presence.events import Grew, encode

HEARD_DEADLINE = 60.0
BODY_BYTES = 150
WRITE = 64  # events in one write, as the bus has it
ARRANGEMENTS: Final[Sequence[tuple[Arrangement, str]]] = (
    ("channel", "a channel per room"),
    ("sharded", "sharded channels"),
    ("shared", "one channel for all"),
)


@dataclass(slots=True, frozen=True)
class Size:
    """Rooms of all nodes together, nodes, events."""

    rooms: int = 10_000
    nodes: int = 4
    events: int = 40_000


class Hearer:
    """One listening process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.cpu = self.heard = 0.0

    async def tell(self, line: str) -> None:
        """Say a line."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()

    async def listen(self) -> float:
        """Hear its answer; the CPU seconds since the answer before."""
        assert self._process.stdout is not None
        answer = await self._process.stdout.readline()
        if not answer:
            raise BenchError("A listener of the bus ended early.")
        told = json.loads(answer)
        spent: float = told["cpu"] - self.cpu
        self.cpu, self.heard = told["cpu"], told["heard"]
        return spent


@asynccontextmanager
async def hearer(url: str, arrangement: Arrangement, core: int | None) -> AsyncIterator[Hearer]:
    """A process that is about to listen."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.scale.hearer", url, arrangement),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=PROJECT,
        env=os.environ,
        preexec_fn=child_setup(core),
    )
    try:
        started = Hearer(process)
        await started.listen()
        yield started
    finally:
        process.kill()
        await process.wait()


async def measure(stage: Stage, say: Callable[[str], None], client_core: int | None, size: Size = Size()) -> Findings:
    """Each arrangement in turn, with the same rooms and events."""
    found = Findings("channels", f"the bus: {size.rooms:,} rooms on {size.nodes} nodes, {size.events:,} events")
    projects = [uuid4() for _ in range(size.rooms)]
    for arrangement, title in ARRANGEMENTS:
        say(title)
        async with AsyncExitStack() as stack:
            url = stage.valkey.url
            client = await stack.enter_async_context(Redis.from_url(url))
            hearers = [
                await stack.enter_async_context(hearer(url, arrangement, client_core)) for _ in range(size.nodes)
            ]
            pid = stage.trees()["valkey"]
            await _subscribe(client, pid, hearers, projects, title, found)
            await _publish(client, pid, hearers, projects, arrangement, title, size.events, found)
    return found


async def _subscribe(
    client: "Redis", pid: int, hearers: list[Hearer], projects: list[UUID], title: str, found: Findings
) -> None:
    memory, spent = await _memory(client), cpu_seconds(pid)
    for index, each in enumerate(hearers):
        await each.tell(json.dumps([str(project) for project in projects[index :: len(hearers)]]))
    nodes = sum([await each.listen() for each in hearers])
    found.add(f"{title}: Valkey's memory per room", (await _memory(client) - memory) / len(projects), "bytes")
    found.add(f"{title}: Valkey's CPU to subscribe", (cpu_seconds(pid) - spent) / len(projects) * 1e6, "µs a room")
    found.add(f"{title}: a node's CPU to subscribe", nodes / len(projects) * 1e6, "µs a room")


async def _publish(
    client: "Redis",
    pid: int,
    hearers: list[Hearer],
    projects: list[UUID],
    arrangement: Arrangement,
    title: str,
    events: int,
    found: Findings,
) -> None:
    rng, spent = random.Random(8), cpu_seconds(pid)
    command = "SPUBLISH" if arrangement == "sharded" else "PUBLISH"
    for begin in range(0, events, WRITE):
        pipe = client.pipeline(transaction=False)
        for number in range(begin, min(begin + WRITE, events)):
            project = rng.choice(projects)
            channel = SHARED if arrangement == "shared" else f"{PROJECT_PREFIX}{project}"
            pipe.execute_command(command, channel, encode(Grew(project, 1, number, bytes(BODY_BYTES))))
        await pipe.execute()
    nodes = await _all_heard(hearers, events)
    found.add(f"{title}: Valkey's CPU per event", (cpu_seconds(pid) - spent) / events * 1e6, "µs")
    found.add(f"{title}: all nodes' CPU per event", nodes / events * 1e6, "µs")


async def _all_heard(hearers: list[Hearer], events: int) -> float:
    """Wait for the last event; the CPU seconds of all."""
    deadline, spent = time.monotonic() + HEARD_DEADLINE, 0.0
    while True:
        for each in hearers:
            await each.tell("")
            spent += await each.listen()
        if sum(each.heard for each in hearers) >= events:
            return spent
        if time.monotonic() > deadline:
            raise BenchError("Events were lost on the bus.")
        await asyncio.sleep(0.05)


async def _memory(client: "Redis") -> float:
    """Bytes that Valkey has allocated."""
    answer: dict[str, Any] = await client.info("memory")
    return float(answer["used_memory"])
