"""What a behaviour has to hand: its people, the clock of the run, chance, and the pace of life."""

import asyncio
import random
import time
from dataclasses import dataclass, field

from loadtest.job import Job
from loadtest.person import Person
from loadtest.room import Room

LONGEST_BEAT = 8.0  # seconds


@dataclass(slots=True)
class Stage:
    """`began` and `ends` are monotonic seconds; `rate` is edits per second of this worker and may change."""

    job: Job
    rooms: list[Room]
    rng: random.Random
    began: float
    rate: float
    people: list[Person] = field(default_factory=list)

    @property
    def ends(self) -> float:
        """When the curtain falls."""
        return self.began + self.job.duration

    @property
    def beat(self) -> float:
        """Seconds between two storms."""
        return min(LONGEST_BEAT, self.job.duration / 3)

    def to_next_beat(self) -> float:
        """Seconds to the next storm, the same moment for everybody."""
        return self.beat - (time.monotonic() - self.began) % self.beat

    async def pause(self, seconds: float) -> None:
        """A pause of a person's life, at the pace of the run."""
        await asyncio.sleep(seconds / self.job.pace)

    async def wait(self, low: float, high: float) -> None:
        """A pause of chance length."""
        await self.pause(self.rng.uniform(low, high))
