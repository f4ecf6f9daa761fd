"""Clients of every provider that people have, on one server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from launch.app import App
from studio.roles import Role
from tests.collab_server.peer import until
from tests.collab_server.world import User, World
from tests.provider_peer.peer import Client, Clients, State, running

Y_WEBSOCKET = ("y-websocket-1", "y-websocket-2", "y-websocket-3", "y-websocket-4")
HOCUSPOCUS = ("hocuspocus-2", "hocuspocus-3", "hocuspocus-4")
KINDS = (*Y_WEBSOCKET, *HOCUSPOCUS)


@pytest.fixture(scope="module")
async def node() -> AsyncIterator[Clients]:
    async with running() as clients:
        yield clients


class Studio:
    """Opens clients of every kind on one server."""

    def __init__(self, world: World, node: Clients, app: App) -> None:
        self._world, self._node, self._app = world, node, app
        self.made: list[Client] = []

    async def open(self, kind: str, project: UUID, user: User, role: Role = Role.EDITOR, **options: Any) -> Client:
        """A client that is on its way in."""
        url = f"{self._app.ws}/hocuspocus" if kind in HOCUSPOCUS else f"{self._app.ws}/y"
        params = {"token": self._world.ticket(project, user, role)}
        self.made.append(await self._node.open(url, str(project), params, kind=kind, **options))
        return self.made[-1]

    async def join(self, kind: str, project: UUID, user: User, **options: Any) -> Client:
        """A client that has everything."""
        opened = await self.open(kind, project, user, **options)
        await until(when(opened, lambda state: state.synced), f"{kind} synced")
        return opened


@pytest.fixture
async def studio(world: World, node: Clients, collab: App) -> AsyncIterator[Studio]:
    made = Studio(world, node, collab)
    yield made
    for client in made.made:
        await client.close()


def when(client: Client, true: Callable[[State], object]) -> Callable[[], Awaitable[object]]:
    """A condition on what a provider knows of itself."""

    async def asked() -> object:
        return true(await client.state())

    return asked
