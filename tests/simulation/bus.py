"""The simulated bus: a broker and every process' end of it, with the promises of presence.bus and no other.

Events of one publisher and project keep their order; what is published or heard while a line is down is lost to that
line, and the gap callback follows its return; a batch whose answer was lost is sent again. In rough weather rows and
presence are also told twice, or late and out of order.
"""

import asyncio
import random
from uuid import UUID

from presence.dispatch import Dispatch, Gap, Handler
from presence.events import Event, Grew, PresenceSpread, decode
from presence.pending import Entry, Pending
from tests.simulation.loop import Host, Loop

QUEUE_EVENTS = 12
BATCH_EVENTS = 8
SUBSCRIBE_SECONDS_MAX = 2.0


class Broker:
    """The server. `latency` is that of each way; `rough`: rows and presence may be repeated and overtaken."""

    latency = (0.0002, 0.003)
    rough = 0.0

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.ends: list[End] = []

    def join(self, host: Host) -> "End":
        """A process connects."""
        end = End(self, host)
        self.ends.append(end)
        return end

    def spread(self, entry: Entry) -> None:
        """To everybody who has subscribed by now."""
        for end in self.ends:
            end.offer(entry)

    def restart(self, seconds: float) -> None:
        """Everybody's line is cut; each comes back in its own time."""
        for end in self.ends:
            end.cut(seconds * end.rng.uniform(0.5, 1.5))


class End:
    """A presence.bus.Bus: one process' end."""

    def __init__(self, broker: Broker, host: Host) -> None:
        self._broker = broker
        self.host = host
        self.rng = random.Random(host.rng.random())
        self._dispatch = Dispatch()
        self._pending = Pending(QUEUE_EVENTS, 1 << 20)
        self._batch: list[Entry] = []
        self._flushing = False
        self._heard_until = 0.0
        self._channels: set[str] = set()
        self._generation = 0
        self.healthy = True
        self.healthy_since = broker.loop.time()

    # ------------------------------------------------------------------ presence.bus.Bus

    @property
    def queued(self) -> int:
        return len(self._pending) + len(self._batch)

    @property
    def dropped(self) -> int:
        return self._pending.dropped

    def publish(self, event: Event) -> None:
        self._pending.put(event)
        self._flush()

    async def subscribe(self, project_id: UUID, handler: Handler) -> None:
        self._dispatch.add(project_id, handler)
        if self.healthy:
            generation = self._generation
            await self._broker.loop.pause(min(self._latency(), SUBSCRIBE_SECONDS_MAX))
            if generation == self._generation:
                self._channels = set(self._dispatch.channels())
            await self._broker.loop.pause(min(self._latency(), SUBSCRIBE_SECONDS_MAX))

    async def unsubscribe(self, project_id: UUID) -> None:
        self._dispatch.remove(project_id)
        await self._broker.loop.pause(self._latency())

    def on_gap(self, callback: Gap) -> None:
        self._dispatch.on_gap(callback)

    # ------------------------------------------------------------------ the line

    def cut(self, seconds: float) -> None:
        """The line is lost, and comes back after so long."""
        self._generation += 1
        self.healthy = False
        self._channels = set()
        loop = self._broker.loop
        loop.call_at(loop.time() + seconds, self._mend, self._generation)

    def _mend(self, generation: int) -> None:
        if generation != self._generation or self.host.dead:
            return
        self.healthy = True
        self.healthy_since = self._broker.loop.time()
        self._channels = set(self._dispatch.channels())
        self._later(self._dispatch.gap)
        self._flush()

    def offer(self, entry: Entry) -> None:
        """The broker has something for the channel's subscribers."""
        if self.host.dead or not self.healthy or entry.channel not in self._channels | {"backline:all"}:
            return
        event = decode(entry.data)
        if isinstance(event, Grew | PresenceSpread) and self.rng.random() < self._broker.rough:
            at = self._broker.loop.time() + self.rng.uniform(0.0, 0.4)
            self.host.at(at, self._deliver, self._generation, event)
            if self.rng.random() < 0.5:
                return  # overtaken; otherwise also in its turn
        self._later(self._deliver, self._generation, event)

    def _later(self, callback: "asyncio.Future[None] | object", *args: object) -> None:
        """In order behind what is under way to this process."""
        self._heard_until = max(self._heard_until + 1e-6, self._broker.loop.time() + self._latency())
        self.host.at(self._heard_until, callback, *args)  # type: ignore[arg-type]

    def _deliver(self, generation: int, event: Event) -> None:
        if generation == self._generation:
            self._dispatch.deliver(event)

    def _flush(self) -> None:
        if not self.healthy or self._flushing or self.host.dead:
            return
        self._batch = self._batch or self._pending.take(BATCH_EVENTS)
        if self._batch:
            self._flushing = True
            loop = self._broker.loop
            loop.call_at(loop.time() + self._latency(), self._arrive, self._generation)

    def _arrive(self, generation: int) -> None:
        """At the broker; the answer may be lost with the line, and then the batch is sent again."""
        self._flushing = False
        if generation == self._generation or self.rng.random() < 0.3:
            for entry in self._batch:
                self._broker.spread(entry)
        if generation == self._generation:
            self._batch = []
        if not self.host.dead:
            self._flush()

    def _latency(self) -> float:
        return self.rng.uniform(*self._broker.latency)
