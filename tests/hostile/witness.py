"""Two people who edit beside an attacker, and must not notice anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from pathlib import Path
from uuid import UUID

from pycrdt import Map

from launch.app import App
from tests.collab_server.peer import Peer, until
from tests.collab_server.world import User, World, metric

LAG_MAX_SECONDS = 0.25
"""The goal is 0.05; other programs share the machine of the tests."""
SECONDS_BETWEEN_EDITS = 0.02
PROVEN, EDITED = "t_proven", "t_edited"


class Witness:
    """A pair in one room; `edits` counts what was acknowledged to one and seen by the other."""

    def __init__(self, app: App, world: World, project: UUID, villain: User, pair: tuple[Peer, Peer]) -> None:
        self.app = app
        self.world = world
        self.project = project
        self.villain = villain
        self.pair = pair
        self._numbers = count()

    @property
    def url(self) -> str:
        """Where the attacker opens the same room, as an editor."""
        return self.world.url(self.app, self.project, self.villain)

    async def proves(self, track: str = PROVEN) -> None:
        """Both are still connected; an edit of each is acknowledged and seen by the other."""
        for writer, reader in (self.pair, self.pair[::-1]):
            name = f"take {next(self._numbers)}"
            writer.field("tracks", track, "name", name)
            await writer.saved()
            await until(partial(_named, reader, track, name), "seen by the other")
        assert not [peer.closed for peer in self.pair if peer.closed]

    async def agrees(self) -> None:
        """Both documents and the journal are equal."""
        a, b = self.pair
        await a.same(b)
        assert await self.world.stored(self.project) == a.json()

    async def edit_for_ever(self) -> None:
        """Edit until cancelled."""
        while True:
            await asyncio.sleep(SECONDS_BETWEEN_EDITS)
            await self.proves(EDITED)


@asynccontextmanager
async def witness(app: App, world: World) -> AsyncIterator[Witness]:
    """A room with a pair in it; they edit all the while, and must agree in the end."""
    ada = await world.user("Ada")
    project = await world.project(ada)
    bob, eve = await world.member(project), await world.member(project, name="Eve")
    pair = world.peer(app, project, ada), world.peer(app, project, bob)
    for peer in pair:
        await peer.join()
    for track in (PROVEN, EDITED):
        pair[0].track(track)
    await pair[0].saved()
    await pair[1].same(pair[0])
    found = Witness(app, world, project, eve, pair)
    async with asyncio.TaskGroup() as beside:
        editing = beside.create_task(found.edit_for_ever())
        yield found
        editing.cancel()
    await found.proves()
    await found.agrees()
    for peer in pair:
        await peer.leave()


def _named(reader: Peer, track: str, name: str) -> bool:
    field = reader.doc.get("tracks", type=Map)[track]["name"]
    return str(field) == name


async def lag_max(app: App) -> float:
    """The longest the server's event loop has stood still, in seconds."""
    return await metric(app, "backline_loop_lag_max_seconds")


def memory(app: App) -> int:
    """Resident bytes of the server."""
    assert app.process is not None
    for line in Path(f"/proc/{app.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the server is gone")
