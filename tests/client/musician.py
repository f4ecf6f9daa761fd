"""The TypeScript client in a Node process of its own, driven over JSON lines (client/web/test/live/musician.ts)."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.node import async_program

WEB = Path(__file__).resolve().parents[2] / "client" / "web"
SECONDS_MAX = 30.0

State = dict[str, Any]


class Musician:
    """One document with its connection."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, op: str, **rest: object) -> State:
        """Give an order; what the client knows afterwards."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"op": op, **rest}).encode() + b"\n")
        answer = await self._process.stdout.readline()
        assert answer, "the client process has ended"
        state: State = json.loads(answer)
        return state

    async def until(self, true: Callable[[State], bool]) -> State:
        """The first state of which this is true; TimeoutError after a while."""
        async with asyncio.timeout(SECONDS_MAX):
            while not true(state := await self.ask("state")):  # noqa: ASYNC110  (it happens in another process)
                await asyncio.sleep(0.02)
            return state


@asynccontextmanager
async def musician() -> AsyncIterator[Musician]:
    """A client process, ended with the block."""
    async with async_program(WEB, "test/live/musician.ts") as process:
        yield Musician(process)
