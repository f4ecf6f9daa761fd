"""One end of the bus for several listeners: each hears what it asked for, and the bus is asked once."""

import asyncio
from uuid import UUID, uuid4

from presence.events import Event, Grew, NodeGone, ProjectDeleted
from presence.memory_bus import MemoryBroker
from presence.party_line import PartyLine
from tests.presence.deadline import until


async def test_two_lines_hear_one_project() -> None:
    """Each from when it subscribes until it leaves; the other goes on hearing."""
    broker, project = MemoryBroker(), uuid4()
    party, elsewhere = PartyLine(broker.bus()), broker.bus()
    rooms, control = party.line(), party.line()
    heard: dict[str, list[Event]] = {"rooms": [], "control": []}
    await rooms.subscribe(project, heard["rooms"].append)
    await control.subscribe(project, heard["control"].append)
    deleted, gone = ProjectDeleted(project), NodeGone(uuid4())
    elsewhere.publish(deleted)
    elsewhere.publish(gone)
    await until(lambda: heard == {"rooms": [deleted, gone], "control": [deleted, gone]})
    await rooms.unsubscribe(project)
    grown = Grew(project, 1, 1, b"")
    elsewhere.publish(grown)
    await until(lambda: grown in heard["control"])
    assert grown not in heard["rooms"]


async def test_a_line_that_fails_is_not_the_others_concern() -> None:
    """What one handler raises is logged; the next one hears all the same."""
    party, project = PartyLine(MemoryBroker().bus()), uuid4()
    heard: list[Event] = []

    def fail(_: Event) -> None:
        raise ValueError("of the first line")

    first, second = party.line(), party.line()
    await first.subscribe(project, fail)
    await second.subscribe(project, heard.append)
    second.publish(ProjectDeleted(project))
    await until(lambda: bool(heard))


class Counting:
    """A bus that counts, and takes its time."""

    healthy = True
    queued = 0
    dropped = 0

    def __init__(self) -> None:
        self.subscribed: set[UUID] = set()
        self.asked = 0

    def publish(self, event: Event) -> None:
        """Nobody is here."""

    async def subscribe(self, project_id: UUID, handler: object) -> None:
        self.asked += 1
        await asyncio.sleep(0)
        assert project_id not in self.subscribed, "a second subscription would end the connection"
        self.subscribed.add(project_id)

    async def unsubscribe(self, project_id: UUID) -> None:
        await asyncio.sleep(0)
        self.subscribed.remove(project_id)

    def on_gap(self, callback: object) -> None:
        """There are none."""


async def test_the_bus_is_asked_once_however_the_lines_come_and_go() -> None:
    """Comings and goings that overlap never subscribe twice, and end as they were meant last."""
    bus, project = Counting(), uuid4()
    party = PartyLine(bus)
    first, second = party.line(), party.line()
    await asyncio.gather(first.subscribe(project, print), second.subscribe(project, print))
    assert bus.asked == 1
    await asyncio.gather(first.unsubscribe(project), first.subscribe(project, print), second.unsubscribe(project))
    assert bus.subscribed == {project}
    await asyncio.gather(first.unsubscribe(project), second.subscribe(project, print), second.unsubscribe(project))
    assert bus.subscribed == set()
