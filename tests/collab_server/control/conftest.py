"""Control clients of the module's collab server, closed after each test."""

from collections.abc import AsyncIterator, Callable
from typing import TypeAlias
from uuid import UUID

import pytest

from launch.app import App
from studio.roles import Role
from tests.collab_server.conftest import ada, make_peer, pool, project, world
from tests.collab_server.control.musician import Musician
from tests.collab_server.world import User, World

__all__ = ["ada", "make_peer", "pool", "project", "world"]

MakeMusician: TypeAlias = Callable[..., Musician]


@pytest.fixture
async def make_musician(world: World, collab: App) -> AsyncIterator[MakeMusician]:
    """make_musician(project, user, app): a control client, of the module's collab server unless another is named."""
    made: list[Musician] = []

    def make(project: UUID, user: User, app: App | None = None) -> Musician:
        url = f"{(app or collab).ws}/ctl/{project}?token={world.ticket(project, user, Role.EDITOR)}"
        made.append(Musician(url))
        return made[-1]

    yield make
    for musician in made:
        await musician.leave()
