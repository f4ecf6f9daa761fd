"""A pool on the module's own database, people and projects in it, and peers that are closed after each test."""

from collections.abc import AsyncIterator, Callable
from typing import TypeAlias
from uuid import UUID

import pytest

from launch.app import App
from persistence.pool import Pool, open_pool
from studio.roles import Role
from tests.collab_server.peer import Peer
from tests.collab_server.world import User, World

MakePeer: TypeAlias = Callable[..., Peer]


@pytest.fixture(scope="module")
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, 1, 6)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def world(pool: Pool, app_environment: dict[str, str]) -> World:
    return World(pool, app_environment["TICKETS__SECRET"])


@pytest.fixture
async def make_peer(world: World, collab: App) -> AsyncIterator[MakePeer]:
    """make_peer(project, user, role, client): a peer of the module's collab server."""
    made: list[Peer] = []

    def make(project: UUID, user: User, role: Role = Role.EDITOR, client: int = 0) -> Peer:
        made.append(world.peer(collab, project, user, role, client))
        return made[-1]

    yield make
    for peer in made:
        await peer.leave()


@pytest.fixture
async def ada(world: World) -> User:
    return await world.user("Ada")


@pytest.fixture
async def project(world: World, ada: User) -> UUID:
    """A blank project of Ada's."""
    return await world.project(ada)
