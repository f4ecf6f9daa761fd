"""Which loads are run, and how often."""

from dataclasses import dataclass, replace

from bench.job import Load

WALL_LIMIT = 90.0  # seconds for one run of the load client beyond its own durations


@dataclass(slots=True, frozen=True)
class Scenario:
    """A load by name; `rounds` is how many of the run's rounds it takes part in."""

    name: str
    title: str
    load: Load
    rounds: int = 3


FULL = (
    Scenario("closed10", "closed loop, 1 × 10", Load("closed", clients=10)),
    Scenario("closed100", "closed loop, 1 × 100", Load("closed", clients=100)),
    Scenario("closed50x4", "closed loop, 50 × 4", Load("closed", clients=200, rooms=50, window=2)),
    Scenario("open200", "200 edits/s, 1 × 10", Load("open", clients=10, rate=200, duration=4)),
    Scenario("open2000", "2,000 edits/s, 1 × 10", Load("open", clients=10, rate=2000, duration=4)),
    Scenario("presence30", "30 cursors × 20 Hz", Load("presence", clients=30, rate=20, duration=4), rounds=2),
    Scenario("join10k", "20 joins, 10,000 edits", Load("join", preload=10_000, joins=60, together=20), rounds=2),
    Scenario("join100k", "20 joins, 100,000 edits", Load("join", preload=100_000, joins=20, together=20), rounds=2),
    Scenario("visit10k", "visits, 10,000 edits", Load("join", preload=10_000, joins=40), rounds=2),
    Scenario("visit100k", "visits, 100,000 edits", Load("join", preload=100_000, joins=15), rounds=2),
    Scenario("idle1000", "1,000 idle connections", Load("idle", clients=1000, rooms=100), rounds=2),
)


def quick() -> tuple[Scenario, ...]:
    """Every scenario but those with the largest document, once and short."""
    return tuple(
        replace(scenario, rounds=1, load=replace(scenario.load, duration=1.5, warmup=0.7))
        for scenario in FULL
        if not scenario.name.endswith("100k")
    )
