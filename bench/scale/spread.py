"""Two nodes: a room that is spread over both, and rooms that are not, against one node with the same people."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import uuid4

from bench.scale.crew import Crew, Place, place
from bench.scale.findings import Findings, median
from bench.scale.projects import Catalogue, fill
from bench.scale.songs import small
from bench.scale.stage import Node, Stage

Answer = dict[str, float]


@dataclass(slots=True, frozen=True)
class Size:
    """Edits per second in one room of ten, and over many rooms of four for each node; seconds of each, and how often.

    Throughput is what nodes bear that are all as busy as the one: a node with half the work gathers less for each
    commit and each write, and pays more for every edit.
    """

    rate: float = 2000.0
    members: int = 10
    rooms: int = 50
    room_members: int = 4
    rooms_rate: float = 3000.0
    seconds: float = 5.0
    rounds: int = 3


@dataclass(slots=True)
class Tally:
    """The runs of one arrangement: what people saw and what the servers spent."""

    answers: list[Answer] = field(default_factory=list)
    spent: list[Answer] = field(default_factory=list)

    def of(self, name: str) -> float:
        """The median of a figure that people saw."""
        return median([answer[name] for answer in self.answers])

    def per(self, name: str, count: str) -> float:
        """The median of CPU microseconds of one kind of server (or `all`) for each delivery or edit."""
        costs = [
            (sum(spent.values()) if name == "all" else spent[name]) / answer[count] * 1e6
            for answer, spent in zip(self.answers, self.spent, strict=True)
        ]
        return median(costs)

    def lost(self) -> float:
        """Edits that not everybody got."""
        return sum(answer["lost"] for answer in self.answers)


async def measure(stage: Stage, say: Callable[[str], None], client_core: int | None, size: Size = Size()) -> Findings:
    """One node and two in turn, so that whatever else this machine does meets both."""
    found = Findings("spread", "two nodes against one: the same people in one room, or as many edits for each node")
    rng = random.Random(6)
    one, two, rooms_one, rooms_two = Tally(), Tally(), Tally(), Tally()
    people = max(size.members, size.room_members)
    for index in range(size.rounds):
        for nodes, shared, apart in ((1, one, rooms_one), (2, two, rooms_two)):
            say(f"round {index + 1}, {nodes} node{'s' * (nodes > 1)}")
            await stage.fresh()
            catalogue = await fill(stage.dsn, 1 + size.rooms, people, [small(rng, uuid4()) for _ in range(20)])
            running = [await stage.start(core=core) for core in ([0, 1] if nodes == 2 else [0])]
            room = [
                place(stage, running[seat % nodes], catalogue.projects[0], catalogue.people[seat])
                for seat in range(size.members)
            ]
            await _run(stage, room, client_core, shared, size.rate, size)
            rate = size.rooms_rate * nodes
            await _run(stage, _apart(stage, running, catalogue, size), client_core, apart, rate, size)
            await stage.clear()
    _report(found, one, two, size)
    _report_apart(found, rooms_one, rooms_two)
    return found


def _apart(stage: Stage, nodes: list[Node], catalogue: Catalogue, size: Size) -> list[Place]:
    return [
        place(stage, nodes[index % len(nodes)], project, catalogue.people[seat])
        for seat in range(size.room_members)
        for index, project in enumerate(catalogue.projects[1:])
    ]


async def _run(
    stage: Stage, places: list[Place], client_core: int | None, tally: Tally, rate: float, size: Size
) -> None:
    async with Crew(client_core) as crew:
        await crew.enter(places)
        await crew.write(rate, 1.0, writers=2)  # warm, and everybody's client id is known
        before = stage.cpu()
        answer = await crew.write(rate, size.seconds, writers=2, warmup=0.0)
        after = stage.cpu()
    tally.answers.append(answer)
    tally.spent.append({name: after[name] - before[name] for name in after})


def _report(found: Findings, one: Tally, two: Tally, size: Size) -> None:
    found.add("edits a second in one room of 10, asked for", size.rate)
    found.add("one node: p50, p99 is next", one.of("near_p50_ms"), "ms")
    found.add("one node: p99", one.of("near_p99_ms"), "ms")
    found.add("one node: acknowledged, p99", one.of("echo_p99_ms"), "ms")
    found.add("two nodes, same node: p99", two.of("near_p99_ms"), "ms")
    found.add("two nodes, other node: p50", two.of("far_p50_ms"), "ms")
    found.add("two nodes, other node: p99", two.of("far_p99_ms"), "ms")
    more = [answer["far_p99_ms"] - answer["near_p99_ms"] for answer in two.answers]
    found.add("other node's p99 beyond the same node's, median", median(more), "ms", 15)
    found.add("other node's p99 beyond the same node's, best", min(more), "ms")
    found.add("edits lost", one.lost() + two.lost(), "", 0)
    for name, title in (("nodes", "nodes"), ("postgresql", "PostgreSQL"), ("valkey", "Valkey"), ("all", "all")):
        found.add(f"one node: CPU per delivery, {title}", one.per(name, "deliveries"), "µs")
        found.add(f"two nodes: CPU per delivery, {title}", two.per(name, "deliveries"), "µs")
    ratio = two.per("all", "deliveries") / one.per("all", "deliveries")
    found.add("CPU per delivery, two nodes ÷ one, all", ratio, "×", 1.5)


def _report_apart(found: Findings, one: Tally, two: Tally) -> None:
    alone, both = one.per("nodes", "sent"), two.per("nodes", "sent")
    found.add("50 rooms of 4, one node: CPU per edit, node", alone, "µs")
    found.add("50 rooms of 4, two nodes: CPU per edit, nodes", both, "µs")
    found.add("PostgreSQL's CPU per edit, one node", one.per("postgresql", "sent"), "µs")
    found.add("PostgreSQL's CPU per edit, two nodes", two.per("postgresql", "sent"), "µs")
    found.add("edits that two nodes' cores bear ÷ one's, from CPU per edit", 2 * alone / both, "×", 1.6, "least")
