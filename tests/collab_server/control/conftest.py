"""Control clients of the module's collab servers, closed after each test."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeAlias
from uuid import UUID, uuid4

import pytest

from launch.app import App
from tests.collab_server.control.musician import Musician
from tests.collab_server.world import User, World

MakeMusician: TypeAlias = Callable[..., Musician]


@pytest.fixture
async def make_musician(world: World, collab: App) -> AsyncIterator[MakeMusician]:
    """make_musician(project, user, app): a control client, of the module's collab server unless another is named."""
    made: list[Musician] = []

    def make(project: UUID, user: User, app: App | None = None) -> Musician:
        made.append(Musician(f"{(app or collab).ws}/ctl/{project}?token={world.ticket(project, user)}"))
        return made[-1]

    yield make
    for musician in made:
        await musician.leave()


@pytest.fixture
async def second(app_environment: dict[str, str], scratch: Path, free_ports: Callable[[], int]) -> AsyncIterator[App]:
    """Another collab server beside `collab`."""
    port = free_ports()
    app = App("collab_server", port, {**app_environment, "COLLAB__PORT": str(port)}, scratch / f"{uuid4().hex}.log")
    await app.start()
    yield app
    await app.stop()
