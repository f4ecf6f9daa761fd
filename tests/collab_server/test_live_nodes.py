"""Tests of two collab servers on one database and one bus: edits and presence go across."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import pytest

from launch.app import App
from persistence.editing import edit
from presence.bus import open_bus
from presence.events import Grew
from studio.locks import lock_track
from tests.collab_server.conftest import MakePeer
from tests.collab_server.peer import Peer, until
from tests.collab_server.restrictions import RESTRICT
from tests.collab_server.servers import own_server
from tests.collab_server.world import User, World


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
async def second(app_environment: dict[str, str], scratch: Path, free_ports: Callable[[], int]) -> AsyncIterator[App]:
    """Another collab server beside `collab`."""
    async with own_server(app_environment, free_ports(), scratch) as app:
        yield app


async def test_s14_edits_cross_between_two_servers(
    world: World, project: UUID, ada: User, make_peer: MakePeer, second: App
) -> None:
    """Both serve the project; the journal numbers one sequence without gaps, replicas and repairs agree."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await world.peer(second, project, bob).join()
    a.track("t_1")
    await until(lambda: "t_1" in b.json()["tracks"])
    for number in range(100):
        a.marker(f"m_a{number}", number, "a")
        b.marker(f"m_b{number}", number, "b")
        a.field("tracks", "t_1", "gain_db", -(number % 50))
        b.field("tracks", "t_1", "gain_db", "loud" if number % 10 == 0 else -(number % 50))
        await asyncio.sleep(0)
    await a.saved()
    await b.saved()
    await a.same(b)
    assert await world.stored(project) == a.json()
    seqs = await world.pool.fetch("select seq from document_updates where project_id = $1 order by seq", project)
    numbers = [row["seq"] for row in seqs]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    await b.leave()


async def test_presence_crosses_between_two_servers(
    world: World, project: UUID, ada: User, make_peer: MakePeer, second: App
) -> None:
    """Who is on the other server is seen here, also by who comes later; gone when they leave."""
    bob = await world.member(project, name="Bob")
    a = await make_peer(project, ada).join()
    a.show(cursor=1)
    await until(lambda: a.seen(a.client))
    b = await world.peer(second, project, bob).join()
    await until(lambda: b.seen(a.client), "a room that opens asks the other nodes who is there")
    b.show(cursor=2)
    await until(lambda: a.seen(b.client))
    shown = a.seen(b.client)
    assert shown is not None
    assert (shown["cursor"], shown["user"]["name"]) == (2, "Bob")
    await b.leave()
    await until(lambda: a.seen(b.client) is None)


async def test_a_stopped_server_takes_its_people_along(
    world: World, project: UUID, ada: User, make_peer: MakePeer, second: App
) -> None:
    """After a clean stop nobody of that node is shown any more."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await world.peer(second, project, bob).join()
    b.show(cursor=2)
    await until(lambda: a.seen(b.client))
    assert await second.stop() == 0
    await until(lambda: a.seen(b.client) is None)
    assert b.closed is None or b.closed[0] == 1012


async def test_a_person_moves_from_one_server_to_the_other(
    world: World, project: UUID, ada: User, make_peer: MakePeer, second: App
) -> None:
    """A reconnect that lands on another node, which has the room open, goes on under the same client id."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await world.peer(second, project, bob).join()
    a.track("t_1")
    await a.saved()
    await until(lambda: "t_1" in b.json()["tracks"])
    a.drop()
    a.field("tracks", "t_1", "name", "offline")
    moved = Peer(0, world.url(second, project, ada))
    moved.doc, moved.made, moved.client = a.doc, a.made, a.client
    await moved.join()
    await moved.saved()
    moved.field("tracks", "t_1", "name", "there")
    await moved.saved()
    assert moved.closed is None
    await until(lambda: b.json()["tracks"]["t_1"]["name"] == "there")
    assert await world.stored(project) == b.json()
    await moved.leave()
    await b.leave()


async def test_a_client_id_of_another_server_is_nobody_elses(
    world: World, project: UUID, ada: User, make_peer: MakePeer, second: App
) -> None:
    """Who tries to write under the client id of somebody on another node is refused; the room stays."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await world.peer(second, project, bob).join()
    a.track("t_1")
    await until(lambda: "t_1" in b.json()["tracks"])
    forger = await Peer(a.client, world.url(second, project, bob)).join()
    await a.same(forger)
    forger.track("t_forged")
    await until(lambda: forger.closed)
    assert forger.closed == (4403, "client id belongs to somebody else: pick a new one")
    a.track("t_2")
    await a.saved()
    await a.same(b)
    assert "t_forged" not in a.json()["tracks"]
    assert (a.closed, b.closed) == (None, None)
    await b.leave()


async def test_roles_hold_on_every_node(
    world: World, project: UUID, ada: User, make_peer: MakePeer, second: App, redis_url: str
) -> None:
    """Demotion, restriction, a lock and the places of a plan: the other node acts on each within a second."""
    bob, eve = await world.member(project, name="Bob"), await world.member(project, name="Eve")
    a, b = await make_peer(project, ada).join(), await world.peer(second, project, bob).join()
    a.track("t_1")
    await until(lambda: "t_1" in b.json()["tracks"])

    async with open_bus(redis_url) as bus:
        lock = await edit(
            world.pool, project, ada.id, "lock", lambda doc: lock_track(doc, "t_1", str(ada.id), now_ms(), 60_000)
        )
        bus.publish(Grew(project, lock.epoch, lock.seq, lock.body))
        await until(lambda: b.json()["tracks"]["t_1"].get("lock"), seconds=1)
        b.field("tracks", "t_1", "name", "Mine")
        await until(lambda: b.denied == ["locked: t_1"], seconds=1)
        await until(lambda: b.json()["tracks"]["t_1"]["name"] == "Track", seconds=1)
        await a.same(b)

    await world.pool.execute(RESTRICT, project, bob.id, {"only": "markers"})
    b.show(cursor=1)
    await until(lambda: ((a.seen(b.client) or {}).get("user") or {}).get("only") == "markers", seconds=1)
    b.marker("m_1", 0, "x")
    await b.saved()
    b.put("transport", "bpm", 90)
    await until(lambda: b.closed)
    assert b.closed == (4403, "restricted: markers only, not transport")

    again = await world.peer(second, project, bob).join()
    await world.pool.execute("update users set plan = 'solo' where id = $1", ada.id)
    full = world.peer(second, project, eve)
    await full.connect()
    await until(lambda: full.closed)
    assert full.closed == (1013, "plan: 1 of 1 places taken (solo)")
    await world.pool.execute("update project_members set role = 'viewer' where user_id = $1", bob.id)
    await until(lambda: again.denied, seconds=1)
    await again.leave()
