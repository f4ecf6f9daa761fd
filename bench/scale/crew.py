"""The processes of simulated people, from the side that tells them what to do."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self
from uuid import UUID

from bench.errors import BenchError
from bench.scale.stage import PROJECT, Node, Stage
from bench.servers import child_setup

Answer = dict[str, float]
Place = tuple[int, str, str]
LINE_BYTES = 1 << 22
BUSY = 0.9
"""From this share of its core on, a client process is itself the bottleneck."""


def place(stage: Stage, node: Node, project: UUID, person: UUID) -> Place:
    """Where and how somebody enters a project at a node."""
    return node.port, stage.target(project, person), str(project)


class Crew:
    """One process of people; an async context manager. The process ends, and with it its connections, on leaving."""

    def __init__(self, core: int | None) -> None:
        self._core = core
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        core = [] if self._core is None else [str(self._core)]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.scale.people",
            *core,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=PROJECT,
            env=os.environ,
            preexec_fn=child_setup(None),
            limit=LINE_BYTES,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def _order(self, **order: object) -> Answer:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(order).encode() + b"\n")
        await process.stdin.drain()
        line = await process.stdout.readline()
        if not line:
            raise BenchError("A process of simulated people ended early.")
        answer: Answer = json.loads(line)
        return answer

    async def enter(self, places: Sequence[Place], at_once: int = 16) -> Answer:
        """See `People.enter`."""
        return await self._order(do="enter", places=places, at_once=at_once)

    async def visit(self, places: Sequence[Place], rate: float, seconds: float, stay: float) -> Answer:
        """See `People.visit`."""
        return await self._order(do="visit", places=places, rate=rate, seconds=seconds, stay=stay)

    async def write(
        self,
        rate: float,
        seconds: float,
        writers: int = 2,
        warmup: float = 1.0,
        cursors: float = 0.0,
        renewals: float = 0.0,
        timed: bool = True,
    ) -> Answer:
        """See `People.write`."""
        return await self._order(
            do="write",
            rate=rate,
            seconds=seconds,
            writers=writers,
            warmup=warmup,
            cursors=cursors,
            renewals=renewals,
            timed=timed,
        )

    async def gone(self) -> Answer:
        """See `People.gone`."""
        return await self._order(do="gone")
