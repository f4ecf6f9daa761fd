"""Musicians on several nodes who play while something goes wrong; afterwards everything is audited."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from pycrdt import Map

from tests.collab_server.peer import until
from tests.faults.audit import Room, agree
from tests.faults.cluster import Cluster, Node, Wandering
from tests.faults.musician import Absence, Musician

SECONDS_BETWEEN_EDITS = 0.05
MUSICIANS_PER_ROOM = 3
ROOMS = 2
BEAT_SECONDS = 0.03
SOON_SECONDS = 0.5
RECOVERY_SECONDS = 60.0
PATIENCE_SECONDS = 600.0


async def lasts_until(moment: float) -> None:
    """A fault goes on until then (of time.monotonic)."""
    await until(lambda: time.monotonic() >= moment, "time passes", PATIENCE_SECONDS)


class Pulse:
    """Edits that go one way, to somebody who only listens: how long each took. Each way has a room of its own, because
    whoever commits learns at once how far the others are."""

    def __init__(self, ways: Sequence[Room]) -> None:
        self.crossings: list[tuple[float, float]] = []
        """(began, seconds) of every edit that arrived."""
        self._ways = ways
        self._under_way: dict[int, float] = {}

    async def run(self) -> None:
        """Beat for ever."""
        await asyncio.gather(*(self._beat(*way.musicians) for way in self._ways))

    def worst(self, since: float) -> float:
        """The longest way of an edit that was made after `since`, those included that are still on it."""
        now = time.monotonic()
        open_ = [now - began for began in self._under_way.values() if began >= since]
        return max([seconds for began, seconds in self.crossings if began >= since] + open_, default=0.0)

    def typical(self, since: float) -> float:
        """The median of those that have arrived."""
        arrived = sorted(seconds for began, seconds in self.crossings if began >= since)
        return arrived[len(arrived) // 2]

    def crossed(self, since: float) -> bool:
        """Whether edits made after `since` have arrived on every way, soon."""
        quick = [began for began, seconds in self.crossings if began >= since and seconds < SOON_SECONDS]
        return len(quick) > 5 and all(began >= since for began in self._under_way.values())

    async def _beat(self, sender: Musician, receiver: Musician) -> None:
        marker, number = f"mrk_pulse{sender.client}", 0
        sender.tell(sender.marker(marker, 0, "pulse"))
        while True:
            number += 1
            began = self._under_way[sender.client] = time.monotonic()
            sender.tell(sender.field("markers", marker, "tick", number))
            await until(partial(_shows, receiver, marker, number), "the edit arrives", PATIENCE_SECONDS)
            self.crossings.append((began, time.monotonic() - began))
            await asyncio.sleep(BEAT_SECONDS)


class Band:
    """Everybody who plays."""

    def __init__(self, rooms: list[Room], pulse: Pulse) -> None:
        self.rooms = rooms
        self.pulse = pulse
        self.everybody = [musician for room in rooms for musician in room.musicians]

    async def recovered(self, since: float) -> float:
        """Seconds from `since` until edits cross again soon and everybody's old ones are saved."""
        waiting = set(self.everybody)

        def done() -> bool:
            waiting.difference_update([m for m in waiting if m.saved_since(since)])
            return not waiting and self.pulse.crossed(since)

        await until(done, "edits cross and are saved again", RECOVERY_SECONDS)
        return time.monotonic() - since

    def worst_delay(self, since: float) -> float:
        """The longest wait for an acknowledgement that came after `since`."""
        return max(musician.worst_delay(since) for musician in self.everybody)

    def edits(self) -> int:
        """How many have been made."""
        return sum(musician.edits for musician in self.everybody)

    def at(self, node: Node) -> list[Musician]:
        """Whose connection, the last one, is with this node."""
        return [m for m in self.everybody if isinstance(m.address, Wandering) and m.address.at is node]

    def absences(self, since: float) -> list[Absence]:
        """Who was away, and how long."""
        return [absence for m in self.everybody for absence in m.absences if absence.began >= since]

    def closes(self) -> dict[int, int]:
        """How often each close code was heard."""
        codes = [code for musician in self.everybody for code in musician.closes.elements()]
        return {code: codes.count(code) for code in sorted(set(codes))}


@asynccontextmanager
async def band(cluster: Cluster, nodes: Sequence[Node] = ()) -> AsyncIterator[Band]:
    """Rooms spread over the nodes, playing until the block ends; then nothing acknowledged is lost, and all agree."""
    among = list(nodes or cluster.nodes)
    rooms = [await _room(cluster, among, MUSICIANS_PER_ROOM) for _ in range(ROOMS)]
    ways = [await _room(cluster, [among[0], among[-1]], 2), await _room(cluster, [among[-1], among[0]], 2)]
    playing = Band([*rooms, *ways], Pulse(ways))
    async with asyncio.TaskGroup() as tasks:
        staying = [tasks.create_task(musician.stay()) for musician in playing.everybody]
        await until(lambda: all(m.synced for m in playing.everybody), "everybody is here")
        play = [tasks.create_task(m.play(SECONDS_BETWEEN_EDITS)) for room in rooms for m in room.musicians]
        play.append(tasks.create_task(playing.pulse.run()))
        began = time.monotonic()
        await until(lambda: playing.pulse.crossed(began), "edits cross")
        yield playing
        for task in play:
            task.cancel()
        for room in playing.rooms:
            fresh = Musician(next(cluster.clients), room.musicians[-1].address, random.Random(room.project.int))
            staying.append(tasks.create_task(fresh.stay()))
            await agree(cluster.world, room, fresh)
        for task in staying:
            task.cancel()


async def _room(cluster: Cluster, nodes: list[Node], musicians: int) -> Room:
    world = cluster.world
    project = await world.project(await world.user())
    room = Room(project, [])
    for number in range(musicians):
        user = await world.member(project)
        client = next(cluster.clients)
        home = number % len(nodes)
        address = cluster.address(project, user, nodes[home:] + nodes[:home])
        room.musicians.append(Musician(client, address, random.Random(client)))
    return room


def _shows(musician: Musician, marker: str, tick: int) -> bool:
    markers = musician.doc.get("markers", type=Map)
    return marker in markers and markers[marker]["tick"] == tick
