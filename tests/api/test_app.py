"""The app as a value: what it opens it closes."""

import asyncio

import asyncpg
import pytest

from api.app import running
from api.services import Services
from api.settings import Settings
from tests.api.people import client_of


async def test_a_stuck_statement_does_not_keep_it_from_stopping(settings: Settings) -> None:
    """A connection that never comes back is cut off after the time for it."""
    hasty = settings.model_copy(update={"api": settings.api.model_copy(update={"shutdown_seconds_max": 1})})
    async with asyncio.timeout(8):
        async with running(hasty) as app:
            services = app.state.services
            assert isinstance(services, Services)
            await services.pool.acquire()
    with pytest.raises(asyncpg.InterfaceError):
        await services.pool.acquire()


async def test_two_apps_stand_beside_each_other(settings: Settings) -> None:
    """Nothing is shared by being imported: each has its own metrics."""
    async with running(settings) as one, running(settings) as two, client_of(one) as http, client_of(two) as other:
        await http.get("/live")
        assert 'route="/live"' in (await http.get("/metrics")).text
        assert 'route="/live"' not in (await other.get("/metrics")).text
