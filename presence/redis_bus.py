"""The bus on Redis or Valkey pub/sub: one connection that listens, one that publishes, each mended on its own."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from presence.dispatch import PROJECT_PREFIX, Dispatch, Gap, Handler
from presence.events import Event
from presence.redis_listener import AWAY, CANCEL_SECONDS, Listener
from presence.redis_publisher import Publisher
from presence.settings import BusSettings

log = logging.getLogger(__name__)


class RedisBus:
    """See `presence.bus.Bus`. An async context manager; the server need not be there yet."""

    def __init__(self, settings: BusSettings) -> None:
        self._settings = settings
        self._client = Redis.from_url(
            settings.url,
            retry=Retry(NoBackoff(), 1),
            socket_timeout=settings.socket_timeout_seconds,
            socket_connect_timeout=settings.socket_timeout_seconds,
        )
        self._dispatch = Dispatch()
        self._ears = Listener(self._client, self._dispatch, settings)
        self._mouth = Publisher(self._client, settings)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(_for_ever(self._ears.listen, self._ears.lost, self._settings), name="bus listener"),
            asyncio.create_task(_for_ever(self._mouth.send, self._mouth.lost, self._settings), name="bus publisher"),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.socket_timeout_seconds):
                await self._mouth.emptied()
        pending = set(self._tasks)
        while pending:  # redis-py swallows a cancellation that comes while it connects
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=CANCEL_SECONDS)
        await self._client.aclose()

    @property
    def healthy(self) -> bool:
        return self._ears.healthy and self._mouth.healthy

    @property
    def queued(self) -> int:
        return self._mouth.queued

    @property
    def dropped(self) -> int:
        return self._mouth.dropped

    def publish(self, event: Event) -> None:
        self._mouth.put(event)

    async def subscribe(self, project_id: UUID, handler: Handler) -> None:
        self._dispatch.add(project_id, handler)
        await self._ears.subscribe(f"{PROJECT_PREFIX}{project_id}")

    async def unsubscribe(self, project_id: UUID) -> None:
        self._dispatch.remove(project_id)
        await self._ears.unsubscribe(f"{PROJECT_PREFIX}{project_id}")

    def on_gap(self, callback: Gap) -> None:
        self._dispatch.on_gap(callback)


async def _for_ever(
    life: Callable[[], Coroutine[Any, Any, None]], lost: Callable[[], None], settings: BusSettings
) -> None:
    """Runs one connection after another; the pause doubles while they fail at once."""
    loop = asyncio.get_running_loop()
    pause = settings.retry_first_seconds
    while True:
        began = loop.time()
        try:
            await life()
        except AWAY as error:
            log.warning("the bus is away", extra={"error": str(error) or type(error).__name__})
        except Exception:
            log.exception("the bus connection failed in a way nobody thought of")
        lost()
        lasted = loop.time() - began > settings.retry_max_seconds
        pause = settings.retry_first_seconds if lasted else min(pause * 2, settings.retry_max_seconds)
        await asyncio.sleep(pause)
