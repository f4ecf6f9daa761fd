"""The judgement at the end: is every acknowledged edit there for a newcomer, and does everybody hold the same?

A newcomer joins each room with an empty document. Its state vector must cover every acknowledged edit, and all members'
documents must equal its own, by state vector and by content. Rooms get time to settle; what is still wrong then counts.
"""

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import Any

from loadtest.errors import Refused
from loadtest.meter import Meter
from loadtest.person import Person, World
from loadtest.room import Room

TOGETHER = 8  # newcomers on their way at a time
POLL = 0.1
LEAST_PATIENCE = 2.0  # seconds for a newcomer, even if the settling took all the time
EXAMPLES = 5


@dataclass(slots=True)
class Finding:
    """What was found in all rooms of a worker; `problems` are examples in words."""

    rooms: int = 0
    unverified: int = 0  # rooms that no newcomer could enter
    checked: int = 0  # acknowledged edits (all edits, where the server acknowledges nothing)
    missing: int = 0
    unsaved: int = 0  # edits of people still there that the server never confirmed
    members: int = 0
    different: int = 0
    outside: int = 0  # people who wanted to be in and were not
    problems: list[str] = field(default_factory=list)

    def note(self, problem: str) -> None:
        """Remember an example."""
        if len(self.problems) < EXAMPLES:
            self.problems.append(problem)

    def dump(self) -> dict[str, Any]:
        """JSON-ready."""
        return {name: getattr(self, name) for name in self.__slots__}


async def verify(world: World, rooms: list[Room], deadline: float) -> Finding:
    """Judge all rooms; `deadline` is a monotonic time until which they may settle."""
    silent = not any(author.acked for room in rooms for author in room.authors.values())
    finding, gate = Finding(rooms=len(rooms)), asyncio.Semaphore(TOGETHER)

    async def judge(room: Room) -> None:
        async with gate:
            await _judge(world, room, deadline, silent, finding)

    await asyncio.gather(*(judge(room) for room in rooms))
    return finding


async def _judge(world: World, room: Room, deadline: float, silent: bool, finding: Finding) -> None:
    newcomer = Person(apart(world), room, 0, witness=True)
    room.people.remove(newcomer)
    try:
        await _entered(newcomer, deadline)
    except (Refused, TimeoutError) as error:
        finding.unverified += 1
        _count_outside(room, silent, finding)
        finding.note(f"room {room.place.name}: no newcomer gets in ({str(error) or 'no answer in time'})")
        return
    while not _settled(room, newcomer, silent) and time.monotonic() < deadline:  # noqa: ASYNC110 - all of a room
        await asyncio.sleep(POLL)
    _count(room, newcomer, silent, finding)
    newcomer.go()


def apart(world: World) -> World:
    """A world whose figures nobody reads: judging is no part of the load."""
    return replace(world, meter=(aside := Meter()), doors=replace(world.doors, meter=aside))


async def _entered(newcomer: Person, deadline: float) -> None:
    patience = max(LEAST_PATIENCE, deadline - time.monotonic())
    await asyncio.wait_for(newcomer.arrive(), patience)


def _settled(room: Room, newcomer: Person, silent: bool) -> bool:
    outside = any(person.wants_in and not person.inside for person in room.people)
    if outside or (room.unsaved() and not silent):
        return False
    vector = newcomer.song.vector()
    return all(person.song.vector() == vector for person in room.present())


def _count(room: Room, newcomer: Person, silent: bool, finding: Finding) -> None:
    vector = newcomer.song.vector()
    for author in room.authors.values():
        finding.checked += len(author.ends) if silent else author.acked
        lost = author.missing(vector.get(author.client, 0), silent)
        if lost:
            finding.missing += lost
            finding.note(f"room {room.place.name}: {lost} edits of client {author.client} are not there for a newcomer")
    _count_outside(room, silent, finding)
    content = newcomer.song.canonical()
    for person in room.present():
        finding.members += 1
        if person.song.vector() != vector or person.song.canonical() != content:
            finding.different += 1
            finding.note(f"room {room.place.name}: seat {person.seat} holds another document than a newcomer")


def _count_outside(room: Room, silent: bool, finding: Finding) -> None:
    """What needs no newcomer to be seen."""
    finding.unsaved += 0 if silent else room.unsaved()
    finding.outside += sum(person.wants_in and not person.inside for person in room.people)
