"""Stopping without tears: everything is committed, and people are sent back to the others a few at a time."""

import asyncio

import structlog

from collab_server.closing import CloseCode
from collab_server.connection import Connection
from collab_server.hub import Hub
from presence.events import NodeGone

AT_A_TIME = 50
PAUSE_SECONDS_MAX = 0.05


async def drain(hub: Hub) -> None:
    """Send everybody back, spread over at most `drain_spread_seconds`, each after what it wrote is committed.

    Whoever stays until its turn goes on working. Nobody new is let in. When the database is away, what could not be
    committed within `drain_seconds_max` is sent again by its authors, who have it.
    """
    hub.draining = True
    deadline = asyncio.get_running_loop().time() + hub.settings.drain_seconds_max
    leaving = list(hub.connections.values())
    groups = [leaving[start : start + AT_A_TIME] for start in range(0, len(leaving), AT_A_TIME)]
    pause = min(PAUSE_SECONDS_MAX, hub.settings.drain_spread_seconds / max(1, len(groups)))
    for group in groups:
        await _commit(hub, deadline)
        _send_back(hub, group)
        await asyncio.sleep(pause)
    await _commit(hub, deadline)
    _send_back(hub, list(hub.connections.values()))  # who was still on the way in
    hub.bus.publish(NodeGone(hub.node_id))
    await hub.tasks.finish()  # rooms are let go after their last leave: snapshots, projections
    await hub.register.empty()


async def _commit(hub: Hub, deadline: float) -> None:
    for hosted in hub.rooms.values():
        hosted.flush_now()
    try:
        async with asyncio.timeout_at(deadline):
            await hub.writer.idle()
    except TimeoutError:
        structlog.get_logger("draining").error("not everything is committed: its authors will send it again")


def _send_back(hub: Hub, connections: list[Connection]) -> None:
    for connection in connections:
        connection.close(CloseCode.SERVICE_RESTART, "this server restarts: come back")
        hub.left(connection)
