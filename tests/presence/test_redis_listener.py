"""The listening connection gives up a line on which nothing is heard, whatever the library is waiting for."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from launch.valkey import EmbeddedValkey
from presence.dispatch import Dispatch
from presence.redis_listener import Listener
from presence.settings import BusSettings
from tests.presence.deadline import until


class StuckPubSub(PubSub):
    """A subscription that never comes back, and swallows the first cancellation, as redis-py's own may."""

    async def subscribe(self, *args: Any, **kwargs: Any) -> None:
        """Wait for nothing."""
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()


class StuckOnce(Redis):
    """A client whose first line gets stuck."""

    lines = 0

    def pubsub(self, **kwargs: Any) -> PubSub:
        """The first is stuck, every other one is as always."""
        self.lines += 1
        return StuckPubSub(self.connection_pool) if self.lines == 1 else super().pubsub(**kwargs)


async def test_a_line_that_is_stuck_is_given_up(scratch: Path) -> None:
    """The next one is healthy, and the stuck one is gone."""
    with EmbeddedValkey(scratch / f"bus-{uuid4().hex[:8]}") as valkey:
        settings = BusSettings(url=valkey.url, ping_seconds=0.1, socket_timeout_seconds=0.2)
        client = StuckOnce.from_url(valkey.url)
        listener = Listener(client, Dispatch(), settings)
        with pytest.raises(TimeoutError, match="given up"):
            await listener.listen()
        listener.lost()
        life = asyncio.create_task(listener.listen())
        await until(lambda: listener.healthy)
        life.cancel()
        await asyncio.wait([life])
        await client.aclose()
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "bus listener's connection"]
