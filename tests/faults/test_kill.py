"""kill -9 of anything at any moment: what was acknowledged is there, and everybody agrees again."""

import asyncio
import random
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Final

from tests.faults.audit import Room, agree
from tests.faults.figures import Figure, record
from tests.faults.musician import Musician
from tests.faults.rig import Rig, standing

VICTIMS: Final = Counter(server=20, postgres=10, valkey=10, all=10)
SEED = 2
ROOMS = 4
MUSICIANS_PER_ROOM = 3
SECONDS_BETWEEN_EDITS = 0.06
LOAD_SECONDS = (0.2, 0.8)
"""How long everything is up between two kills."""


async def _open_rooms(rig: Rig, rng: random.Random) -> list[Room]:
    world, rooms = rig.world, []
    client = 10_000
    for _ in range(ROOMS):
        owner = await world.user("Ada")
        project = await world.project(owner)
        musicians = []
        for _ in range(MUSICIANS_PER_ROOM):
            user = await world.member(project)
            client += 1
            musicians.append(
                Musician(
                    client,
                    partial(world.url, rig.app, project, user),
                    random.Random(rng.random()),
                )
            )
        rooms.append(Room(project, musicians))
    return rooms


async def _kill_and_mend(rig: Rig, what: str) -> None:
    """Kill something and start it again; while it is down, the musicians go on."""
    if what in ("server", "all"):
        await rig.kill_server()
    if what in ("postgres", "all"):
        await rig.kill_postgres()
    if what in ("valkey", "all"):
        await rig.kill_valkey()
        await rig.start_valkey()
    if what in ("postgres", "all"):
        await rig.start_postgres()
    if what in ("server", "all"):
        await rig.start_server()


async def test_fifty_kills_lose_nothing_acknowledged(scratch: Path, app_environment: dict[str, str]) -> None:
    """S13: after 50 × kill -9 of server, database, bus or all, no acknowledged edit is lost and everybody converges."""
    rng = random.Random(SEED)
    kills: Counter[str] = Counter()
    began = time.monotonic()
    async with standing(scratch / "kills", app_environment) as rig, asyncio.TaskGroup() as band:
        rooms = await _open_rooms(rig, rng)
        everybody = [musician for room in rooms for musician in room.musicians]
        staying = [band.create_task(musician.stay()) for musician in everybody]
        playing = [band.create_task(musician.play(SECONDS_BETWEEN_EDITS)) for musician in everybody]
        for victim in rng.sample(list(VICTIMS.elements()), VICTIMS.total()):
            await asyncio.sleep(rng.uniform(*LOAD_SECONDS))
            await _kill_and_mend(rig, victim)
            kills[victim] += 1
        for task in playing:
            task.cancel()
        sys.stdout.write(_summary(kills, everybody, time.monotonic() - began))  # shown when what follows fails
        for room in rooms:
            fresh = Musician(1_000_000, room.musicians[0].address, rng)
            staying.append(band.create_task(fresh.stay()))
            await agree(rig.world, room, fresh)
        for task in staying:
            task.cancel()
    assert kills == VICTIMS
    record(
        Figure(
            "kill -9 of server, database, bus or all of them, 50 times under load",
            "a pause until it is up again; they go on editing",
            f"{sum(len(m.acknowledged) for m in everybody):,} acknowledged edits checked",
        )
    )
    assert sum(len(m.acknowledged) for m in everybody) > 10 * VICTIMS.total()


def _summary(kills: Counter[str], everybody: list[Musician], seconds: float) -> str:
    closes: Counter[int] = sum((m.closes for m in everybody), Counter())
    return (
        f"{kills.total()} kills {dict(kills)} in {seconds:.0f} s, {sum(m.edits for m in everybody)} edits, "
        f"{sum(len(m.acknowledged) for m in everybody)} acknowledgements, "
        f"{sum(m.connections for m in everybody)} connections, closes {dict(closes)}, "
        f"refused {[m.refused for m in everybody if m.refused]}\n"
    )
