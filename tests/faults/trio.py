"""Three people who see each other from two nodes: is presence right while something goes wrong, and afterwards?"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

from tests.collab_server.peer import Peer, until
from tests.collab_server.world import User
from tests.faults.cluster import PRESENCE_EXPIRY_SECONDS, Cluster, Node

ROUND_SECONDS = 5
FADE_SECONDS = PRESENCE_EXPIRY_SECONDS + 2 * ROUND_SECONDS
SEEN_SECONDS = 2.0
CURSOR_SECONDS = 0.2
MOVED = 2


class Trio(NamedTuple):
    """Three people of one project who show themselves: Ada on the first node, the other two on the second."""

    ada: Peer
    bob: Peer
    carol: Peer
    cursors: dict[int, int]
    """What each shows, by client id."""
    project: UUID
    users: tuple[User, User, User]

    @property
    def peers(self) -> tuple[Peer, Peer, Peer]:
        """All three."""
        return self.ada, self.bob, self.carol


@asynccontextmanager
async def trio_of(cluster: Cluster, here: Node, there: Node) -> AsyncIterator[Trio]:
    """They leave at the end."""
    world = cluster.world
    ada = await world.user("Ada")
    project = await world.project(ada)
    bob, carol = await world.member(project, name="Bob"), await world.member(project, name="Carol")
    trio = Trio(
        await cluster.peer(here, project, ada).join(),
        await cluster.peer(there, project, bob).join(),
        await cluster.peer(there, project, carol).join(),
        {},
        project,
        (ada, bob, carol),
    )
    trio.cursors.update({peer.client: 1 for peer in trio.peers})
    showing = asyncio.create_task(_show(trio))
    await until(lambda: all_seen(*trio.peers), "everybody is seen")
    trio.bob.url = cluster.url(here, project, bob)
    yield trio
    showing.cancel()
    for peer in trio.peers:
        await peer.leave()


async def moves(trio: Trio) -> float:
    """Bob comes to Ada's node and moves his cursor; seconds until she sees it. Then Carol, who does not come, fades."""
    began = time.monotonic()
    trio.bob.drop()
    await trio.bob.join()
    trio.cursors[trio.bob.client] = MOVED
    await until(lambda: _cursor(trio.ada, trio.bob) == MOVED, "who moves over is seen", SEEN_SECONDS)
    return time.monotonic() - began


async def fades(trio: Trio) -> float:
    """Seconds until Carol is gone; Bob stays."""
    seconds = await until(lambda: trio.ada.seen(trio.carol.client) is None, "who is gone fades", FADE_SECONDS)
    assert _cursor(trio.ada, trio.bob) == MOVED
    return seconds


async def _show(trio: Trio) -> None:
    """Everybody moves the mouse all the time."""
    while True:
        for peer in trio.peers:
            peer.show(cursor=trio.cursors[peer.client])
        await asyncio.sleep(CURSOR_SECONDS)


def all_seen(*peers: Peer) -> bool:
    """Whether each sees each."""
    return all(peer.seen(other.client) for peer in peers for other in peers)


def _cursor(witness: Peer, who: Peer) -> object:
    return (witness.seen(who.client) or {}).get("cursor")
