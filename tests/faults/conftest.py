"""People and projects in the module's own database, and a cluster of its own for what is killed and stopped."""

import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from persistence.pool import Pool, open_pool
from tests.collab_server.world import World
from tests.faults.cluster import Cluster
from tests.faults.cluster import cluster as standing_cluster


@pytest.fixture(scope="module", autouse=True)
def _undisturbed() -> Iterator[None]:
    """The clients and the lines are in this process: collecting what thousands of tests have left in its memory would
    stop them for the better part of a second, again and again."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="module")
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, 1, 6)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def world(pool: Pool, app_environment: dict[str, str]) -> World:
    return World(pool, app_environment["TICKETS__SECRET"])


@pytest.fixture(scope="session")
async def cluster(scratch: Path) -> AsyncIterator[Cluster]:
    """Two nodes on their own database and bus; whoever breaks something mends it."""
    async with standing_cluster(scratch / "cluster", 2) as standing:
        yield standing
