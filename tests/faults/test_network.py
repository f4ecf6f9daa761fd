"""Bad networks: whatever happens to a connection, its client comes back to the same document, and a ghost goes away."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from launch.app import App
from tests.collab_server.peer import Peer, until
from tests.collab_server.world import User, World, metric
from tests.faults.chaos import Chaos, chaos
from tests.faults.musician import Musician

SEED = 7
SECONDS_BETWEEN_EDITS = 0.02
PING_SECONDS = 5
PRESENCE_EXPIRY_SECONDS = 6
ROUND_SECONDS = 5
"""How often the server looks after connections and rooms."""


@pytest.fixture(scope="module")
async def collab(app_environment: dict[str, str], scratch: Path) -> AsyncIterator[App]:
    """A server that is quicker than usual to find a peer dead."""
    environment = {
        **app_environment,
        "COLLAB__PING_SECONDS": str(PING_SECONDS),
        "COLLAB__PRESENCE_EXPIRY_SECONDS": str(PRESENCE_EXPIRY_SECONDS),
    }
    app = App("collab_server", int(environment["COLLAB__PORT"]), environment, scratch / "collab.log")
    await app.start()
    yield app
    await app.stop()


@asynccontextmanager
async def playing(world: World, app: App, project: UUID, proxies: Sequence[Chaos]) -> AsyncIterator[list[Musician]]:
    """One musician without a proxy and one behind each, who play until the block ends; then all of them agree."""
    musicians = []
    for number, port in enumerate([app.port, *(proxy.port for proxy in proxies)]):
        user = await world.member(project)
        address = partial(_through, world, app, project, user, port)
        musicians.append(Musician(500 + number, address, random.Random(SEED + number)))
    async with asyncio.TaskGroup() as band:
        staying = [band.create_task(musician.stay()) for musician in musicians]
        play = [band.create_task(musician.play(SECONDS_BETWEEN_EDITS)) for musician in musicians]
        await until(lambda: all(m.acknowledged for m in musicians), "everybody heard an echo")
        yield musicians
        for task in play:
            task.cancel()
        await until(lambda: all(m.settled or m.refused for m in musicians), "everybody saved", 30)
        assert not [m.refused for m in musicians if m.refused]
        await until(lambda: all(m.json() == musicians[0].json() for m in musicians), "everybody equal", 30)
        assert musicians[0].json() == await world.stored(project)
        for task in staying:
            task.cancel()


async def test_cut_connections_reconverge(world: World, collab: App) -> None:
    """Connections that are reset again and again while everybody edits: all documents are equal in the end."""
    rng = random.Random(SEED)
    project = await world.project(await world.user())
    async with chaos(collab.port, rng) as first, chaos(collab.port, rng) as second:
        first.latency_seconds = 0.02
        async with playing(world, collab, project, (first, second)) as musicians:
            for _ in range(20):
                await asyncio.sleep(rng.uniform(0.05, 0.3))
                rng.choice((first, second)).cut()
        assert sum(m.connections for m in musicians) > 10


async def test_frames_cut_in_the_middle_do_no_harm(world: World, collab: App) -> None:
    """Connections that end within a frame, in either direction: nothing half is applied, all documents are equal."""
    rng = random.Random(SEED)
    project = await world.project(await world.user())
    async with chaos(collab.port, rng) as proxy, playing(world, collab, project, (proxy,)) as musicians:
        proxy.cut_within = (500, 6_000)
        proxy.cut()
        await until(lambda: musicians[1].connections > 15, "often cut", 30)
        proxy.cut_within = None
        proxy.cut()


async def test_a_stalled_and_a_slow_line_catch_up(world: World, collab: App) -> None:
    """A line that delivers nothing for a while, and one of 20 KB/s: both catch up, and nobody else waits for them."""
    rng = random.Random(SEED)
    project = await world.project(await world.user())
    async with chaos(collab.port, rng) as stalled, chaos(collab.port, rng) as slow:
        slow.bytes_per_second = 20_000
        async with playing(world, collab, project, (stalled, slow)) as musicians:
            stalled.stall()
            before = len(musicians[0].acknowledged)
            await until(lambda: len(musicians[0].acknowledged) > before + 100, "the others are served")
            stalled.resume()
        assert musicians[1].connections == 1


async def test_a_half_open_peer_fades_and_its_room_unloads(world: World, collab: App) -> None:
    """A peer whose line died without a word: its presence goes, then its connection, and at last the room."""
    ada = await world.user("Ada")
    project = await world.project(ada)
    bob = await world.member(project)
    await until(lambda: _rooms(collab, 0), "the rooms before are gone")
    async with chaos(collab.port, random.Random(SEED)) as proxy:
        ghost = Peer(71, _through(world, collab, project, bob, proxy.port))
        witness = world.peer(collab, project, ada, client=72)
        await ghost.join()
        await witness.join()
        ghost.show(cursor=1)
        await until(lambda: witness.seen(71), "the ghost is seen while it lives")
        ghost.track("t_1", name="last words")
        await ghost.saved()
        proxy.stall()
        await until(lambda: witness.seen(71) is None, "its presence goes", PRESENCE_EXPIRY_SECONDS + 2 * ROUND_SECONDS)
        await witness.leave()
        await until(lambda: _rooms(collab, 0), "the room unloads", 4 * PING_SECONDS + 3 * ROUND_SECONDS)
        ghost.drop()
    assert await metric(collab, "backline_connections") == 0


def _through(world: World, app: App, project: UUID, user: User, port: int) -> str:
    return world.url(app, project, user).replace(str(app.port), str(port), 1)


async def _rooms(app: App, wanted: int) -> bool:
    return await metric(app, "backline_rooms") == wanted
