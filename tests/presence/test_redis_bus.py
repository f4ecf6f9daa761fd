"""What only a network can do to the bus: nothing blocks, every gap is told, and it mends itself."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from launch.valkey import EmbeddedValkey
from presence.bus import Bus, open_bus
from presence.dispatch import PROJECT_PREFIX
from presence.errors import BadBusUrl
from presence.events import AccessRevoked, Event, Grew, PresenceSpread, encode
from presence.settings import BusSettings
from tests.faults.chaos import chaos
from tests.presence.deadline import until


@pytest.fixture
def valkey(scratch: Path) -> Iterator[EmbeddedValkey]:
    """A Valkey of this test alone, to be killed."""
    with EmbeddedValkey(scratch / f"bus-{uuid4().hex[:8]}") as server:
        yield server


def quick(url: str, **told: int) -> BusSettings:
    """Reconnects at once, so that a test of outages is short."""
    times = {"retry_first_seconds": 0.01, "retry_max_seconds": 0.05, "ping_seconds": 0.3, "socket_timeout_seconds": 0.5}
    return BusSettings.model_validate({"url": url, **times, **told})


class Node:
    """One node with one open project: what it heard, and how often it had to resync."""

    def __init__(self, bus: Bus, project: UUID) -> None:
        self.bus = bus
        self.project = project
        self.heard: list[Event] = []
        self.gaps = 0
        bus.on_gap(self._gap)

    def _gap(self) -> None:
        self.gaps += 1

    async def open(self) -> None:
        await self.bus.subscribe(self.project, self.heard.append)

    def grow(self, seq: int) -> Grew:
        event = Grew(self.project, 1, seq, b"body")
        self.bus.publish(event)
        return event


@pytest.fixture
async def nodes(valkey: EmbeddedValkey) -> AsyncIterator[tuple[Node, Node]]:
    """Two nodes that have the same project open."""
    project = uuid4()
    async with open_bus(quick(valkey.url)) as one, open_bus(quick(valkey.url)) as two:
        both = Node(one, project), Node(two, project)
        await until(lambda: one.healthy and two.healthy)
        for node in both:
            await node.open()
        yield both


def kill(valkey: EmbeddedValkey) -> None:
    pid = valkey.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


async def test_it_survives_kill_9_of_the_server(valkey: EmbeddedValkey, nodes: tuple[Node, Node]) -> None:
    """Both nodes see the outage and the gap, and what was published meanwhile arrives after it; three times over."""
    one, two = nodes
    for round_ in range(1, 4):
        kill(valkey)
        await until(lambda: not one.bus.healthy and not two.bus.healthy)
        meanwhile = one.grow(round_)
        await asyncio.to_thread(valkey.ensure)
        await until(lambda round_=round_: one.gaps == two.gaps == round_)  # type: ignore[misc]
        await until(lambda: one.bus.healthy and two.bus.healthy and one.bus.queued == 0)
        after = two.grow(100 + round_)
        await until(lambda after=after: after in one.heard and after in two.heard)  # type: ignore[misc]
        assert isinstance(meanwhile, Grew)
        assert (one.bus.dropped, two.bus.dropped) == (0, 0)


async def test_the_gap_is_told_when_everything_is_subscribed_again(valkey: EmbeddedValkey) -> None:
    """An event published the moment the gap is told reaches every one of the rooms."""
    rooms = [uuid4() for _ in range(50)]
    heard: set[UUID] = set()

    def hear(event: Event) -> None:
        assert isinstance(event, AccessRevoked)
        heard.add(event.project_id)

    def tell_all() -> None:
        for room in rooms:
            bus.publish(AccessRevoked(room, room))

    async with open_bus(quick(valkey.url)) as bus:
        bus.on_gap(tell_all)
        await until(lambda: bus.healthy)
        for room in rooms:
            await bus.subscribe(room, hear)
        kill(valkey)
        await until(lambda: not bus.healthy)
        await asyncio.to_thread(valkey.ensure)
        await until(lambda: heard == set(rooms))


@pytest.mark.parametrize("kind", ["pubsub", "normal"])
async def test_either_connection_may_be_cut(valkey: EmbeddedValkey, nodes: tuple[Node, Node], kind: str) -> None:
    """A cut listener is a gap; a cut publisher sends again what it could not; afterwards both hear everything."""
    one, two = nodes
    async with Redis.from_url(valkey.url) as admin:
        await admin.client_kill_filter(_type=kind, skipme=True)
    if kind == "pubsub":
        await until(lambda: one.gaps == two.gaps == 1)
    events = [one.grow(seq) for seq in range(20)]
    await until(lambda: set(events) <= set(one.heard) and set(events) <= set(two.heard))
    assert (one.gaps, two.gaps) == ((1, 1) if kind == "pubsub" else (0, 0))


async def test_whoever_waits_for_a_subscription_goes_on_when_the_line_breaks(valkey: EmbeddedValkey) -> None:
    """A room that opens just then is not held up for the patience there is with a slow server."""
    pid = valkey.pid
    assert pid is not None
    async with open_bus(quick(valkey.url, subscribe_timeout_seconds=60)) as bus:
        await until(lambda: bus.healthy)
        os.kill(pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(10):
                await bus.subscribe(uuid4(), lambda _: None)
            assert not bus.healthy
        finally:
            os.kill(pid, signal.SIGCONT)


async def test_a_server_that_says_nothing_is_away(valkey: EmbeddedValkey, nodes: tuple[Node, Node]) -> None:
    """A stopped server, whose connections stay open, is noticed; when it goes on, so does the bus, with a gap."""
    one, two = nodes
    pid = valkey.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        await until(lambda: not one.bus.healthy and not two.bus.healthy)
    finally:
        os.kill(pid, signal.SIGCONT)
    await until(lambda: one.gaps >= 1 and two.gaps >= 1 and one.bus.healthy and two.bus.healthy)
    event = one.grow(7)
    await until(lambda: event in one.heard and event in two.heard)


@pytest.mark.parametrize("cut", [True, False])
async def test_it_comes_back_from_every_silence(valkey: EmbeddedValkey, cut: bool) -> None:
    """The line swallows everything while connections are given up and made anew, and ends with or without a word."""
    upstream = Path(urlsplit(valkey.url).path)
    async with chaos(upstream, random.Random(3)) as line, open_bus(quick(f"redis://127.0.0.1:{line.port}")) as bus:
        for pause in (0.0, 0.3, 0.7, 1.3):
            await until(lambda: bus.healthy)
            line.stall()
            await until(lambda: not bus.healthy)
            await asyncio.sleep(pause)  # into another moment of the next attempt
            if cut:
                line.cut()
            line.resume()
        await until(lambda: bus.healthy)


async def test_publishing_never_waits_for_a_bus_that_is_away(valkey: EmbeddedValkey) -> None:
    """Thousands of events while the server is down take no time, a bounded memory, and are counted when dropped."""
    project = uuid4()
    async with open_bus(quick(valkey.url, queue_events_max=100, queue_bytes_max=1_000_000)) as bus:
        node = Node(bus, project)
        await until(lambda: bus.healthy)
        await node.open()
        kill(valkey)
        await until(lambda: not bus.healthy)
        loop = asyncio.get_running_loop()
        before = loop.time()
        for seq in range(5000):
            node.grow(seq)
            bus.publish(PresenceSpread(project, project, b"p"))
        assert loop.time() - before < 2
        assert 9000 < bus.dropped < 10_000
        assert bus.queued <= 100 + 100 + 1 + 64
        await asyncio.to_thread(valkey.ensure)
        await until(lambda: node.gaps == 1 and bus.queued == 0)
        event = node.grow(5000)
        await until(lambda: event in node.heard)


async def test_subscribing_while_the_bus_is_away_returns_and_is_made_up_for(valkey: EmbeddedValkey) -> None:
    """A room opened during an outage opens at once; the gap after it makes the room resync, and it hears."""
    async with open_bus(quick(valkey.url)) as bus:
        await until(lambda: bus.healthy)
        kill(valkey)
        await until(lambda: not bus.healthy)
        node = Node(bus, uuid4())
        async with asyncio.timeout(2):
            await node.open()
        await asyncio.to_thread(valkey.ensure)
        await until(lambda: node.gaps == 1 and bus.healthy)
        event = node.grow(1)
        await until(lambda: event in node.heard)


async def test_it_opens_and_closes_without_a_server(tmp_path: Path) -> None:
    """Neither opening, subscribing, publishing nor closing raises or hangs when nobody listens at the address."""
    async with asyncio.timeout(5), open_bus(quick(f"unix://{tmp_path}/nobody.sock")) as bus:
        node = Node(bus, uuid4())
        await node.open()
        node.grow(1)
        assert not bus.healthy
        await bus.unsubscribe(node.project)


async def test_leaving_sends_what_is_queued(nodes: tuple[Node, Node], valkey: EmbeddedValkey) -> None:
    """A node that says goodbye and closes at once is still heard."""
    _, two = nodes
    async with open_bus(quick(valkey.url)) as leaving:
        for seq in range(500):
            leaving.publish(Grew(two.project, 1, seq, b""))
    await until(lambda: len(two.heard) == 500)


async def test_bytes_that_are_no_event_are_passed_over(valkey: EmbeddedValkey, nodes: tuple[Node, Node]) -> None:
    """Another version's or anybody's bytes on the channel do not stop the listener."""
    one, _ = nodes
    channel = f"{PROJECT_PREFIX}{one.project}"
    good = AccessRevoked(one.project, one.project)
    async with Redis.from_url(valkey.url) as stranger:
        for data in (b"", b"junk", b"\x02{}\n", encode(good)):
            await stranger.publish(channel, data)
    await until(lambda: bool(one.heard))
    assert one.heard == [good]
    assert one.gaps == 0


async def test_rooms_come_and_go_while_events_fly(nodes: tuple[Node, Node]) -> None:
    """Opening and closing the same rooms in a hurry ends with every open room hearing, and the bus healthy."""
    one, two = nodes
    rooms = {uuid4(): list[Event]() for _ in range(10)}

    async def churn(room: UUID, heard: list[Event]) -> None:
        for turn in range(20):
            await one.bus.subscribe(room, heard.append)
            two.bus.publish(Grew(room, 1, turn, b""))
            await one.bus.unsubscribe(room)
        await one.bus.subscribe(room, heard.append)
        two.bus.publish(Grew(room, 1, 99, b""))

    await asyncio.gather(*(churn(room, heard) for room, heard in rooms.items()))
    await until(lambda: all(Grew(room, 1, 99, b"") in heard for room, heard in rooms.items()))
    assert one.bus.healthy


async def test_an_unknown_kind_of_bus_is_refused() -> None:
    """The address's scheme decides, and an unknown one is told by name."""
    with pytest.raises(BadBusUrl, match="amqp"):
        async with open_bus("amqp://localhost"):
            pass
