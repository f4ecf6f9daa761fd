"""What other processes say: rows of the journal, presence, roles, deletions. And what to do when some of it was lost.

The database is the truth and messages are hints: a gap in the numbers, or in the hearing, is filled from there.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol
from uuid import UUID

import structlog

from collab_server.admission import NOBODY
from collab_server.closing import CloseCode
from collab_server.gate.awareness import decode as decode_presence
from collab_server.gate.errors import Refused as GateRefused
from collab_server.gate.limits import Limits as GateLimits
from collab_server.heads import Heads
from collab_server.hosted import Hosted
from collab_server.keeper import Keeper
from collab_server.member import Member
from collab_server.standing import Standing
from collab_server.wire import VARUINT_MAX
from persistence.body import Entry, MalformedBody, decode
from persistence.editing import open_stored
from persistence.errors import TRANSIENT, PersistenceError, TailGone
from persistence.journal import Head, Journal, Loaded
from presence.bus import Bus
from presence.events import (
    AccessRevoked,
    Event,
    Grew,
    NodeGone,
    PresenceSpread,
    PresenceWanted,
    ProjectDeleted,
    RoleChanged,
    Said,
    SetAside,
)
from studio.roles import Action, Role, may

RETRY_SECONDS = 0.5
ROOMS_AT_A_TIME = 500
"""Of which the database is asked in one statement."""
REVOKED = "access revoked"
SET_ASIDE = "the project is set aside"
TOLD_BY_NODES = GateLimits(
    presence_entries_max=1_000_000,
    presence_state_bytes_max=1 << 20,
    presence_depth_max=64,
    presence_clock_max=VARUINT_MAX,
)
"""Of presence: a node tells of everybody at once, in states that have grown since they were judged where they came in.
If one entry could make the rest unreadable, nobody of that node would be seen."""


class House(Protocol):
    """What news does to rooms."""

    node_id: UUID

    @property
    def rooms(self) -> Mapping[UUID, Hosted]: ...

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]: ...

    def drop(self, hosted: Hosted, code: CloseCode, reason: str) -> None: ...

    def expel(self, hosted: Hosted, member: Member, code: CloseCode, reason: str) -> None: ...

    def spoiled(self, hosted: Hosted, reason: str) -> None: ...


class News:
    """Acts on what is heard. Everything runs in the event loop."""

    def __init__(self, house: House, journal: Journal, keeper: Keeper, bus: Bus) -> None:
        self._house = house
        self._journal = journal
        self._keeper = keeper
        self._missing: dict[Hosted, int] = {}
        """Rooms that lack rows, with the last row before the first of them; `behind` while somebody reads them."""
        self._checking_all = False
        self._check_all_again = False
        self._loop = asyncio.get_running_loop()
        self._log = structlog.get_logger("news")
        bus.on_gap(self.resynchronise)

    def hear(self, hosted: Hosted, event: Event) -> None:
        """Something happened elsewhere that concerns an open room."""
        house = self._house
        match event:
            case Grew():
                self._grew(hosted, event)
            case PresenceSpread(_, node, entries) if node != house.node_id:
                self._presence(hosted, node, entries)
            case PresenceWanted(_, node) if node != house.node_id:
                self._introduce(hosted, node)
            case Said(_, node, payload) if node != house.node_id:
                hosted.say(None, payload.decode(errors="replace"))
            case NodeGone(node):
                hosted.neighbours.gone(node)
                hosted.perform(hosted.room.attendance.leave(node))
            case RoleChanged(_, user_id, role) if not may(role, Action.WRITE):
                hosted.standing_news += 1
                self._narrow(hosted, user_id, role)
            case RoleChanged():
                house.start(self.check_memberships(hosted))  # who may write, may perhaps not write everything
            case AccessRevoked(_, user_id):
                hosted.standing_news += 1
                self._expel(hosted, user_id)
            case ProjectDeleted():
                house.drop(hosted, CloseCode.NO_SUCH_PROJECT, "the project was deleted")
            case SetAside():
                house.drop(hosted, CloseCode.LOAD_FAILED, SET_ASIDE)
            case _:
                pass

    async def compare(self, heads: Heads) -> None:
        """Ask the database which projects that are open here have moved on: the doorbell that rings when no other
        does."""
        for asked in heads.asked():
            try:
                moved = await self._journal.moved(asked)
            except TRANSIENT:
                return
            for project, found in moved.items():
                hosted = self._house.rooms.get(project)
                if hosted is not None and not hosted.closed:
                    self._compare(hosted, found)

    def _compare(self, hosted: Hosted, found: Head | None) -> None:
        if found is None:
            self._house.drop(hosted, CloseCode.NO_SUCH_PROJECT, "the project was deleted")
        elif found.set_aside:
            self._house.drop(hosted, CloseCode.LOAD_FAILED, SET_ASIDE)
        elif found.epoch != hosted.room.epoch:
            self._house.drop(hosted, CloseCode.EPOCH_CHANGED, "the project was rebuilt")
        elif found.head > hosted.room.head and not hosted.flying and not hosted.behind:
            self.catch_up(hosted, hosted.room.head)
            hosted.neighbours.ask()  # somebody is there, unheard

    def catch_up(self, hosted: Hosted, after: int) -> None:
        """Read the journal behind row `after`: rows of other processes are missing here.

        One reading at a time, each from the first row that is missing: rows lean on those before them.
        """
        self._missing[hosted] = min(after, self._missing.get(hosted, after))
        if not hosted.behind:
            hosted.behind = True
            self._house.start(self._catch_up(hosted))

    def resynchronise(self) -> None:
        """Messages were lost: every room asks the database what happened."""
        for hosted in list(self._house.rooms.values()):
            self.catch_up(hosted, hosted.room.head)
            self._house.start(self.check_memberships(hosted))
            hosted.neighbours.ask()
            hosted.neighbours.present(hosted.room.roster.snapshot(ours_only=True))  # who was first has asked in vain

    async def check_all_memberships(self) -> None:
        """Ask for the members of every open room, as changes may have been missed. One round at a time."""
        self._check_all_again = True
        if self._checking_all:
            return
        self._checking_all = True
        try:
            while self._check_all_again:
                self._check_all_again = False
                rooms = [hosted for hosted in self._house.rooms.values() if hosted.room.members]
                for start in range(0, len(rooms), ROOMS_AT_A_TIME):
                    await self._check(rooms[start : start + ROOMS_AT_A_TIME])
        finally:
            self._checking_all = False

    async def check_memberships(self, hosted: Hosted) -> None:
        """Bring every member's role up to the database, however long that takes to answer."""
        await self._check([hosted])

    async def _check(self, rooms: list[Hosted]) -> None:
        """Until each has an answer that is no older than what was heard meanwhile."""
        while rooms := [hosted for hosted in rooms if not hosted.closed]:
            asked = [(hosted, hosted.standing_news) for hosted in rooms]
            try:
                standings = await self._keeper.standings([hosted.project_id for hosted in rooms])
            except TRANSIENT:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            rooms = [hosted for hosted, news in asked if hosted.standing_news != news]
            for hosted, news in asked:
                if hosted.standing_news == news and not hosted.closed:
                    self._bring_up(hosted, standings[hosted.project_id])

    def _bring_up(self, hosted: Hosted, standings: Mapping[UUID, Standing]) -> None:
        hosted.standing_news += 1
        for member in list(hosted.room.members):
            standing = standings.get(member.user_id)
            if standing is None:
                self._house.expel(hosted, member, CloseCode.NOT_ALLOWED, REVOKED)
            elif not member.stands_as(*standing):
                hosted.perform(hosted.room.change_role(member, *standing))

    def _grew(self, hosted: Hosted, event: Grew) -> None:
        room = hosted.room
        if event.epoch != room.epoch:
            self._house.drop(hosted, CloseCode.EPOCH_CHANGED, "the project was rebuilt")
        elif event.body and event.seq == room.head + 1 and not hosted.flying and not hosted.behind:
            self._grow(hosted, event.seq, event.body)
        elif event.seq > room.head:
            self.catch_up(hosted, room.head)

    def _introduce(self, hosted: Hosted, node: UUID) -> None:
        """Another node has opened the project: tell it who is here, and how far we are.

        It may have loaded the document before it could hear us; an empty body makes it read what it missed. And so may
        we, if it is the first that we hear of it: both may have opened the project while the bus was away.
        """
        room, neighbours = hosted.room, hosted.neighbours
        if neighbours.heard(node, self._loop.time()):
            neighbours.ask()
        neighbours.present(room.roster.snapshot(ours_only=True))
        neighbours.grew(room.epoch, room.head, b"")

    def _presence(self, hosted: Hosted, node: UUID, entries: bytes) -> None:
        hosted.neighbours.heard(node, self._loop.time())
        try:
            heard = decode_presence(entries, TOLD_BY_NODES)
        except GateRefused:
            self._log.warning("unreadable presence from another node", node=str(node))
            return
        hosted.perform(hosted.room.attendance.hear_node(node, heard, self._loop.time()))

    async def _catch_up(self, hosted: Hosted) -> None:
        try:
            while not hosted.closed and hosted in self._missing:
                after = self._missing.pop(hosted)
                try:
                    await self._read_on(hosted, after)
                except TRANSIENT as error:
                    self._log.warning("tail not read", project=str(hosted.project_id), error=str(error))
                    self.catch_up(hosted, after)
                    await asyncio.sleep(RETRY_SECONDS)
        except PersistenceError as error:
            if not hosted.closed:
                self._house.spoiled(hosted, str(error))
        finally:
            self._missing.pop(hosted, None)
            hosted.behind = False

    async def _read_on(self, hosted: Hosted, after: int) -> None:
        try:
            rows = await self._journal.tail(hosted.project_id, after)
        except TailGone:
            await self._leap(hosted)
            return
        for row in rows:
            self._grow(hosted, row.seq, row.body)

    async def _leap(self, hosted: Hosted) -> None:
        """Another node has compacted what is missing here: the stored state has it, and comes as one row."""
        loaded = await self._journal.load(hosted.project_id)
        missing = await asyncio.to_thread(_beyond, hosted.project_id, loaded, hosted.room.vector())
        if hosted.closed:
            return
        if loaded.epoch != hosted.room.epoch:
            self._house.drop(hosted, CloseCode.EPOCH_CHANGED, "the project was rebuilt")
        else:
            self._take(hosted, loaded.head, [Entry(NOBODY, missing)])

    def _grow(self, hosted: Hosted, seq: int, body: bytes) -> None:
        if hosted.closed:
            return
        try:
            entries = decode(body)
        except MalformedBody as error:
            self._house.spoiled(hosted, f"row {seq}: {error}")
        else:
            self._take(hosted, seq, entries)

    def _take(self, hosted: Hosted, seq: int, entries: list[Entry]) -> None:
        hosted.grow(seq, entries)
        if hosted.room.admission.strangers and not hosted.closed:
            self._house.start(self._meet(hosted))

    async def _meet(self, hosted: Hosted) -> None:
        """People wrote elsewhere with client ids that are new here: nobody else may use those."""
        try:
            owners = await self._journal.clients(hosted.project_id)
        except TRANSIENT:
            return  # still strangers: asked again with the next row
        hosted.room.admission.introduce(owners)

    def _narrow(self, hosted: Hosted, user_id: UUID, role: Role) -> None:
        for member in [member for member in hosted.room.members if member.user_id == user_id]:
            if role is not member.role:
                hosted.perform(hosted.room.change_role(member, role))

    def _expel(self, hosted: Hosted, user_id: UUID) -> None:
        for member in [member for member in hosted.room.members if member.user_id == user_id]:
            self._house.expel(hosted, member, CloseCode.NOT_ALLOWED, REVOKED)


def _beyond(project_id: UUID, loaded: Loaded, vector: bytes) -> bytes:
    """What the stored document has and somebody with this state vector lacks."""
    return open_stored(project_id, loaded).get_update(vector)
