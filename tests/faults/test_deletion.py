"""A project is deleted at the worst moment: its last edits wait for the database, and everybody has just left."""

import asyncpg

from launch.app import App
from presence.bus import open_bus
from presence.events import ProjectDeleted
from presence.settings import BusSettings
from tests.collab_server.peer import until
from tests.collab_server.world import World, leave_all, metric

LOCK = "select 1 from documents where project_id = $1 for update"
BLOCKED = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


async def test_a_room_that_is_dropped_while_it_unloads_stops_nobody(
    world: World, collab: App, database: str, redis_url: str
) -> None:
    """The server drops the room and goes on serving, although the room's edits were never committed."""
    ada = await world.user("Ada")
    project = await world.project(ada)
    peers = [world.peer(collab, project, ada), world.peer(collab, project, ada)]
    for peer in peers:
        await peer.join()
    holder = await asyncpg.connect(database)
    try:
        async with holder.transaction():
            await holder.execute(LOCK, project)
            peers[0].track("t_1")
            await until(lambda: _blocked(world), "the first edit's commit waits")
            peers[0].track("t_2")
            await until(lambda: "t_2" in peers[1].json()["tracks"], "the second edit is pending")
            await leave_all(peers)
            await until(lambda: _is(collab, "backline_connections", 0), "all have left")
            async with open_bus(BusSettings(url=redis_url)) as bus:
                bus.publish(ProjectDeleted(project))
                await until(lambda: _is(collab, "backline_rooms", 0), "the room is dropped")
    finally:
        await holder.close()
    commits = await metric(collab, "backline_commits_total")
    other = await world.project(ada)
    peer = await world.peer(collab, other, ada).join()
    peer.track("t_1")
    await peer.saved()
    await peer.leave()
    assert await metric(collab, "backline_commits_total") > commits


async def _blocked(world: World) -> bool:
    return bool(await world.pool.fetchval(BLOCKED))


async def _is(app: App, name: str, wanted: float) -> bool:
    return await metric(app, name) == wanted
