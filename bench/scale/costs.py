"""What single things cost in many rooms of three: an edit, a flush, a cursor's move; a mixed run to check a model."""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from bench.scale.crew import Crew, Place, place
from bench.scale.findings import Findings
from bench.scale.model import Mix, cpu_of, read_coefficients
from bench.scale.projects import fill
from bench.scale.songs import small
from bench.scale.stage import Stage

Spent = Mapping[str, float]
COMMITS: Final = "backline_commits_total"


@dataclass(slots=True, frozen=True)
class Size:
    """Rooms and people in each; rates per second of the phases; the mixed run at the end."""

    rooms: int = 400
    members: int = 3
    slow: float = 60.0
    fast: float = 800.0
    cursors: float = 1500.0
    seconds: float = 12.0
    mix: Mix = field(default_factory=lambda: Mix(400.0, 1200.0, 8.0, 1200.0, 400.0, 3.0))


async def measure(stage: Stage, say: Callable[[str], None], client_core: int | None, size: Size = Size()) -> Findings:
    """Each cost by itself, then everything at once against the model's prediction."""
    found = Findings("costs", f"{size.rooms} rooms of {size.members}: what things cost")
    rng = random.Random(9)
    await stage.fresh()
    catalogue = await fill(stage.dsn, size.rooms + 400, size.members, [small(rng, uuid4()) for _ in range(60)])
    node = await stage.start()
    rooms, strangers = catalogue.projects[: size.rooms], catalogue.projects[size.rooms :]
    seats = [place(stage, node, project, person) for person in catalogue.people for project in rooms]
    visits = [place(stage, node, project, catalogue.people[0]) for project in strangers]
    async with Crew(client_core) as crew, Crew(client_core) as visitors:
        await crew.enter(seats)
        await crew.write(size.fast, 2)
        await asyncio.sleep(6)  # what opening left behind
        quiet = await _phase(stage, crew, size, 0, 0)
        slow = await _phase(stage, crew, size, size.slow, 0)
        fast = await _phase(stage, crew, size, size.fast, 0)
        moving = await _phase(stage, crew, size, 0, size.cursors)
        _report(found, quiet, slow, fast, moving, size)
        say("everything at once")
        mixed = await _mixed(stage, crew, visitors, visits, size)
    predicted = cpu_of(read_coefficients(), size.mix)
    for name, title in (("nodes", "node"), ("postgresql", "PostgreSQL")):
        found.add(f"mixed run, {title}: measured", mixed[name] * 1e3, "CPU ms/s")
        found.add(f"mixed run, {title}: the model says", predicted[name] * 1e3, "CPU ms/s")
        found.add(f"mixed run, {title}: model ÷ measured", predicted[name] / mixed[name], "×")
    return found


async def _phase(stage: Stage, crew: Crew, size: Size, edits: float, cursors: float) -> Spent:
    """CPU seconds per second by server, `flushes` and `edits` per second."""
    (node,) = stage.nodes
    before, flushes, began = stage.cpu(), (await node.figures())[COMMITS], time.monotonic()
    if edits or cursors:
        await crew.write(edits, size.seconds, writers=size.members, warmup=0.0, cursors=cursors, timed=False)
    else:
        await asyncio.sleep(size.seconds)
    wall, after = time.monotonic() - began, stage.cpu()
    committed = (await node.figures())[COMMITS] - flushes
    rates = {name: (after[name] - before[name]) / wall for name in after}
    share = size.seconds / wall  # of the time in which somebody did something
    return rates | {"flushes": committed / wall, "edits": edits * share, "cursors": cursors * share}


def _report(found: Findings, quiet: Spent, slow: Spent, fast: Spent, moving: Spent, size: Size) -> None:
    people = size.rooms * size.members
    found.add("silence: node per 1,000 connections", quiet["nodes"] / people * 1e6, "CPU ms/s")
    for name, title in (("nodes", "node"), ("postgresql", "PostgreSQL")):
        edit, flush = _split(name, quiet, slow, fast)
        found.add(f"an edit, {title}", edit * 1e6, "CPU µs")
        found.add(f"a flush, {title}", flush * 1e6, "CPU µs")
    found.add(f"flushes a second at {size.slow:.0f} edits/s", slow["flushes"])
    found.add(f"flushes a second at {size.fast:.0f} edits/s", fast["flushes"])
    cursor = (moving["nodes"] - quiet["nodes"]) / moving["cursors"]
    found.add(f"a cursor's move, told to {size.members}, node", cursor * 1e6, "CPU µs")


def _split(name: str, quiet: Spent, slow: Spent, fast: Spent) -> tuple[float, float]:
    """CPU seconds of one edit and of one flush, from two rates: edits·x + flushes·y is what is spent beyond silence."""
    a, b, c = slow["edits"], slow["flushes"], slow[name] - quiet[name]
    d, e, f = fast["edits"], fast["flushes"], fast[name] - quiet[name]
    determinant = a * e - b * d
    return (c * e - b * f) / determinant, (a * f - c * d) / determinant


async def _mixed(stage: Stage, crew: Crew, visitors: Crew, visits: list[Place], size: Size) -> Spent:
    opening = asyncio.create_task(visitors.visit(visits, size.mix.opens, size.seconds, 2.0))
    spent = await _phase(stage, crew, size, size.mix.edits, size.mix.cursors)
    await opening
    return spent
