"""kill -9 of anything at any moment: what was acknowledged is there, and everybody agrees again."""

import asyncio
import random
import sys
import time
from collections import Counter
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

from pycrdt import Doc

from collab_server.gate.inspection import Inspection
from collab_server.gate.limits import Limits
from collab_server.gate.update import inspect
from collab_server.gate.vector import inspect_vector
from persistence.body import decode
from persistence.journal import Journal
from studio.blank import open_doc
from studio.canonical import canonical
from tests.collab_server.peer import until
from tests.faults.musician import Musician
from tests.faults.rig import Rig, standing

VICTIMS: Final = Counter(server=20, postgres=10, valkey=10, all=10)
SEED = 2
ROOMS = 4
MUSICIANS_PER_ROOM = 3
SECONDS_BETWEEN_EDITS = 0.06
LOAD_SECONDS = (0.3, 1.5)
"""How long everything is up between two kills."""
TRUSTED = Limits(clients_max=1_000_000, structs_max=1 << 30, delete_ranges_max=1 << 30, update_bytes_max=1 << 30)
SEQS = "select distinct seq from document_changes where project_id = $1 order by seq"
HEAD = "select head from documents where project_id = $1"


class Room(NamedTuple):
    """A project and who plays in it."""

    project: UUID
    musicians: list[Musician]


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


async def _document(journal: Journal, project: UUID) -> "Doc[Any]":
    """The document as a server that starts now would load it; `load` itself refuses a gap in the numbers."""
    loaded = await journal.load(project)
    doc = open_doc()
    if loaded.state is not None:
        doc.apply_update(loaded.state)
    for row in loaded.tail:
        for entry in decode(row.body):
            doc.apply_update(entry.update)
    return doc


def _lost(doc: "Doc[Any]", acknowledged: list[bytes]) -> list[bytes]:
    """The updates of which the document lacks a struct or a deletion."""
    known = inspect_vector(doc.get_state(), TRUSTED)
    gone: dict[int, list[tuple[int, int]]] = {}
    for client, clock, length in _inspected(doc.get_update(b"\x00")).deletes:
        gone.setdefault(client, []).append((clock, clock + length))

    def deleted(client: int, clock: int, end: int) -> bool:
        return any(first <= clock and end <= last for first, last in gone.get(client, ()))

    def there(found: Inspection) -> bool:
        return all(end <= known.get(client, 0) for client, _, end in found.ranges) and all(
            deleted(client, clock, clock + length) for client, clock, length in found.deletes
        )

    return [update for update in acknowledged if not there(_inspected(update))]


def _inspected(update: bytes) -> Inspection:
    return inspect(update, TRUSTED)


async def _agree(rig: Rig, room: Room, fresh: Musician) -> None:
    """All of a room's musicians, a newcomer and the journal hold the same document, with nothing lost."""
    everybody = [*room.musicians, fresh]
    assert not [m.refused for m in everybody if m.refused]
    await until(lambda: all(m.settled for m in everybody), "everybody connected and saved", 30)
    await until(lambda: all(m.json() == fresh.json() for m in everybody), "everybody equal", 30)
    doc = await _document(rig.world.journal, room.project)
    acknowledged = list(chain.from_iterable(m.acknowledged for m in everybody))
    assert not _lost(doc, acknowledged)
    before = canonical(doc)
    for update in acknowledged:
        doc.apply_update(update)
    assert canonical(doc) == before == fresh.json()
    numbers = [row["seq"] for row in await rig.world.pool.fetch(SEQS, room.project)]
    assert numbers == list(range(1, await rig.world.pool.fetchval(HEAD, room.project) + 1))


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
            await _agree(rig, room, fresh)
        for task in staying:
            task.cancel()
    assert kills == VICTIMS
    assert sum(len(m.acknowledged) for m in everybody) > 10 * VICTIMS.total()


def _summary(kills: Counter[str], everybody: list[Musician], seconds: float) -> str:
    closes: Counter[int] = sum((m.closes for m in everybody), Counter())
    return (
        f"{kills.total()} kills {dict(kills)} in {seconds:.0f} s, {sum(m.edits for m in everybody)} edits, "
        f"{sum(len(m.acknowledged) for m in everybody)} acknowledgements, "
        f"{sum(m.connections for m in everybody)} connections, closes {dict(closes)}, "
        f"refused {[m.refused for m in everybody if m.refused]}\n"
    )
