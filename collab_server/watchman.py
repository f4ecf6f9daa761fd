"""The hub's rounds: rates are filled up, the silent pinged, presence expires, snapshots and projections are kept."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

from collab_server.closing import CloseCode
from collab_server.hosted import Hosted
from collab_server.hub import Hub
from collab_server.memory import give_back
from collab_server.resting import ROUNDS

LAG_SAMPLE_SECONDS = 0.1
AGENDA_SECONDS = 1.0
ROUND_SECONDS = 5.0
HEADS_SECONDS = 0.5
"""How late an edit of another node may come while the bus is away."""
HEADS_WHILE_HEALTHY_SECONDS = 10.0
HEARTBEAT_SECONDS = 30.0
RETENTION_SECONDS = 3600.0
HEARTBEATS_AT_A_TIME = 1_000
AT_A_TIME = 50
"""Rooms or connections looked after before everybody else has a turn."""
GIVE_BACK_BYTES = 2 * 1024 * 1024
"""Of encoded documents that are held no more, put away or closed, before their memory is given back."""
ROUNDS_WHEN_CROWDED = 1
"""In an evening when everybody comes at once a document is put away as soon as nobody has looked at it in a round."""


T = TypeVar("T")


class Watchman:
    """Runs every periodic task of a hub until it is cancelled."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._loop = asyncio.get_running_loop()
        self._heads_due = 0.0
        self._awake_bytes = 0
        self._awake_bytes_most = 0
        """Since memory was given back."""

    async def run(self) -> None:
        """Walk all rounds side by side; one that fails ends the process, as a dead round would be noticed by nobody."""
        async with asyncio.TaskGroup() as rounds:
            rounds.create_task(self._measure_lag())
            rounds.create_task(self._every(1.0, self._refill))
            rounds.create_task(self._every(HEADS_SECONDS, self._compare_heads))
            rounds.create_task(self._every(AGENDA_SECONDS, self._look_after_connections))
            rounds.create_task(self._every(AGENDA_SECONDS, self._look_after_rooms))
            rounds.create_task(self._every(ROUND_SECONDS, self._put_away))
            rounds.create_task(self._every(ROUND_SECONDS, self._keep_rooms))
            rounds.create_task(self._every(HEARTBEAT_SECONDS, self._heartbeat))
            rounds.create_task(self._every(RETENTION_SECONDS, self._prune))

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            await work()

    async def _measure_lag(self) -> None:
        while True:
            due = self._loop.time() + LAG_SAMPLE_SECONDS
            await asyncio.sleep(LAG_SAMPLE_SECONDS)
            self._hub.metrics.lagged(max(0.0, self._loop.time() - due))

    async def _refill(self) -> None:
        for connection in list(self._hub.spending):
            connection.refill()
            if not connection.spending:
                self._hub.spending.discard(connection)

    async def _compare_heads(self) -> None:
        now = self._loop.time()
        if self._hub.rooms and (not self._hub.bus.healthy or now >= self._heads_due):
            self._heads_due = now + HEADS_WHILE_HEALTHY_SECONDS
            await self._hub.news.compare(self._hub.care.heads)

    async def _look_after_connections(self) -> None:
        hub, agenda, now = self._hub, self._hub.care.connections, self._loop.time()
        async for id in _gently(agenda.due(now)):
            connection = hub.connections.get(id)
            if connection is None:
                continue
            look_at = connection.feel_pulse(now)
            if look_at is not None:
                agenda.put(id, look_at)
            elif connection.hosted is not None and connection.member is not None:
                hub.expel(connection.hosted, connection.member, CloseCode.SLOW_READER, "no sign of life")

    async def _look_after_rooms(self) -> None:
        """Without the database: nobody's line waits for it."""
        hub, agenda, now = self._hub, self._hub.care.rooms, self._loop.time()
        async for project_id in _gently(agenda.due(now)):
            hosted = hub.rooms.get(project_id)
            if hosted is not None and hosted.look_at <= now:  # it may have been closed and opened anew
                hosted.look_at = self._look_after_room(hosted, now)
                agenda.put(project_id, hosted.look_at)

    def _look_after_room(self, hosted: Hosted, now: float) -> float:
        """Whoever does not show themselves any more is forgotten. When to look again."""
        expiry = self._hub.settings.presence_expiry_seconds
        if gone := hosted.room.attendance.expire(now - expiry):
            hosted.perform(gone)
        return min(now, hosted.room.attendance.heard_first()) + expiry

    async def _put_away(self) -> None:
        """Documents that nobody looks at any more; what they leave is given back to the system."""
        hub, care = self._hub, self._hub.care
        awake, patience = 0, ROUNDS if self._awake_bytes <= hub.settings.awake_bytes_max else ROUNDS_WHEN_CROWDED
        async for project_id in _gently(care.awake):
            hosted = hub.rooms.get(project_id)
            if hosted is None or hosted.room.rest(patience):
                care.awake.discard(project_id)
            else:
                awake += hosted.room.document_bytes
        self._awake_bytes, self._awake_bytes_most = awake, max(awake, self._awake_bytes_most)
        if self._awake_bytes_most - awake >= GIVE_BACK_BYTES:
            self._awake_bytes_most = awake
            await asyncio.to_thread(give_back)

    async def _keep_rooms(self) -> None:
        hub, edited = self._hub, self._hub.care.edited
        async for project_id in _gently(edited):
            hosted = hub.rooms.get(project_id)
            if hosted is None:
                edited.discard(project_id)
                continue
            if hosted.unloading:
                continue
            chores = hosted.chores
            if chores.projection_due:
                await hub.keeper.project(hosted)
            if not hosted.closed and chores.snapshot_due(hub.settings, self._loop.time()):
                await hub.keeper.snapshot(hosted, "interval")
            still = chores.projection_due or chores.unkept or hosted.unloading
            if not still and hub.rooms.get(project_id) is hosted:  # it may have been opened anew meanwhile
                edited.discard(project_id)

    async def _heartbeat(self) -> None:
        alive = list(self._hub.connections.values())
        for start in range(0, len(alive), HEARTBEATS_AT_A_TIME):
            await self._hub.keeper.seen(
                {
                    connection.id: (connection.hosted.project_id, connection.member)
                    for connection in alive[start : start + HEARTBEATS_AT_A_TIME]
                    if connection.hosted is not None and connection.member is not None
                }
            )
        await self._hub.keeper.sweep()

    async def _prune(self) -> None:
        await self._hub.keeper.prune()


async def _gently(everything: Iterable[T]) -> AsyncIterator[T]:
    """One after the other, as they are now, with a pause for everybody else now and then."""
    for number, one in enumerate(list(everything), start=1):
        yield one
        if number % AT_A_TIME == 0:
            await asyncio.sleep(0)
