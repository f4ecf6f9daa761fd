"""The app as a value: `running(settings)` opens what it needs and closes it again; nothing happens at import."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from types import MappingProxyType
from typing import Any, Final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from redis.asyncio import Redis

from api import errors, health, pages
from api.body_limit import LimitedApp
from api.drafts import Drafts
from api.headers import GuardedApp
from api.limits import REDIS_SECONDS_MAX, AccountLimit, Counter, GuestLimit, RedisCounter
from api.metrics import MeasuredApp, Metrics
from api.services import Services
from api.settings import Settings
from api.shapes import Refusal
from api.studio import (
    changes,
    differences,
    document,
    export,
    guests,
    history,
    invites,
    locks,
    markers,
    me,
    members,
    moments,
    notes,
    options,
    projects,
    sessions,
    snapshots,
    tickets,
    trash,
    voice,
    voice_webhooks,
)
from api.voice import open_voice
from persistence.pool import open_pool
from presence.bus import open_bus

# Routes are tried in order: what is called most stands first.
RESOURCES: Final = (
    tickets,
    document,
    projects,
    me,
    guests,
    markers,
    notes,
    locks,
    members,
    options,
    invites,
    export,
    snapshots,
    history,
    moments,
    differences,
    changes,
    trash,
    sessions,
    voice,
    voice_webhooks,
    health,
)
REFUSALS: Final[Mapping[int | str, dict[str, Any]]] = MappingProxyType(
    {
        "4XX": {"model": Refusal, "description": "Refused."},
        "503": {"model": Refusal, "description": "Something it depends on cannot be reached."},
    }
)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[FastAPI]:
    """The app with its pool and bus open. Raises what asyncpg raises when the database is not there."""
    async with AsyncExitStack() as stack:
        database = settings.database
        pool = await open_pool(
            database.url,
            database.connections_min,
            database.connections_max,
            connect_timeout=database.connect_timeout_seconds,
            command_timeout=database.command_timeout_seconds,
        )
        stack.push_async_callback(_ended, pool.close, settings.api.shutdown_seconds_max)
        ringing = await stack.enter_async_context(AsyncExitStack())
        bus = await ringing.enter_async_context(open_bus(settings.bus))
        stack.push_async_callback(_ended, ringing.aclose, settings.api.shutdown_seconds_max)
        counter = await stack.enter_async_context(_counter(settings.bus.url))
        limits = (
            AccountLimit(counter, "made", settings.api.made_per_hour_max),
            AccountLimit(counter, "heavy", settings.api.heavy_per_hour_max),
        )
        guests = GuestLimit(counter, settings.api.guests_per_hour_max)
        speaking = await stack.enter_async_context(open_voice(settings.voice, pool))
        yield create_app(Services(settings, pool, bus, guests, Metrics(), speaking, Drafts(), *limits))


async def _ended(close: Callable[[], Awaitable[object]], seconds_max: float) -> None:
    """Waits for what is under way, but not for ever: told to stop waiting, the pool and the bus cut off the rest."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds_max):
            await close()


@asynccontextmanager
async def _counter(url: str) -> AsyncIterator[Counter]:
    redis: Redis = Redis.from_url(
        url, socket_timeout=REDIS_SECONDS_MAX, socket_connect_timeout=REDIS_SECONDS_MAX, max_connections=4
    )
    async with redis:
        yield RedisCounter(redis)


def create_app(services: Services) -> FastAPI:
    """The routes on what they need."""
    app = FastAPI(
        title="Backline",
        description="Projects, members and documents of a browser music studio.",
        version="1",
        openapi_url="/api/openapi.json",
        docs_url=None,  # `pages` serves it from the build: FastAPI's own loads its reader from another host
        redoc_url=None,
        generate_unique_id_function=_operation,
        responses=dict(REFUSALS),
        redirect_slashes=False,
    )
    app.state.services = services
    errors.install(app)
    for resource in RESOURCES:
        app.include_router(resource.router)
    app.router.routes.extend(pages.routes())
    app.add_middleware(LimitedApp, bytes_max=services.settings.api.body_bytes_max)
    app.add_middleware(GuardedApp, https=services.settings.api.public_url.startswith("https://"))
    app.add_middleware(MeasuredApp, metrics=services.metrics)
    return app


def _operation(route: APIRoute) -> str:
    return route.name
