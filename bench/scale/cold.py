"""100,000 projects in the database: people open random ones that no node has open."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from bench.scale.crew import Crew, place
from bench.scale.findings import Findings
from bench.scale.projects import fill
from bench.scale.songs import small
from bench.scale.stage import Stage

WARM_UP = 150


@dataclass(slots=True, frozen=True)
class Size:
    """How many projects; opens per second, for so long (s); how long each visitor stays (s)."""

    projects: int = 100_000
    rate: float = 50.0
    seconds: float = 30.0
    stay: float = 0.5


async def measure(stage: Stage, say: Callable[[str], None], client_core: int | None, size: Size = Size()) -> Findings:
    """Write them, then open random ones at a fixed rate."""
    found = Findings("cold", f"{size.projects:,} projects, {size.rate:.0f} cold opens a second")
    rng = random.Random(4)
    await stage.fresh()
    say(f"writing {size.projects:,} projects")
    songs = [small(rng, uuid4()) for _ in range(100)]
    catalogue = await fill(stage.dsn, size.projects, 1, songs)
    node = await stage.start()
    opens = round(size.rate * size.seconds)
    chosen = rng.sample(catalogue.projects, opens + WARM_UP)
    places = [place(stage, node, project, catalogue.people[0]) for project in chosen]
    async with Crew(client_core) as crew:
        await crew.visit(places[:WARM_UP], size.rate, WARM_UP / size.rate, size.stay)
        say("opening")
        before, began = stage.cpu(), time.monotonic()
        answer = await crew.visit(places[WARM_UP:], size.rate, size.seconds, size.stay)
        wall, after = time.monotonic() - began, stage.cpu()
    found.add("stored state, mean", sum(len(song.state) for song in songs) / len(songs) / 1024, "KiB")
    found.add("opened", answer["came"], "", opens, "least")
    found.add("connect to synced, p50", answer["open_p50_ms"], "ms")
    found.add("connect to synced, p99", answer["open_p99_ms"], "ms", 50)
    found.add("connect to synced, longest", answer["open_max_ms"], "ms")
    for name, title in (("nodes", "CPU of the node"), ("postgresql", "· of PostgreSQL"), ("valkey", "· of Valkey")):
        found.add(f"{title} per open and leave", (after[name] - before[name]) / opens * 1e3, "ms")
    found.add("of one core, all three", sum(after[name] - before[name] for name in after) / wall * 100, "%")
    return found
