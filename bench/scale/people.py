"""Simulated people for the scale measurements: one process, told what to do line by line, answering line by line.

Each line on standard input is `{"do": NAME, ...}`, each answer one JSON object. Whoever has entered stays until the
process ends, and answers what a client must answer.
"""

import asyncio
import gc
import json
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import uvloop

from bench.connection import Connection, Refused, connect
from bench.crowd import Author
from bench.load import percentile, until
from bench.measure import own_cpu_seconds
from bench.reader import Chunk, Edit, Reader
from bench.ticker import Ticker
from bench.wire import Dialect, Speaker
from bench.yjs import LabelWriter

Answer = dict[str, float]
Place = Sequence[Any]  # port, target, project
SYNC_DEADLINE = 60.0
DRAIN_DEADLINE = 15.0
SETTLE = 0.3


class Ears:
    """Counts deliveries, and times (ns) them: at the author's node, at another one, and back to the author."""

    def __init__(self) -> None:
        self.sides: dict[Connection, int] = {}
        self.near: list[int] = []
        self.far: list[int] = []
        self.echo: list[int] = []
        self.deliveries = self.completed = self.surplus = 0
        self.timed_from = 0

    def heard(self, connection: Connection, chunk: Chunk, now: int) -> None:
        """A connection got edits."""
        for edit in chunk.edits:
            if edit.author is connection:
                if not edit.echoed:
                    edit.echoed = True
                    self._time(self.echo, edit, now)
                continue
            self.deliveries += 1
            edit.remaining -= 1
            self.completed += edit.remaining == 0
            self.surplus += edit.remaining < 0
            together = self.sides[edit.author] == self.sides[connection]  # type: ignore[index]
            self._time(self.near if together else self.far, edit, now)

    def _time(self, times: list[int], edit: Edit, now: int) -> None:
        if edit.sent >= self.timed_from:
            times.append(now - edit.sent)

    def begin(self) -> None:
        """Forget what was; from now on count."""
        self.near, self.far, self.echo = [], [], []
        self.deliveries = self.completed = self.surplus = 0
        self.timed_from = time.perf_counter_ns()


class People:
    """Everyone of this process, by project in the order of their coming."""

    def __init__(self) -> None:
        self.reader = Reader(Dialect.Y_WEBSOCKET)
        self.ears = Ears()
        self.rooms: dict[str, list[Connection]] = {}
        self.authors: list[Author] = []
        self._base = random.getrandbits(29) | 1 << 29
        self._moves = 0

    async def knock(self, place: Place) -> Connection:
        """One more connection whose handshake is under way."""
        port, target, project = place
        speaker = Speaker(Dialect.Y_WEBSOCKET, project)
        connection = await connect(port, target, self.reader, speaker, self.ears.heard)
        self.ears.sides[connection] = port
        return connection

    async def come(self, place: Place) -> tuple[Connection, int]:
        """One more connection in sync with its room, and how long that took (ns)."""
        began = time.perf_counter_ns()
        connection = await self.knock(place)
        return connection, await asyncio.wait_for(connection.synced, SYNC_DEADLINE) - began

    async def enter(self, places: Sequence[Place], at_once: int) -> Answer:
        """All of these come, `at_once` of them at a time, and stay."""
        gate, began, walls, refused = asyncio.Semaphore(at_once), time.perf_counter(), list[int](), 0

        async def one(place: Place) -> None:
            nonlocal refused
            async with gate:
                try:
                    connection, wall = await self.come(place)
                except (Refused, TimeoutError, OSError):
                    refused += 1
                    return
                self.rooms.setdefault(place[2], []).append(connection)
                walls.append(wall)

        await asyncio.gather(*(one(place) for place in places))
        return {"seconds": time.perf_counter() - began, "came": len(walls), "refused": refused, **shares(walls, "join")}

    async def visit(self, places: Sequence[Place], rate: float, seconds: float, stay: float) -> Answer:
        """At this rate somebody comes to the next of the places, stays for a while (s) and leaves."""
        walls, refused, late = list[int](), 0, 0
        loop = asyncio.get_running_loop()
        began, tasks = loop.time(), set[asyncio.Task[None]]()

        async def one(place: Place) -> None:
            nonlocal refused
            try:
                connection, wall = await self.come(place)
            except (Refused, TimeoutError, OSError):
                refused += 1
                return
            walls.append(wall)
            await asyncio.sleep(stay)
            connection.leave()
            self.ears.sides.pop(connection, None)

        for index in range(round(rate * seconds)):
            pause = began + index / rate - loop.time()
            if pause > 0:
                await asyncio.sleep(pause)
            late += pause < -0.02
            task = asyncio.create_task(one(places[index % len(places)]))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
        return {"came": len(walls), "refused": refused, "late": late, **shares(walls, "open")}

    async def write(
        self, rate: float, seconds: float, writers: int, warmup: float, cursors: float, renewals: float, timed: bool
    ) -> Answer:
        """Edits leave at `rate` a second, cursor moves at `cursors` and the same presence again at `renewals`, by the
        first `writers` of each room."""
        self._seat(writers)
        await asyncio.sleep(SETTLE)
        turn = sent = 0
        loop, tickers = asyncio.get_running_loop(), list[Ticker]()

        def edit(due: int) -> None:
            nonlocal turn, sent
            for _ in range(due):
                self._edit(self.authors[turn % len(self.authors)])
                turn += 1
            sent += due

        if rate:
            tickers.append(Ticker(loop, rate, edit))
        if cursors:
            tickers.append(Ticker(loop, cursors, self._move))
        if renewals:
            tickers.append(Ticker(loop, renewals, self._renew))
        await asyncio.sleep(warmup)
        self.ears.begin()
        began, cpu, before = time.perf_counter(), own_cpu_seconds(), sent
        await asyncio.sleep(seconds)
        wall, spent = time.perf_counter() - began, own_cpu_seconds() - cpu
        answer = {"seconds": wall, "client_share": spent / wall, "sent": sent - before}
        answer |= {"deliveries": self.ears.deliveries, "completed": self.ears.completed}
        for ticker in tickers:
            ticker.close()
        await self._drained()
        lost = sum(edit.remaining > 0 for edit in self.reader.edits.values())
        times = {"near": self.ears.near, "far": self.ears.far, "echo": self.ears.echo} if timed else {}
        for name, values in times.items():
            answer |= shares(values, name)
        self.reader.edits.clear()
        return answer | {"lost": lost, "surplus": self.ears.surplus, "gone": self._gone()}

    def _seat(self, writers: int) -> None:
        if self.authors:
            return
        for members in self.rooms.values():
            for connection in members[:writers]:
                index = len(self.authors)
                writer = LabelWriter(index, self._base + index * 7)
                self.authors.append(Author(connection, writer, len(members) - 1))
        random.shuffle(self.authors)

    def _edit(self, author: Author) -> None:
        key, frame = author.next()
        self.reader.edits[key] = Edit(author.connection, time.perf_counter_ns(), author.receivers)
        author.connection.send(frame)

    def _move(self, due: int) -> None:
        for _ in range(due):
            self._show(tick=self._moves * 40)

    def _renew(self, due: int) -> None:
        for _ in range(due):
            self._show(tick=0)

    def _show(self, tick: int) -> None:
        author = self.authors[self._moves % len(self.authors)]
        self._moves += 1
        state = {"cursor": {"ctx": "timeline", "tick": tick, "track": "master", "y": 0.5}, "sel": []}
        data = json.dumps(state, separators=(",", ":")).encode()
        author.connection.send(author.connection.speaker.awareness(author.writer.client, self._moves, data))

    async def _drained(self) -> None:
        edits = self.reader.edits
        await until(lambda: all(edit.remaining <= 0 for edit in edits.values()), DRAIN_DEADLINE)

    def _gone(self) -> int:
        return sum(bool(connection.refusal) for members in self.rooms.values() for connection in members)

    async def gone(self) -> Answer:
        """How many of those who entered are not connected any more."""
        return {"gone": self._gone(), "cpu": own_cpu_seconds()}


def shares(times_ns: Sequence[int], name: str) -> Answer:
    """Percentiles of times, in milliseconds; nothing of nothing."""
    if not times_ns:
        return {}
    at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {f"{name}_{label}_ms": percentile(times_ns, share) / 1000 for label, share in at.items()} | {
        f"{name}_number": len(times_ns)
    }


async def obey(people: People) -> None:
    """Read orders until there are no more."""
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader(limit=1 << 28)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    orders: Final[Mapping[str, Callable[..., Awaitable[Answer]]]] = {
        "enter": people.enter,
        "visit": people.visit,
        "write": people.write,
        "gone": people.gone,
    }
    while line := await reader.readline():
        order = json.loads(line)
        print(json.dumps(await orders[order.pop("do")](**order)), flush=True)


def main() -> int:
    """Entry of `python -m bench.scale.people [CORE]`."""
    if len(sys.argv) > 1:
        os.sched_setaffinity(0, {int(sys.argv[1])})
    gc.disable()  # a collection would look like latency of the server
    uvloop.run(obey(People()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
