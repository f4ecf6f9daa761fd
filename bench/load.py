"""The load client: one process, one core, one JSON job on standard input and one JSON answer on standard output.

Answer: numbers by metric name, times in the unit of the name; `cpu_<tree>` are CPU seconds of a server's process tree
during the measured window, `client_share` is this process's own part of its core in that window (not in
the open loop, where it polls).
"""

import asyncio
import gc
import json
import math
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import uvloop

from bench.connection import Refused
from bench.crowd import Author, Crowd
from bench.job import Job, Shape
from bench.measure import cpu_seconds, memory_bytes, own_cpu_seconds
from bench.reader import Edit
from bench.ticker import Ticker
from bench.yjs import TOKEN, Typist, op_key

Metrics = dict[str, float]

SETTLE = 0.3  # seconds of silence before a measurement
IDLE_SETTLE = 1.5
DRAIN_DEADLINE = 15.0
PRELOAD_DEADLINE = 120.0
BATCH = 20  # edits in one update of a preload
PRELOAD_WINDOW = 16  # updates on their way
TYPISTS = 4
CLOSED_EDITS = 120_000  # prepared for a closed loop; what goes beyond is made on the way
SPARE_EDITS = 1000
WRITTEN_SETTLE = 3.5
FIRST_JOINS = 3  # not measured: caches and compilers warm up


class Window:
    """The measured time: CPU of every process tree and of this client, from `open` to `close`."""

    def __init__(self, trees: dict[str, int]) -> None:
        self._trees = trees
        self._before = self._cpu()
        self._began = time.perf_counter()

    def _cpu(self) -> Metrics:
        return {f"cpu_{name}": cpu_seconds(pid) for name, pid in self._trees.items()} | {"client": own_cpu_seconds()}

    def close(self) -> Metrics:
        """Seconds, CPU seconds by tree, and this client's share of its core."""
        seconds, after = time.perf_counter() - self._began, self._cpu()
        spent = {name: after[name] - self._before[name] for name in after}
        return {"seconds": seconds, "client_share": spent.pop("client") / seconds} | spent


def percentile(times_ns: Sequence[int], share: float) -> float:
    """The nearest-rank percentile in microseconds; NaN of nothing."""
    if not times_ns:
        return math.nan
    ordered = sorted(times_ns)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1000


async def until(reached: Callable[[], bool], deadline: float) -> bool:
    """Whether a condition came true within `deadline` seconds."""
    end = time.monotonic() + deadline
    while not reached():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.005)
    return True


async def closed(crowd: Crowd) -> Metrics:
    """Every completed edit starts the next one."""
    load, account = crowd.job.load, crowd.account
    crowd.seat_authors(await crowd.assemble(load.clients, load.rooms), load.writers, CLOSED_EDITS)
    await asyncio.sleep(SETTLE)
    authors = {author.connection: author for author in crowd.authors}

    def again(edits: list[Edit]) -> None:
        for author, number in Counter(edit.author for edit in edits).items():
            crowd.send(authors[author], number)  # type: ignore[index]

    account.on_complete = again
    for _ in range(load.window):
        for author in crowd.authors:
            crowd.send(author)
    metrics = await _measured(crowd)
    account.on_complete = None
    return metrics | await _drained(crowd)


async def open_loop(crowd: Crowd) -> Metrics:
    """Edits leave at a fixed rate, whatever the server does."""
    load, account = crowd.job.load, crowd.account
    edits = round(load.rate * (load.warmup + load.duration)) + SPARE_EDITS
    crowd.seat_authors(await crowd.assemble(load.clients, load.rooms), load.writers, edits)
    await asyncio.sleep(SETTLE)
    ticker = _ticking(crowd, load.rate, crowd.send)
    with awake():
        metrics = await _measured(crowd)
    ticker.close()
    del metrics["client_share"]  # polling is not load
    metrics |= await _drained(crowd)
    return metrics | _times(account.delivery_times, "latency") | _times(account.echo_times, "echo")


@contextmanager
def awake() -> Iterator[None]:
    """The client polls instead of sleeping: its own waking up and cold caches are no latency of the server's."""
    loop, polling = asyncio.get_running_loop(), True

    def poll() -> None:
        if polling:
            loop.call_soon(poll)

    poll()
    try:
        yield
    finally:
        polling = False


async def presence(crowd: Crowd) -> Metrics:
    """Everyone moves a cursor `rate` times a second."""
    load = crowd.job.load
    crowd.seat_authors(await crowd.assemble(load.clients, load.rooms), load.clients, 0)
    await asyncio.sleep(SETTLE)

    def move(author: Author) -> None:
        writer = author.writer
        key = op_key(writer.index, writer.seq)
        writer.seq += 1
        crowd.reader.edits[key] = Edit(author.connection, time.perf_counter_ns(), author.receivers)
        crowd.account.sent += 1
        state = _cursor(writer.index, writer.seq, key)
        author.connection.send(author.connection.speaker.awareness(writer.client, writer.seq, state))

    ticker = _ticking(crowd, load.rate * load.clients, move)
    metrics = await _measured(crowd)
    ticker.close()
    crowd.check()
    expected = metrics["sent"] * (load.clients - 1)
    share = metrics["deliveries"] / expected if expected else math.nan
    return metrics | {"delivered_ratio": share} | _times(crowd.account.delivery_times, "latency")


def _cursor(person: int, step: int, key: bytes) -> bytes:
    state = {
        "user": {"name": f"Player {person}", "color": "#43a88a"},
        "cursor": {"ctx": "timeline", "tick": step * 40, "track": "master", "y": 0.5},
        "sel": [f"~{key.decode()}~"],
    }
    return json.dumps(state, separators=(",", ":")).encode()


def _ticking(crowd: Crowd, rate: float, act: Callable[[Author], None]) -> Ticker:
    turn = 0

    def tick(due: int) -> None:
        nonlocal turn
        for _ in range(due):
            act(crowd.authors[turn])
            turn = (turn + 1) % len(crowd.authors)

    return Ticker(asyncio.get_running_loop(), rate, tick)


async def _measured(crowd: Crowd) -> Metrics:
    load, account = crowd.job.load, crowd.account
    await asyncio.sleep(load.warmup)
    crowd.check()
    account.timed_from = time.perf_counter_ns()
    before = account.deliveries, account.completed, account.sent
    window = Window(crowd.job.trees)
    await asyncio.sleep(load.duration)
    metrics = window.close()
    delivered, completed, sent = account.deliveries - before[0], account.completed - before[1], account.sent - before[2]
    metrics |= {
        "deliveries": delivered,
        "completed": completed,
        "sent": sent,
        "edits_s": completed / metrics["seconds"],
    }
    for tree in crowd.job.trees:
        metrics[f"cpu_{tree}_ms_s"] = metrics[f"cpu_{tree}"] / metrics["seconds"] * 1e3
        metrics[f"cpu_{tree}_per_mdel"] = metrics[f"cpu_{tree}"] / delivered * 1e6 if delivered else math.nan
    return metrics


async def _drained(crowd: Crowd) -> Metrics:
    """Every edit must reach everybody, once."""
    account = crowd.account
    await until(lambda: account.completed >= account.sent, DRAIN_DEADLINE)
    crowd.check()
    await until(lambda: account.echoes >= account.sent, 1.0)
    return {"lost": account.sent - account.completed, "surplus": account.surplus}


def _times(times: list[int], name: str) -> Metrics:
    return {f"{name}_p50_us": percentile(times, 0.5), f"{name}_p99_us": percentile(times, 0.99)}


async def join(crowd: Crowd) -> Metrics:
    """People come into a document of `preload` edits, `together` at a time."""
    load = crowd.job.load
    await _write_document(crowd)
    await asyncio.sleep(WRITTEN_SETTLE)  # no join pays for what so many edits leave behind to be done
    for seat in range(FIRST_JOINS):
        await _timed_join(crowd, seat)
    await asyncio.sleep(SETTLE)
    window, walls = Window(crowd.job.trees), []
    for first in range(0, load.joins, load.together):
        seats = range(first, min(first + load.together, load.joins))
        walls += await asyncio.gather(*(_timed_join(crowd, seat) for seat in seats))
    await asyncio.sleep(SETTLE)  # what a join leaves behind to be done counts too
    metrics = window.close()
    crowd.check()
    for tree in crowd.job.trees:
        metrics[f"cpu_{tree}_per_join_ms"] = metrics[f"cpu_{tree}"] / load.joins * 1e3
    received = crowd.connections[-1].bytes_received
    return metrics | {"join_p50_ms": percentile(walls, 0.5) / 1e3, "join_max_ms": max(walls) / 1e6, "bytes": received}


async def _timed_join(crowd: Crowd, seat: int) -> int:
    """Nanoseconds until the whole document is there."""
    began = time.perf_counter_ns()
    connection = await crowd.knock(0, seat)
    connection.keep_state = True
    whole = await asyncio.wait_for(connection.synced, DRAIN_DEADLINE)
    held = len(TOKEN.findall(connection.state))
    if held != crowd.job.load.preload:
        raise Refused(f"the state has {held} of {crowd.job.load.preload} edits")
    connection.state = b""
    return whole - began


async def _write_document(crowd: Crowd) -> None:
    (members,) = await crowd.assemble(2, 1)
    source, load, account = members[0], crowd.job.load, crowd.account
    typists = [Typist(index, crowd.client_id(index)) for index in range(TYPISTS)]

    def more(_: list[Edit]) -> None:
        at = account.sent
        if at * BATCH >= load.preload:
            return
        typist = typists[at % TYPISTS]
        update = typist.next(min(BATCH, load.preload - at * BATCH))
        crowd.reader.edits[op_key(typist.index, typist.seq - 1)] = Edit(source, time.perf_counter_ns(), 1)
        account.sent += 1
        source.send(source.speaker.update(update))

    account.on_complete = more
    for _ in range(PRELOAD_WINDOW):
        more([])
    updates = -(-load.preload // BATCH)
    if not await until(lambda: account.completed >= updates or bool(source.refusal), PRELOAD_DEADLINE):
        raise Refused(f"only {account.completed * BATCH} of {load.preload} edits got through")
    crowd.check()
    await until(lambda: account.echoes >= updates, DRAIN_DEADLINE)


async def idle(crowd: Crowd) -> Metrics:
    """Connected and silent: memory beyond a server with one connection."""
    load, (server, *_) = crowd.job.load, crowd.job.trees.values()
    await crowd.enter(0, 0)
    await asyncio.sleep(IDLE_SETTLE)
    before, window = memory_bytes(server), Window(crowd.job.trees)
    await crowd.assemble(load.clients, load.rooms)
    await asyncio.sleep(IDLE_SETTLE)
    metrics, kib = window.close(), (memory_bytes(server) - before) / 1024
    crowd.check()
    connect = {f"cpu_{tree}_per_join_ms": metrics[f"cpu_{tree}"] / load.clients * 1e3 for tree in crowd.job.trees}
    return metrics | connect | {"kib_per_connection": kib / load.clients, "base_mib": before / 2**20}


SHAPES: Final[Mapping[Shape, Callable[[Crowd], Awaitable[Metrics]]]] = {
    "closed": closed,
    "open": open_loop,
    "presence": presence,
    "join": join,
    "idle": idle,
}


async def run(job: Job) -> Metrics:
    """Carry a job out; raises Refused if the server does not play along."""
    crowd = Crowd(job)
    try:
        return await SHAPES[job.load.shape](crowd)
    finally:
        crowd.leave()
        await asyncio.sleep(0.05)


def main() -> int:
    """Entry of `python -m bench.load`."""
    job = Job.load_from(json.load(sys.stdin))
    if job.core is not None:
        os.sched_setaffinity(0, {job.core})
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.disable()  # bounded runs; a collection would look like latency of the server
    try:
        numbers = uvloop.run(run(job))
        answer: dict[str, float | str] = {name: value for name, value in numbers.items() if not math.isnan(value)}
    except (Refused, TimeoutError, OSError) as error:
        answer = {"error": str(error) or type(error).__name__}
    json.dump(answer, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
