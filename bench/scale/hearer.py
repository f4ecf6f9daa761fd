"""One listener of the bus in a process of its own, so that its CPU can be told from the publisher's.

`python -m bench.scale.hearer URL ARRANGEMENT`: on standard input first a JSON list of projects to listen for, then
empty lines; at its start, and after each line, it says how many events it has heard and its CPU seconds so far.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal
from uuid import UUID

import uvloop
from redis.asyncio import Redis

from bench.load import until
from bench.measure import own_cpu_seconds
from presence.bus import open_bus
from presence.dispatch import PROJECT_PREFIX, Dispatch
from presence.events import Event, decode

Arrangement = Literal["channel", "shared", "sharded"]
SHARED = "backline:everything"
PORTION = 500
CONNECT_DEADLINE = 10.0


class Ear:
    """Counts the events of this process's projects."""

    def __init__(self) -> None:
        self.heard = 0

    def hear(self, _: Event) -> None:
        """One event."""
        self.heard += 1


@asynccontextmanager
async def listening(url: str, arrangement: Arrangement, projects: list[UUID], ear: Ear) -> AsyncIterator[None]:
    """The projects' events reach `ear`; `channel` is the bus as it is, the others are what it could be."""
    if arrangement == "channel":
        async with open_bus(url) as bus:
            await until(lambda: bus.healthy, CONNECT_DEADLINE)
            for project in projects:
                await bus.subscribe(project, ear.hear)
            yield
        return
    dispatch = Dispatch()
    for project in projects:
        dispatch.add(project, ear.hear)
    pubsub = Redis.from_url(url).pubsub()
    if arrangement == "shared":
        await pubsub.subscribe(SHARED)
    else:
        for begin in range(0, len(projects), PORTION):
            part = projects[begin : begin + PORTION]
            await pubsub.execute_command("SSUBSCRIBE", *(f"{PROJECT_PREFIX}{project}" for project in part))
    task = asyncio.create_task(_read(pubsub, dispatch))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await pubsub.aclose()  # type: ignore[no-untyped-call]


async def _read(pubsub: Any, dispatch: Dispatch) -> None:
    while True:
        reply = await pubsub.parse_response()
        if reply[0] in {b"message", b"smessage"}:
            dispatch.deliver(decode(reply[2]))


async def run(url: str, arrangement: Arrangement) -> None:
    """Answer until there is no more to answer."""
    loop, reader, ear = asyncio.get_running_loop(), asyncio.StreamReader(limit=1 << 26), Ear()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    tell(ear)
    projects = [UUID(text) for text in json.loads(await reader.readline())]
    async with listening(url, arrangement, projects, ear):
        tell(ear)
        while await reader.readline():
            tell(ear)


def tell(ear: Ear) -> None:
    """One answer."""
    print(json.dumps({"heard": ear.heard, "cpu": own_cpu_seconds()}), flush=True)


def main() -> int:
    """Entry of the process."""
    arrangement = sys.argv[2]
    assert arrangement in {"channel", "shared", "sharded"}
    uvloop.run(run(sys.argv[1], arrangement))  # type: ignore[arg-type]
    return 0


if __name__ == "__main__":
    sys.exit(main())
