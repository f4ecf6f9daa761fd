"""10,000 open rooms with 20,000 silent connections on one node: memory, the CPU of silence, the way there."""

import asyncio
import random
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from bench.scale.crew import Crew, place
from bench.scale.findings import Findings
from bench.scale.projects import Catalogue, fill
from bench.scale.songs import small
from bench.scale.stage import Node, Stage

SPARE_DESCRIPTORS = 150  # of the node: pool, bus, log, listening socket, visitors
QUIET_CORES = 0.2  # what opening leaves behind is done when less is used
QUIET_DEADLINE = 120.0
CROWD = 100
"""People in a room, in the rooms that silence is compared with: as many connections, and next to no rooms."""
WINDOWS_MAX = 50
"""Connections of one person in a room that the server allows."""
IDLE_AFTER = 1.2
"""Times as long as silence is watched everybody was silent before: a document is put away after a minute."""
RENEWAL_SECONDS = 15.0
"""y-protocols tells one's own presence again so often, moved or not."""


@dataclass(slots=True, frozen=True)
class Size:
    """How many rooms and connections, and for how long their silence is watched (s)."""

    rooms: int = 10_000
    connections: int = 20_000
    seconds: float = 60.0


def possible(connections: int) -> int:
    """As many connections as one process may have descriptors for."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(connections, most - SPARE_DESCRIPTORS)


async def measure(stage: Stage, say: Callable[[str], None], client_core: int | None, size: Size = Size()) -> Findings:
    """Open everything, watch the silence, then let everybody renew their presence as y-protocols does."""
    connections = possible(size.connections)
    found = Findings("idle", f"{size.rooms:,} open rooms, {connections:,} idle connections, one node")
    rng = random.Random(3)
    await stage.fresh()
    say(f"writing {size.rooms:,} projects")
    catalogue = await fill(stage.dsn, size.rooms, 2, [small(rng, uuid4()) for _ in range(60)])
    node = await stage.start()
    await _empty(stage, found, size.seconds / 4)
    base = node.memory
    async with Crew(client_core) as firsts, Crew(client_core) as seconds:
        before, began = stage.cpu(), time.monotonic()
        answers = []
        for crew, seat, number in ((firsts, 0, size.rooms), (seconds, 1, connections - size.rooms)):
            person = catalogue.people[seat]
            say(f"{number:,} people come")
            answers.append(
                await crew.enter([place(stage, node, project, person) for project in catalogue.projects[:number]])
            )
        wall = time.monotonic() - began
        _opened(found, answers, before, stage.cpu(), wall)
        await _quiet(stage, say, size.seconds * IDLE_AFTER)
        figures = await node.figures()
        found.add("rooms open", figures["backline_rooms"], "", size.rooms, "least")
        found.add("connections", figures["backline_connections"], "", connections, "least")
        found.add("memory of the node", node.memory / 2**20, "MiB", 2048)
        found.add("· per room with its connections", (node.memory - base) / 1024 / size.rooms, "KiB")
        silence = await _watch(stage, node, found, size.seconds, say)
        say("everybody renews their presence")
        await _renewing(stage, found, (firsts, seconds), connections, size.seconds / 3)
        gone = sum([(await crew.gone())["gone"] for crew in (firsts, seconds)])
        found.add("connections lost on the way", gone, "", 0)
    few = await _few_rooms(stage, catalogue, connections, size.seconds, client_core, say)
    found.add(f"CPU in silence, as many connections in rooms of {CROWD}", few, "% of a core")
    found.add(f"· so {size.rooms:,} idle rooms themselves cost", max(0.0, silence - few), "% of a core", 1)
    return found


async def _empty(stage: Stage, found: Findings, seconds: float) -> None:
    await asyncio.sleep(2)
    before, began = stage.cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    wall, after = time.monotonic() - began, stage.cpu()
    found.add("CPU of a node that nobody is on", (after["nodes"] - before["nodes"]) / wall * 100, "% of a core", 1)


def _opened(
    found: Findings,
    answers: list[dict[str, float]],
    before: dict[str, float],
    after: dict[str, float],
    wall: float,
) -> None:
    first, second = answers
    spent = {name: after[name] - before[name] for name in after}
    found.add("until all were in", wall, "s")
    found.add("refused", first["refused"] + second["refused"], "", 0)
    found.add("connect to synced, room closed, p50", first["join_p50_ms"], "ms")
    found.add("connect to synced, room open, p50", second["join_p50_ms"], "ms")
    found.add("CPU of the node for it", spent["nodes"], "s")
    found.add("· of PostgreSQL", spent["postgresql"], "s")
    found.add("· of Valkey", spent["valkey"], "s")


async def _quiet(stage: Stage, say: Callable[[str], None], seconds: float) -> None:
    """Wait until what opening has left behind is done, and until documents at which nobody looks are put away."""
    deadline = time.monotonic() + QUIET_DEADLINE
    quiet = 0
    while quiet < 3 and time.monotonic() < deadline:
        before = stage.cpu()["nodes"]
        await asyncio.sleep(2)
        used = (stage.cpu()["nodes"] - before) / 2
        say(f"settling: {used:.0%} of a core")
        quiet = quiet + 1 if used < QUIET_CORES else 0
    say("nobody does anything any more")
    await asyncio.sleep(seconds)


async def _few_rooms(
    stage: Stage,
    catalogue: Catalogue,
    connections: int,
    seconds: float,
    client_core: int | None,
    say: Callable[[str], None],
) -> float:
    """% of a core that a node needs for as many silent connections in few rooms."""
    await stage.clear()
    node = await stage.start()
    places = [
        place(stage, node, project, person)
        for project in catalogue.projects[: -(-connections // CROWD)]
        for person in catalogue.people
        for _ in range(WINDOWS_MAX)
    ][:connections]
    async with Crew(client_core) as firsts, Crew(client_core) as seconds_:
        say(f"{connections:,} people come into few rooms")
        await firsts.enter(places[: connections // 2])
        await seconds_.enter(places[connections // 2 :])
        await _quiet(stage, say, 0)
        say("silence")
        before, began = stage.cpu()["nodes"], time.monotonic()
        await asyncio.sleep(seconds)
        return (stage.cpu()["nodes"] - before) / (time.monotonic() - began) * 100


async def _watch(stage: Stage, node: Node, found: Findings, seconds: float, say: Callable[[str], None]) -> float:
    """Into `found`, and the node's % of a core."""
    say("silence")
    stalls, before, began = await _stalls(node), stage.cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    wall, after = time.monotonic() - began, stage.cpu()
    for name, title in (("nodes", "CPU in silence"), ("postgresql", "· of PostgreSQL"), ("valkey", "· of Valkey")):
        found.add(title, (after[name] - before[name]) / wall * 100, "% of a core", 1 if name == "nodes" else None)
    found.add("event-loop stalls over 50 ms in silence", await _stalls(node) - stalls, "a minute", 0)
    found.add("longest event-loop stall so far", (await node.figures())["backline_loop_lag_max_seconds"] * 1e3, "ms")
    return (after["nodes"] - before["nodes"]) / wall * 100


async def _stalls(node: Node) -> float:
    """How many timers have come more than 50 ms late so far."""
    lags = (await node.lags()).get("backline_loop_lag_seconds", {})
    return lags.get(float("inf"), 0.0) - lags.get(0.05, 0.0)


async def _renewing(stage: Stage, found: Findings, crews: tuple[Crew, Crew], connections: int, seconds: float) -> None:
    rate = connections / RENEWAL_SECONDS / len(crews)

    async def renew(for_seconds: float) -> None:
        await asyncio.gather(*(crew.write(0, for_seconds, writers=1, renewals=rate, timed=False) for crew in crews))

    await renew(min(RENEWAL_SECONDS, seconds))  # the first word of each is no renewal yet
    before, began = stage.cpu(), time.monotonic()
    await renew(seconds)
    wall, after = time.monotonic() - began, stage.cpu()
    used = (after["nodes"] - before["nodes"]) / wall
    found.add("CPU while every client renews its presence each 15 s", used * 100, "% of a core")
