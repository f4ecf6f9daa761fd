"""A document near its limit is opened on a node where others work: how long does the event loop stand still?"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from bench.scale.crew import Crew, place
from bench.scale.findings import Findings, median
from bench.scale.projects import fill
from bench.scale.songs import large, small
from bench.scale.stage import Stage


@dataclass(slots=True, frozen=True)
class Size:
    """Bytes of the large documents and how many are opened; the rooms beside them and their edits per second."""

    bytes: int = 15_900_000
    opens: int = 3
    rooms: int = 20
    members: int = 4
    rate: float = 200.0
    seconds: float = 6.0


async def measure(stage: Stage, say: Callable[[str], None], client_core: int | None, size: Size = Size()) -> Findings:
    """Edits in the busy rooms alone, then while large documents are opened one after the other."""
    found = Findings("large", f"a document of {size.bytes / 2**20:.1f} MiB opened beside {size.rooms} busy rooms")
    rng = random.Random(5)
    await stage.fresh()
    busy = await fill(stage.dsn, size.rooms, size.members, [small(rng, uuid4()) for _ in range(size.rooms)])
    say("writing large documents")
    song = large(rng, size.bytes)
    big = await fill(stage.dsn, size.opens, 1, [song])
    found.add("encoded state", len(song.state) / 2**20, "MiB")
    node = await stage.start()
    base = node.memory
    seats = [(project, person) for person in busy.people for project in busy.projects]
    async with Crew(client_core) as players, Crew(client_core) as visitor:
        await players.enter([place(stage, node, *seat) for seat in seats])
        alone = await players.write(size.rate, size.seconds)
        lag = (await node.figures())["backline_loop_lag_max_seconds"]
        found.add("longest event-loop stall before", lag * 1e3, "ms")
        found.add("others, edit to delivery, p50 before", alone["near_p50_ms"], "ms")
        found.add("others, edit to delivery, p99 before", alone["near_p99_ms"], "ms")
        walls, spent, shares = [], [], []
        for project in big.projects:
            say("opening a large document")
            others = asyncio.create_task(players.write(size.rate, size.seconds))
            await asyncio.sleep(2)
            before = node.cpu
            answer = await visitor.enter([place(stage, node, project, big.people[0])])
            shares.append(await others)
            walls.append(answer["join_max_ms"])
            spent.append(node.cpu - before)
        figures = await node.figures()
    found.add("connect to synced", median(walls), "ms")
    found.add("others, edit to delivery, p50 meanwhile", median([share["near_p50_ms"] for share in shares]), "ms")
    found.add("others, edit to delivery, p99 meanwhile", median([share["near_p99_ms"] for share in shares]), "ms")
    found.add("others, edit to delivery, longest", max(share["near_max_ms"] for share in shares), "ms")
    found.add("others' edits lost", sum(share["lost"] for share in shares), "", 0)
    found.add("longest event-loop stall", figures["backline_loop_lag_max_seconds"] * 1e3, "ms", 50)
    found.add("CPU of the node per open, others' edits included", median(spent), "s")
    found.add("memory per large document", (node.memory - base) / 2**20 / size.opens, "MiB")
    return found
