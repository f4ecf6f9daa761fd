"""Tests of a room in which nobody says anything: those who listen are spoken to, and whoever is gone is let go."""

import asyncio
from uuid import UUID

import pytest
from websockets.asyncio.client import ClientConnection, connect

from collab_server import wire
from collab_server.join_state import EMPTY_VECTOR
from launch.app import App
from tests.collab_server.peer import until
from tests.collab_server.world import User, World, metric

SECONDS = 2.0
GONE_SECONDS = 20.0


@pytest.fixture(scope="module")
def app_environment(app_environment: dict[str, str]) -> dict[str, str]:
    """A server that is quick to speak and quick to doubt."""
    return {**app_environment, "COLLAB__KEEPALIVE_SECONDS": str(SECONDS), "COLLAB__PING_SECONDS": str(SECONDS)}


async def listener(world: World, collab: App, project: UUID, user: User) -> ClientConnection:
    """A websocket that has asked for the document and will say no more."""
    opened = await connect(world.url(collab, project, user), ping_interval=None, close_timeout=1)
    await opened.send(wire.encode_step1(EMPTY_VECTOR))
    kinds: set[wire.Kind] = set()
    while wire.Kind.STEP2 not in kinds:
        message = await opened.recv()
        assert isinstance(message, bytes)
        kinds.add(wire.read_message(message)[0])
    return opened


async def test_whoever_listens_is_spoken_to(world: World, collab: App, project: UUID, ada: User) -> None:
    """A client's watchdog hears something again and again, though nobody in the room does anything."""
    async with await listener(world, collab, project, ada) as ada_hears:
        for _ in range(3):
            message = await asyncio.wait_for(ada_hears.recv(), 2 * SECONDS)
            assert isinstance(message, bytes)
            assert wire.read_message(message)[0] is wire.Kind.AWARENESS


async def test_whoever_never_answers_is_let_go_and_the_others_stay(
    world: World, collab: App, project: UUID, ada: User
) -> None:
    """A line that died without a word is found by the pings that nobody answers."""
    bob = await world.member(project)
    before = await metric(collab, "backline_connections")
    async with await listener(world, collab, project, ada) as stays:
        ghost = await listener(world, collab, project, bob)
        ghost.transport.pause_reading()

        async def are_here(number: int) -> bool:
            return await metric(collab, "backline_connections") == before + number

        assert await are_here(2)
        await until(lambda: are_here(1), "the ghost is let go", GONE_SECONDS)
        assert isinstance(await asyncio.wait_for(stays.recv(), 2 * SECONDS), bytes)
        ghost.transport.abort()
