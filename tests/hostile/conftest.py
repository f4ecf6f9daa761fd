"""People and projects in the module's own database."""

from collections.abc import AsyncIterator

import pytest

from persistence.pool import Pool, open_pool
from tests.collab_server.world import World


@pytest.fixture(scope="module")
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, 1, 6)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def world(pool: Pool, app_environment: dict[str, str]) -> World:
    return World(pool, app_environment["TICKETS__SECRET"])
