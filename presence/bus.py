"""The doorbell between processes: what happened in a project, told to every node that has it open.

Delivery is at most once per healthy connection and may repeat after an outage; events of one publisher and project
keep their order, but for `Grew` after an overflow. The database is the truth: after a gap a node reads the journal
and the memberships again.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol
from uuid import UUID

from presence.dispatch import Gap, Handler
from presence.errors import BadBusUrl
from presence.events import Event
from presence.memory_bus import MemoryBroker
from presence.redis_bus import RedisBus
from presence.settings import BusSettings

__all__ = ["Bus", "Gap", "Handler", "open_bus"]


class Bus(Protocol):
    """One node's end of the bus. Handlers run in the event loop and must not block; a publisher hears itself."""

    @property
    def healthy(self) -> bool:
        """Whether events go out and come in at this moment."""

    @property
    def queued(self) -> int:
        """Events that wait to be sent."""

    @property
    def dropped(self) -> int:
        """Events that were not sent in their turn because too many waited, since the start."""

    def publish(self, event: Event) -> None:
        """Queues the event; never waits, never raises because the bus is away."""

    async def subscribe(self, project_id: UUID, handler: Handler) -> None:
        """Hears the project's events, and `NodeGone`, from when this returns; a second handler replaces the first.

        While the bus is away it returns at once (or after a short timeout), and `on_gap` is called when it is back.
        """

    async def unsubscribe(self, project_id: UUID) -> None:
        """The handler is not called again, from the call on."""

    def on_gap(self, callback: Gap) -> None:
        """Calls back each time events may have been missed, once everything is subscribed again."""


@asynccontextmanager
async def open_bus(settings: BusSettings | str) -> AsyncIterator[Bus]:
    """The bus of a URL: redis://, rediss:// or unix:// (Redis or Valkey); memory:// (this process alone) is for tests,
    and settings that come from an environment refuse it.

    Does not wait for the server. Leaving sends what is queued, for a moment. Raises BadBusUrl.
    """
    told = BusSettings.model_construct(url=settings) if isinstance(settings, str) else settings
    if told.url.startswith("memory://"):
        bus = MemoryBroker().bus()
        yield bus
        bus.close()
    elif told.url.startswith(("redis://", "rediss://", "unix://")):
        async with RedisBus(told) as redis:
            yield redis
    else:
        raise BadBusUrl(told.url)
