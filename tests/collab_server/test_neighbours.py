"""Tests of what the other nodes of a project are told."""

from uuid import UUID

from collab_server.gate.awareness import EMPTY_PRESENCE
from collab_server.neighbours import Neighbours
from presence.events import Event, Grew, PresenceSpread, PresenceWanted, Said
from presence.memory_bus import MemoryBroker
from tests.collab_server.peer import until
from tests.collab_server.rooms import PROJECT

US, THEM = UUID(int=1), UUID(int=2)


async def test_alone_a_node_only_asks_who_is_there() -> None:
    """What nobody would hear is not sent."""
    neighbours, heard = await hearing()
    neighbours.present(b"\x01...")
    neighbours.say("hello")
    neighbours.grew(1, 7, b"row")
    neighbours.ask()
    await until(lambda: bool(heard))
    assert heard == [PresenceWanted(PROJECT, US)]


async def test_others_are_told_in_order_that_somebody_or_nobody_is_here() -> None:
    """An empty presence is told too: it says that this node is there."""
    neighbours, heard = await hearing()
    assert [neighbours.heard(THEM, at) for at in (1.0, 2.0)] == [True, False]
    neighbours.present(b"")
    neighbours.say("hello")
    neighbours.grew(1, 7, b"row")
    await until(lambda: len(heard) == 3)
    assert heard == [
        PresenceSpread(PROJECT, US, EMPTY_PRESENCE),
        Said(PROJECT, US, b"hello"),
        Grew(PROJECT, 1, 7, b"row"),
    ]


async def test_who_has_left_is_told_nothing_and_is_new_when_it_comes_back() -> None:
    """A node that is gone is no neighbour."""
    neighbours, heard = await hearing()
    neighbours.heard(THEM, 1.0)
    assert (len(neighbours), dict(neighbours.heard_at)) == (1, {THEM: 1.0})
    neighbours.gone(THEM)
    neighbours.say("hello")
    neighbours.ask()
    await until(lambda: bool(heard))
    assert heard == [PresenceWanted(PROJECT, US)]
    assert neighbours.heard(THEM, 3.0)


async def hearing() -> tuple[Neighbours, list[Event]]:
    """Our neighbours, and what a node among them hears."""
    broker, heard = MemoryBroker(), list[Event]()
    await broker.bus().subscribe(PROJECT, heard.append)
    return Neighbours(broker.bus(), US, PROJECT), heard
