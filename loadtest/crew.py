"""The worker processes: started, told what to do, heard, ended."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtest.job import Job, Place
from loadtest.options import Options

ROOT = Path(__file__).resolve().parent.parent
LINE_MAX = 2**26
END_SECONDS = 5.0


@dataclass(slots=True)
class Hand:
    """One worker process."""

    number: int
    process: asyncio.subprocess.Process

    def tell(self, **order: Any) -> None:
        """A line to the worker; nothing happens if it is gone."""
        if self.process.stdin is not None and not self.process.stdin.is_closing():
            self.process.stdin.write(json.dumps(order).encode() + b"\n")


class Crew:
    """All workers. `hear(number, message)` is called for every line they say."""

    def __init__(self, hear: Callable[[int, dict[str, Any]], None]) -> None:
        self._hear = hear
        self.hands: list[Hand] = []
        self._ears: list[asyncio.Task[None]] = []

    async def hire(self, options: Options, places: list[Place]) -> None:
        """Start the workers and deal the rooms out: a room is whole within one process."""
        for number in range(options.processes):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "loadtest.worker",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                limit=LINE_MAX,
                env=_environment(),
                start_new_session=True,
            )  # fmt: skip
            hand = Hand(number, process)
            self.hands.append(hand)
            self._ears.append(asyncio.create_task(self._listen(hand)))
            hand.tell(job=_job(options, number, tuple(places[number :: options.processes])).dump())

    async def _listen(self, hand: Hand) -> None:
        assert hand.process.stdout is not None
        while line := await hand.process.stdout.readline():
            self._hear(hand.number, json.loads(line))
        code = await hand.process.wait()
        self._hear(hand.number, {"gone": code})

    def tell(self, **order: Any) -> None:
        """The same to all."""
        for hand in self.hands:
            hand.tell(**order)

    async def dismiss(self) -> None:
        """End all workers."""
        for hand in self.hands:
            if hand.process.stdin is not None:
                hand.process.stdin.close()
        for hand in self.hands:
            try:
                await asyncio.wait_for(hand.process.wait(), END_SECONDS)
            except TimeoutError:
                hand.process.kill()
                await hand.process.wait()
        await asyncio.gather(*self._ears, return_exceptions=True)


def _environment() -> dict[str, str]:
    """Ours, in which workers find this package wherever they are started."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


def _job(options: Options, number: int, places: tuple[Place, ...]) -> Job:
    return Job(
        scenario=options.scenario.name,
        worker=number,
        dialect=options.dialect,
        http=options.http,
        ws=options.ws,
        places=places,
        duration=options.duration,
        pace=options.pace,
        rate=options.rate * len(places) / options.rooms,
        settle=options.settle,
        seed=options.seed,
    )
