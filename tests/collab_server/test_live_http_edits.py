"""Tests of edits by the HTTP app that reach the real server: rung for, not rung for, and a restore."""

import asyncio
import time
from typing import Any
from uuid import UUID

from pycrdt import Doc

from persistence.editing import edit
from presence.bus import open_bus
from presence.events import Grew
from studio.edits import add_marker, restore
from tests.collab_server.conftest import MakePeer
from tests.collab_server.peer import until
from tests.collab_server.world import User, World


async def test_an_edit_over_http_reaches_open_sockets(
    world: World, project: UUID, ada: User, redis_url: str, make_peer: MakePeer
) -> None:
    """What the HTTP app commits and rings for is on everybody's screen, once, and can be built upon."""
    a = await make_peer(project, ada).join()
    a.track("t_1")
    await a.saved()
    async with open_bus(redis_url) as bus:
        for number in range(3):
            bus.publish(await _marked(world, project, ada, number))
        await until(lambda: len(a.json()["markers"]) == 3)
    a.field("markers", "m_1", "label", "mine")
    await a.saved()
    assert await world.stored(project) == a.json()


async def test_a_row_nobody_rang_for_is_found_with_the_next(
    world: World, project: UUID, ada: User, redis_url: str, make_peer: MakePeer
) -> None:
    """A lost message shows as a gap in the numbers: the node reads the journal and misses nothing."""
    a = await make_peer(project, ada).join()

    await _marked(world, project, ada, 1)
    await _marked(world, project, ada, 2)
    async with open_bus(redis_url) as bus:
        bus.publish(await _marked(world, project, ada, 3))
        await until(lambda: len(a.json()["markers"]) == 3)
    await _marked(world, project, ada, 4)
    a.track("t_1")
    await a.saved()
    await until(lambda: len(a.json()["markers"]) == 4, "found by the node's own next commit")
    assert await world.stored(project) == a.json()


async def test_s15_a_restore_beside_edits(
    world: World, project: UUID, ada: User, redis_url: str, make_peer: MakePeer
) -> None:
    """A restore while others edit, one of them offline with older state: keys both wrote hold one of the two values,
    keys one side wrote hold that side's, nobody is disconnected, and all end equal."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await make_peer(project, bob).join()
    a.track("t_1", name="first", gain_db=-1)
    await a.saved()
    await a.same(b)
    target = a.json()
    a.track("t_later", name="made after the target")
    a.field("tracks", "t_1", "name", "second")
    await a.saved()
    await a.same(b)
    b.drop()
    b.field("tracks", "t_1", "name", "offline")
    b.field("tracks", "t_later", "gain_db", -7)
    async with open_bus(redis_url) as bus:
        restoring = asyncio.create_task(
            edit(
                world.pool,
                project,
                ada.id,
                "restore",
                lambda doc: restore(doc, target, str(ada.id), time.time_ns() // 1_000_000),
            )
        )
        for step in range(40):
            a.field("tracks", "t_1", "gain_db", -step)
            await asyncio.sleep(0)
        done = await restoring
        bus.publish(Grew(project, done.epoch, done.seq, done.body))
        await a.saved()
        await b.join()
        await b.saved()
        await until(lambda: a.json()["tracks"]["t_later"]["deleted"] is not None)
    await a.same(b)
    song = a.json()
    assert song["tracks"]["t_1"]["name"] in ("first", "offline")
    assert song["tracks"]["t_1"]["gain_db"] in (-1, -39)
    assert song["tracks"]["t_later"]["gain_db"] == -7
    assert a.closed is None
    assert await world.stored(project) == song


async def _marked(world: World, project: UUID, user: User, number: int) -> Grew:
    """A marker added as the HTTP app does, and what it would ring with."""

    def mark(doc: "Doc[Any]") -> dict[str, Any]:
        return add_marker(doc, f"m_{number}", str(user.id), 5, tick=960 * number, label=f"{number}")

    done = await edit(world.pool, project, user.id, "edit", mark)
    return Grew(project, done.epoch, done.seq, done.body)
