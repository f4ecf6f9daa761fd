"""A worker process: its rooms with all their people. `python -m loadtest.worker`.

Standard input: a job, then orders, one JSON object a line ({"start": monotonic seconds}, {"rate": edits/s}, {"stop"}).
Standard output: {"ready"}, {"sample"} each second, {"finding"} at the end, or {"error"}.
"""

import asyncio
import json
import random
import resource
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import uvloop

from loadtest.crowds import keep_rate
from loadtest.doors import Doors
from loadtest.errors import Unreachable
from loadtest.job import Job
from loadtest.measure import own_cpu_seconds
from loadtest.meter import Meter
from loadtest.person import Person, World
from loadtest.reader import Reader
from loadtest.room import Room
from loadtest.scenarios import NAMED
from loadtest.song import lay_out
from loadtest.stage import Stage
from loadtest.verify import apart, verify

TOGETHER = 8  # rooms that are furnished at a time
LAG_STEP = 0.02
FURNISH_SECONDS = 20.0


def tell(**message: Any) -> None:
    """A line to the coordinator."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def orders() -> AsyncIterator[dict[str, Any]]:
    """What the coordinator says, until it is gone."""
    reader = asyncio.StreamReader(limit=2**26)
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)


class Worker:
    """One process' part of the test."""

    def __init__(self, job: Job) -> None:
        self.job, self.meter = job, Meter()
        rng = random.Random(f"{job.seed}/{job.worker}")
        self.world = World(Doors.of(job, self.meter), Reader(job.dialect), self.meter, rng)
        self.rooms = [Room(place) for place in job.places]
        self.stage = Stage(job, self.rooms, rng, 0.0, job.rate)
        self.over = asyncio.Event()
        self._lag, self._used, self._sampled = 0.0, own_cpu_seconds(), time.monotonic()

    async def furnish(self) -> None:
        """Each room gets tracks and clips before anybody comes, so that there is something to play with.

        Where rooms are but names the host stays, as a silent member: many such servers forget a room that nobody is in.
        """
        gate, aside = asyncio.Semaphore(TOGETHER), apart(self.world)

        async def one(room: Room) -> None:
            async with gate, asyncio.timeout(FURNISH_SECONDS):
                host = Person(aside, room, 0)
                await host.arrive()
                host.edit(lambda song: lay_out(song, self.world.rng))
                if self.job.http:
                    await host.leave(10)
                    room.people.remove(host)

        try:
            await asyncio.gather(*(one(room) for room in self.rooms))
        except TimeoutError:
            reasons = ", ".join(aside.meter.errors) or "no answer in time"
            raise Unreachable(f"The rooms could not be prepared: {reasons}.") from None

    async def play(self, began: float) -> None:
        """The scenario, from `began` to its end."""
        self.stage.began = began
        self.stage.people = [Person(self.world, room, seat) for room in self.rooms for seat in range(room.place.people)]
        await asyncio.sleep(max(0.0, began - time.monotonic()))
        self._used, self._sampled = own_cpu_seconds(), time.monotonic()
        scenario = NAMED[self.job.scenario]
        lives = [asyncio.create_task(_lived(scenario.live(self.stage, person))) for person in self.stage.people]
        if scenario.driven:
            lives.append(asyncio.create_task(_lived(keep_rate(self.stage))))
        side = [
            asyncio.create_task(self._count()),
            asyncio.create_task(self._renew()),
            asyncio.create_task(self._late()),
        ]
        with suppress(TimeoutError):
            await asyncio.wait_for(self.over.wait(), max(0.0, self.stage.ends - time.monotonic()))
        await _cancelled(lives)
        for person in self.stage.people:
            person.carry_on()
        finding = await verify(self.world, self.rooms, time.monotonic() + self.job.settle)
        await _cancelled(side)
        self._sample(int(time.monotonic() - began))
        tell(finding=finding.dump())
        for person in self.stage.people:
            person.go()

    async def _count(self) -> None:
        second = 0
        while True:
            await asyncio.sleep(max(0.0, self.stage.began + second + 1 - time.monotonic()))
            self._sample(second)
            second += 1

    def _sample(self, second: int) -> None:
        connected = sum(person.inside for person in self.stage.people)
        unsaved = sum(room.unsaved() for room in self.rooms)
        now, used = time.monotonic(), own_cpu_seconds()
        share = (used - self._used) / max(0.05, now - self._sampled)
        self._sampled, self._used = now, used
        tell(sample=self.meter.take(second, connected, unsaved, share, self._lag * 1000))
        self._lag = 0.0

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(1)
            now = time.perf_counter_ns()
            for person in self.stage.people:
                person.renew(now)

    async def _late(self) -> None:
        """How late this process itself is: its own share of every latency."""
        while True:
            due = time.monotonic() + LAG_STEP
            await asyncio.sleep(LAG_STEP)
            self._lag = max(self._lag, time.monotonic() - due)


async def _lived(life: Any) -> None:
    """A person's life; a programming error in it must not pass for silence."""
    try:
        await life
    except asyncio.CancelledError:
        raise
    except Exception as error:
        tell(error=f"a simulated person failed: {type(error).__name__}: {error}")


async def _cancelled(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def work() -> None:
    """Obey until the coordinator is done."""
    worker: Worker | None = None
    playing: asyncio.Task[None] | None = None
    async for order in orders():
        if "job" in order:
            worker = Worker(Job.load(order["job"]))
            try:
                await worker.furnish()
            except Unreachable as error:
                tell(error=str(error))
                return
            tell(ready=True)
        elif "start" in order and worker is not None:
            playing = asyncio.create_task(worker.play(order["start"]))
        elif "rate" in order and worker is not None:
            worker.stage.rate = order["rate"]
        elif "stop" in order and worker is not None:
            worker.over.set()
    if playing is not None:
        playing.cancel()


def main() -> int:
    """Entry of the process."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(work())
    return 0


if __name__ == "__main__":
    sys.exit(main())
