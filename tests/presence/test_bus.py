"""What every bus promises, on the one in memory and on a real Valkey."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from presence.bus import Bus, open_bus
from presence.events import AccessRevoked, Event, Grew, NodeGone, PresenceSpread, RoleChanged
from presence.memory_bus import MemoryBroker
from studio.roles import Role
from tests.presence.deadline import until


@asynccontextmanager
async def memory_pair(_: str) -> AsyncIterator[tuple[Bus, Bus]]:
    broker = MemoryBroker()
    yield broker.bus(), broker.bus()


@asynccontextmanager
async def redis_pair(url: str) -> AsyncIterator[tuple[Bus, Bus]]:
    async with open_bus(url) as one, open_bus(url) as two:
        await until(lambda: one.healthy and two.healthy)
        yield one, two


@pytest.fixture(params=[memory_pair, redis_pair], ids=["memory", "valkey"])
async def pair(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[tuple[Bus, Bus]]:
    """Two nodes on one bus."""
    async with request.param(redis_url) as both:
        yield both


class TestEveryBus:
    """The contract: the same assertions on each implementation."""

    async def test_an_event_reaches_every_subscriber_as_it_was(self, pair: tuple[Bus, Bus]) -> None:
        """The other node and the publisher itself hear an equal event, in the order of publishing."""
        one, two = pair
        project = uuid4()
        first: list[Event] = []
        second: list[Event] = []
        await one.subscribe(project, first.append)
        await two.subscribe(project, second.append)
        events = [Grew(project, 1, seq, bytes([seq]) * 300) for seq in range(100)]
        for event in events:
            one.publish(event)
        await until(lambda: len(first) == len(second) == 100)
        assert first == second == events

    async def test_only_the_subscribed_project_is_heard(self, pair: tuple[Bus, Bus]) -> None:
        """Another project's events do not arrive, neither do events after unsubscribing."""
        one, two = pair
        mine, other = uuid4(), uuid4()
        heard: list[Event] = []
        await two.subscribe(mine, heard.append)
        one.publish(AccessRevoked(other, uuid4()))
        one.publish(AccessRevoked(mine, mine))
        await until(lambda: len(heard) == 1)
        await two.unsubscribe(mine)
        witness: list[Event] = []
        await two.subscribe(other, witness.append)
        one.publish(AccessRevoked(mine, other))
        one.publish(AccessRevoked(other, mine))
        await until(lambda: len(witness) == 1)
        assert heard == [AccessRevoked(mine, mine)]

    async def test_a_second_handler_replaces_the_first(self, pair: tuple[Bus, Bus]) -> None:
        """A room that is opened again hears events, the closed one no more."""
        one, _ = pair
        project = uuid4()
        old: list[Event] = []
        new: list[Event] = []
        await one.subscribe(project, old.append)
        await one.unsubscribe(project)
        await one.subscribe(project, new.append)
        one.publish(RoleChanged(project, project, Role.VIEWER))
        await until(lambda: len(new) == 1)
        assert old == []

    async def test_a_node_that_goes_is_heard_in_every_project_once(self, pair: tuple[Bus, Bus]) -> None:
        """Each distinct handler gets one `NodeGone`, however many projects it stands for."""
        one, two = pair
        shared: list[Event] = []
        own: list[Event] = []
        hear = shared.append
        for _ in range(3):
            await two.subscribe(uuid4(), hear)
        await two.subscribe(uuid4(), own.append)
        gone = NodeGone(uuid4())
        one.publish(gone)
        await until(lambda: len(own) == 1 and bool(shared))
        assert shared == [gone]

    async def test_a_failing_handler_is_logged_and_harms_nobody(
        self, pair: tuple[Bus, Bus], caplog: pytest.LogCaptureFixture
    ) -> None:
        """The next event and the other project's handler are served; what happened stands in the log."""
        one, two = pair
        broken, sound = uuid4(), uuid4()
        heard: list[Event] = []
        calls = 0

        def fail(event: Event) -> None:
            nonlocal calls
            calls += 1
            raise BaseException("even what is no Exception")

        await two.subscribe(broken, fail)
        await two.subscribe(sound, heard.append)
        with caplog.at_level(logging.ERROR):
            for _ in range(3):
                one.publish(AccessRevoked(broken, broken))
            one.publish(AccessRevoked(sound, sound))
            await until(lambda: len(heard) == 1 and calls == 3)
        assert caplog.messages.count("a bus handler failed") == 3

    async def test_many_rooms_subscribe_at_once(self, pair: tuple[Bus, Bus]) -> None:
        """Two hundred rooms opening together all hear what is published right after."""
        one, two = pair
        heard: dict[UUID, list[Event]] = {uuid4(): [] for _ in range(200)}
        await asyncio.gather(*(two.subscribe(project, events.append) for project, events in heard.items()))
        for project in heard:
            one.publish(AccessRevoked(project, project))
        await until(lambda: all(len(events) == 1 for events in heard.values()))

    async def test_nothing_was_missed(self, pair: tuple[Bus, Bus]) -> None:
        """On a bus that was never away there is no gap, nothing waits and nothing was dropped."""
        one, two = pair
        gaps: list[None] = []
        two.on_gap(lambda: gaps.append(None))
        project, heard = uuid4(), list[Event]()
        await two.subscribe(project, heard.append)
        one.publish(PresenceSpread(project, uuid4(), b"p"))
        await until(lambda: len(heard) == 1)
        await until(lambda: one.queued == 0)
        assert (gaps, one.dropped, one.healthy, two.healthy) == ([], 0, True, True)
