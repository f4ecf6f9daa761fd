"""A capacity model: from measured costs and assumed habits to machines, a database, a bus and money.

`coefficients.json` has what was measured, with its source; habits, machines and prices are parameters
(`assumptions.json`), which `python -m bench.scale --model FILE` replaces in part or in whole. All rates are per
second at the busiest moment of a month.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HERE = Path(__file__).resolve().parent
SIZES: Final = (1_000, 100_000, 10_000_000)
HOURS_OF_PEAK: Final = 90.0
"""A month has so many hours' worth of peak traffic: three a day."""
Values = Mapping[str, float]


@dataclass(slots=True, frozen=True)
class Mix:
    """What happens: edits, cursor moves and openings of closed rooms per second; people, rooms, people in a room.

    `spread` is the mean number of nodes that have one room open; `nodes` how many there are; `joins` into open rooms.
    """

    edits: float
    cursors: float
    opens: float
    connections: float
    rooms: float
    members: float
    joins: float = 0.0
    spread: float = 1.0
    nodes: float = 1.0


@dataclass(slots=True, frozen=True)
class Answer:
    """What one size needs; `first` is the limit that is met first, `load` each resource's share of one unit of it."""

    users: int
    mix: Mix
    cores: Values
    memory_gib: float
    flushes: float
    wal_mb: float
    iops: float
    bus_mb: float
    bus_events: float
    shards: int
    storage_gib: float
    cost: Values
    load: Values

    @property
    def first(self) -> str:
        """The resource that is used up first."""
        return max(self.load, key=lambda name: self.load[name])

    @property
    def narrowest(self) -> str:
        """The same among what there is one of, however many nodes are added."""
        return max((name for name in self.load if "node" not in name), key=lambda name: self.load[name])


def read_coefficients() -> Values:
    """Name → measured value, CPU in seconds, sizes in bytes."""
    data = json.loads((HERE / "coefficients.json").read_text())
    return {name: entry["value"] for name, entry in data.items()}


def read_assumptions(file: Path | None = None) -> dict[str, float]:
    """The parameters; those in `file` win. Raises ValueError for one that the model does not know."""
    values: dict[str, float] = {}
    for group in json.loads((HERE / "assumptions.json").read_text()).values():
        values |= {name: entry["value"] for name, entry in group.items()}
    if file is not None:
        changed: dict[str, Any] = json.loads(file.read_text())
        if unknown := set(changed) - set(values):
            raise ValueError(f"The model has no parameter {', '.join(sorted(unknown))}.")
        values |= changed
    return values


def flushes_of(edits: float, nodes: float, c: Values) -> float:
    """Commits per second of all nodes: one under way at a time on each, and none without edits.

    Edits come independently of each other, so a node is at rest between flushes for 1/rate on average.
    """
    each = edits / nodes
    return nodes * each / (1 + each * c["flush_period"]) if each else 0.0


def cpu_of(c: Values, mix: Mix) -> dict[str, float]:
    """Cores' worth of CPU of all nodes, of PostgreSQL and of the bus."""
    flushes = flushes_of(mix.edits, mix.nodes, c)
    abroad = mix.spread - 1
    nodes = (
        mix.nodes * c["node_empty"]
        + mix.connections * c["node_connection"]
        + mix.edits * (c["node_edit"] + (mix.members - 3) * c["node_delivery"] + abroad * c["node_edit_abroad"])
        + flushes * c["node_flush"]
        + mix.cursors * (c["node_cursor"] * mix.members / 3 + abroad * c["node_cursor_abroad"])
        + mix.opens * c["node_open"]
        + mix.joins * c["node_join"]
    )
    postgres = (
        mix.edits * c["postgres_edit"]
        + flushes * c["postgres_flush"]
        + mix.opens * c["postgres_open"]
        + mix.joins * c["postgres_join"]
        + mix.connections * c["postgres_connection"]
    )
    events = bus_events(mix)
    return {
        "nodes": nodes,
        "postgresql": postgres,
        "bus": events * mix.spread * c["bus_event"] + mix.opens * c["bus_subscribe"],
    }


def bus_events(mix: Mix) -> float:
    """Events per second: each edit and presence tick of the rooms that are on several nodes, heard by each of these."""
    if mix.spread <= 1:
        return 2 * mix.opens
    share = min(1.0, mix.spread - 1)
    return share * (mix.edits + mix.cursors) + 2 * mix.opens


def spread_of(members: float, nodes: float, affinity: float) -> float:
    """On how many of `nodes` one room's people are; the balancer keeps the share `affinity` of rooms together."""
    apart = nodes * (1 - (1 - 1 / nodes) ** members) if nodes > 1 else 1.0
    return 1 + (max(1.0, apart) - 1) * (1 - affinity)


def mix_of(users: int, a: Values, nodes: float) -> Mix:
    """The busiest moment of so many monthly users."""
    people = users * a["peak_share"]
    active = people * a["active_share"]
    joins = people * a["joins_per_hour"] / 3600
    return Mix(
        edits=active * a["edits_per_minute"] / 60,
        cursors=active * a["cursor_rate"] + people / a["renewal_seconds"],
        opens=joins * a["closed_share"],
        connections=people,
        rooms=people / a["people_per_room"],
        members=a["people_per_room"],
        joins=joins * (1 - a["closed_share"]),
        spread=spread_of(a["people_per_room"], nodes, a["affinity"]),
        nodes=nodes,
    )


def plan(users: int, a: Values, c: Values) -> Answer:
    """As many nodes as it takes, each a process on one core, and what stands behind them."""
    nodes = 1.0
    while True:
        mix = mix_of(users, a, nodes)
        cores, memory = cpu_of(c, mix), memory_of(mix, c)
        needed = max(cores["nodes"] / a["core_use"], memory / (a["node_memory_gib"] * 2**30), 1.0)
        needed = math.ceil(needed) if users <= a["single_node_users"] else max(2, math.ceil(needed))
        if needed <= nodes:
            break
        nodes = float(max(needed, nodes + 1))
    return _answer(users, mix, cores, memory, a, c)


def memory_of(mix: Mix, c: Values) -> float:
    """Bytes in all nodes: a room weighs on each node that has it open."""
    rooms = mix.rooms * mix.spread * c["memory_room"]
    return mix.nodes * c["memory_node"] + rooms + mix.connections * c["memory_connection"]


def _answer(users: int, mix: Mix, cores: Values, memory: float, a: Values, c: Values) -> Answer:
    flushes = flushes_of(mix.edits, mix.nodes, c)
    wal = (mix.edits * c["wal_edit"] + mix.connections * c["wal_connection"] + mix.opens * c["wal_open"]) / 1e6
    iops = flushes * c["writes_per_flush"] + wal * 1e6 / 8192 * a["checkpoint_share"]
    events = bus_events(mix)
    bus_mb = events * c["bus_bytes"] * (1 + mix.spread) / 1e6
    edits_a_month = mix.edits * 3600 * HOURS_OF_PEAK
    storage = (edits_a_month * a["history_months"] * c["history_bytes"] + users * a["projects_per_user"]
               * (c["project_bytes"] + a["snapshots_per_project"] * c["state_bytes"])) / 2**30  # fmt: skip
    load = {
        "a core of one node": cores["nodes"] / a["core_use"],
        "memory of one node": memory / (a["node_memory_gib"] * 2**30),
        "CPU of one PostgreSQL primary": cores["postgresql"] / (a["postgres_cores"] * a["core_use"]),
        "WAL of one primary": wal / a["postgres_wal_mb"],
        "IOPS of one primary": iops / a["postgres_iops"],
        "the one core of a Redis": cores["bus"] / a["core_use"],
        "a Redis' network": bus_mb / a["bus_network_mb"],
    }
    database = (name for name in load if "primary" in name)
    shards = math.ceil(max(load[name] for name in database))
    answer = Answer(users, mix, cores, memory / 2**30, flushes, wal, iops, bus_mb, events, shards, storage, {}, load)
    return Answer(**{name: getattr(answer, name) for name in Answer.__slots__} | {"cost": cost_of(answer, a)})


def cost_of(answer: Answer, a: Values) -> dict[str, float]:
    """A month's money by part, in the currency of the prices."""
    vcpus = math.ceil(answer.mix.nodes) * a["vcpus_per_node"]
    database = max(2 * answer.shards, math.ceil(answer.cores["postgresql"] / a["core_use"])) * (1 + a["standbys"])
    redis = max(1, math.ceil(answer.cores["bus"] / a["core_use"])) * (1 + a["standbys"])
    return {
        "nodes": vcpus * a["price_vcpu"],
        "database": database * a["price_database_vcpu"],
        "storage": answer.storage_gib * a["price_storage_gib"] * (1 + a["standbys"]),
        "bus": redis * a["price_redis_vcpu"],
    }


def table(answers: Sequence[Answer]) -> str:
    """Markdown: one column for each size."""
    rows: list[tuple[str, list[str]]] = [
        ("people at the peak", [f"{answer.mix.connections:,.0f}" for answer in answers]),
        ("rooms open", [f"{answer.mix.rooms:,.0f}" for answer in answers]),
        ("edits/s · cursor moves/s", [f"{answer.mix.edits:,.1f} · {answer.mix.cursors:,.0f}" for answer in answers]),
        ("rooms opened/s", [f"{answer.mix.opens:,.2f}" for answer in answers]),
        ("nodes, one core each", [f"{answer.mix.nodes:,.0f}" for answer in answers]),
        ("· their CPU, cores", [f"{answer.cores['nodes']:,.2f}" for answer in answers]),
        ("· their memory, GiB", [f"{answer.memory_gib:,.1f}" for answer in answers]),
        ("nodes that have one room open", [f"{answer.mix.spread:.2f}" for answer in answers]),
        ("PostgreSQL: CPU, cores", [f"{answer.cores['postgresql']:,.2f}" for answer in answers]),
        ("· commits/s · IOPS", [f"{answer.flushes:,.0f} · {answer.iops:,.0f}" for answer in answers]),
        ("· WAL, MB/s", [f"{answer.wal_mb:,.2f}" for answer in answers]),
        ("· primaries", [f"{answer.shards}" for answer in answers]),
        ("· stored after a year, GiB", [f"{answer.storage_gib:,.0f}" for answer in answers]),
        ("Redis: events/s · MB/s", [f"{answer.bus_events:,.0f} · {answer.bus_mb:,.2f}" for answer in answers]),
        ("· CPU, cores", [f"{answer.cores['bus']:,.3f}" for answer in answers]),
        ("a month, $", [f"{sum(answer.cost.values()):,.0f}" for answer in answers]),
        ("· nodes, database, storage, Redis", [_costs(answer) for answer in answers]),
        ("first limit", [f"{answer.first} ({answer.load[answer.first]:,.2g} ×)" for answer in answers]),
        ("then", [f"{answer.narrowest} ({answer.load[answer.narrowest]:,.2g} ×)" for answer in answers]),
    ]
    head = ["| monthly users | " + " | ".join(f"{answer.users:,}" for answer in answers) + " |"]
    head.append("|---|" + "---:|" * len(answers))
    return "\n".join(head + [f"| {name} | {' | '.join(cells)} |" for name, cells in rows])


def _costs(answer: Answer) -> str:
    return ", ".join(f"{answer.cost[part]:,.0f}" for part in ("nodes", "database", "storage", "bus"))


def report(file: Path | None) -> str:
    """The model's answer at three sizes, with a balancer that knows rooms and one that does not."""
    a, c = read_assumptions(file), read_coefficients()
    aware = [plan(users, a, c) for users in SIZES]
    plain = [plan(users, a | {"affinity": 0.0}, c) for users in SIZES]
    return "\n\n".join(
        ("The balancer sends a room's people to one node:", table(aware), "It does not know rooms:", table(plain))
    )
