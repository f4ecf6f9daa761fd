"""The clock estimator against simulated networks (§8.5 X9, X10), and the vectors the TypeScript client holds too."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.clock import BURST, BURST_INTERVAL_MS, INTERVAL_MS, STALE_MS, Clock, sample

VECTORS = Path(__file__).parent / "vectors"
Way = Callable[[random.Random], tuple[float, float]]
"""Milliseconds there and back."""


def wifi(dice: random.Random) -> tuple[float, float]:
    """15 ms each way, jitter, 5 % spikes of up to 400 ms on either side."""
    there, back = 15 + dice.expovariate(1 / 3), 15 + dice.expovariate(1 / 3)
    if dice.random() < 0.05:
        there += dice.uniform(50, 400)
    if dice.random() < 0.05:
        back += dice.uniform(50, 400)
    return there, back


def loopback(dice: random.Random) -> tuple[float, float]:
    """A tenth of a millisecond."""
    return 0.1 + dice.expovariate(20), 0.1 + dice.expovariate(20)


def lopsided(dice: random.Random) -> tuple[float, float]:
    """100 ms there, 20 back: nobody can see that."""
    return 100 + dice.expovariate(1 / 4), 20 + dice.expovariate(1 / 4)


class World:
    """A local clock that is wrong by `wrong` ms and drifts by `ppm`, and a server whose clock is right."""

    def __init__(self, way: Way, wrong: float, ppm: float, seed: int) -> None:
        self.clock = Clock()
        self.true = 1_790_000_000_000.0
        self._way = way
        self._dice = random.Random(seed)
        self._wrong = wrong
        self._rate = 1 + ppm / 1e6
        self._start = self.true
        self.shortest = float("inf")

    @property
    def local(self) -> float:
        return (self.true - self._start) * self._rate + self._wrong

    def ping(self) -> float:
        """One round trip; returns by how much the clock has jumped."""
        there, back = self._way(self._dice)
        c = self.local
        self.true += there
        r = s = self.true
        self.true += back
        self.shortest = min(self.shortest, there + back)
        return self.clock.hear(sample(c, r, s, self.local))

    def error(self) -> float:
        return abs(self.clock.now(self.local) - self.true)


@pytest.mark.parametrize("wrong", [-500.0, 500.0])
@pytest.mark.parametrize("ppm", [-50.0, 50.0])
@pytest.mark.parametrize("way", [wifi, loopback, lopsided])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_x9_a_wrong_and_drifting_clock(way: Way, wrong: float, ppm: float, seed: int) -> None:
    """After the burst, and for half an hour: off by at most half the shortest round trip and 2 ms, and monotonic."""
    world = World(way, wrong, ppm, seed)
    for _ in range(BURST):
        world.ping()
        world.true += BURST_INTERVAL_MS
    read = world.clock.now(world.local)
    for _ in range(360):
        for _ in range(10):
            world.true += INTERVAL_MS / 10
            assert world.error() <= world.shortest / 2 + 2
            assert world.clock.now(world.local) > read
            read = world.clock.now(world.local)
        assert world.ping() == 0.0
        assert world.clock.now(world.local) >= read


def test_x10_a_sleeping_laptop() -> None:
    """Ten minutes asleep, the local clock stood still: stale until a new burst, one step, right within 2 s."""
    world = World(wifi, 0, 20, 4)
    for _ in range(BURST * 2):
        world.ping()
        world.true += BURST_INTERVAL_MS
    world._start += 600_000  # the local clock did not count
    world.true += 600_000
    woken = world.true
    assert world.error() > 500_000
    world.clock.restart()
    jumped = []
    for _ in range(BURST):
        if world.ping():
            jumped.append(world.true - woken)
        world.true += BURST_INTERVAL_MS
    assert len(jumped) == 1
    assert jumped[0] < 2000
    assert world.error() <= world.shortest / 2 + 2


def test_a_report_grows_old() -> None:
    """Offset, bound by asymmetry, age; 20 s without an answer is too old."""
    world = World(lopsided, 123, 0, 5)
    assert not world.clock.known
    for _ in range(BURST):
        world.ping()
    report = world.clock.report(world.local)
    assert report.bound == pytest.approx(world.shortest / 2, abs=1e-3)
    assert report.age < 1
    assert not report.stale
    assert world.clock.report(world.local + STALE_MS + 1).stale


@pytest.mark.parametrize("case", json.loads((VECTORS / "clock.json").read_text()), ids=lambda case: str(case["name"]))
def test_clock_vector(case: dict[str, Any]) -> None:
    """The same samples give the same readings as in the TypeScript client."""
    clock = Clock()
    for step in case["steps"]:
        if step.get("restart"):
            clock.restart()
        jump = clock.hear(sample(*step["sample"]))
        assert jump == pytest.approx(step["jump"], abs=1e-6)
        for local, now in step["readings"]:
            assert clock.now(local) == pytest.approx(now, abs=1e-3)
