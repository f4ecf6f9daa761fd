"""What other processes say: rows of the journal, presence, roles, deletions. And what to do when some of it was lost.

The database is the truth and messages are hints: a gap in the numbers, or in the hearing, is filled from there.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol
from uuid import UUID

import structlog

from collab_server.closing import CloseCode
from collab_server.gate.awareness import decode as decode_presence
from collab_server.gate.errors import Refused as GateRefused
from collab_server.gate.limits import Limits as GateLimits
from collab_server.hosted import Hosted
from collab_server.keeper import Keeper
from collab_server.member import Member
from persistence.body import decode
from persistence.errors import TRANSIENT, PersistenceError
from persistence.journal import Journal
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
)
from studio.roles import Role

RETRY_SECONDS = 0.5
NOBODY = b"\x00"
"""An awareness payload without entries."""


class House(Protocol):
    """What news does to rooms."""

    node_id: UUID

    @property
    def rooms(self) -> Mapping[UUID, Hosted]: ...

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]: ...

    def drop(self, hosted: Hosted, code: CloseCode, reason: str) -> None: ...

    def expel(self, hosted: Hosted, member: Member, code: CloseCode, reason: str) -> None: ...

    def announce(self, hosted: Hosted, entries: bytes) -> None: ...

    def spoiled(self, hosted: Hosted, reason: str) -> None: ...


class News:
    """Acts on what is heard. Everything runs in the event loop."""

    def __init__(self, house: House, journal: Journal, keeper: Keeper, bus: Bus) -> None:
        self._house = house
        self._journal = journal
        self._keeper = keeper
        self._bus = bus
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
            case NodeGone(node):
                hosted.others.discard(node)
                hosted.perform(hosted.room.node_left(node))
            case RoleChanged(_, user_id, role):
                self._change_role(hosted, user_id, role)
            case AccessRevoked(_, user_id):
                self._change_role(hosted, user_id, None)
            case ProjectDeleted():
                house.drop(hosted, CloseCode.NO_SUCH_PROJECT, "the project was deleted")
            case _:
                pass

    def catch_up(self, hosted: Hosted, after: int) -> None:
        """Read the journal behind row `after`: rows of other processes are missing here."""
        hosted.behind += 1
        self._house.start(self._catch_up(hosted, after))

    def resynchronise(self) -> None:
        """Messages were lost: every room asks the database what happened."""
        for hosted in list(self._house.rooms.values()):
            self.catch_up(hosted, hosted.room.head)
            self._house.start(self.check_memberships(hosted))
            self._bus.publish(PresenceWanted(hosted.project_id, self._house.node_id))

    async def check_memberships(self, hosted: Hosted) -> None:
        """Bring every member's role up to the database."""
        try:
            roles = await self._keeper.memberships(hosted.project_id)
        except TRANSIENT:
            return
        for member in list(hosted.room.members):
            role = roles.get(member.user_id)
            if role is None or role != member.role.value:
                self._change_role(hosted, member.user_id, None if role is None else Role(role))

    def _grew(self, hosted: Hosted, event: Grew) -> None:
        room = hosted.room
        if event.epoch != room.epoch:
            self._house.drop(hosted, CloseCode.EPOCH_CHANGED, "the project was rebuilt")
        elif event.body and event.seq == room.head + 1 and not hosted.flying:
            hosted.grow(event.seq, decode(event.body))
        elif event.seq > room.head:
            self.catch_up(hosted, room.head)

    def _introduce(self, hosted: Hosted, node: UUID) -> None:
        """Another node has opened the project: tell it who is here, and how far we are.

        It may have loaded the document before it could hear us; an empty body makes it read what it missed.
        """
        hosted.others.add(node)
        self._house.announce(hosted, hosted.room.roster.snapshot(ours_only=True) or NOBODY)
        self._bus.publish(Grew(hosted.project_id, hosted.room.epoch, hosted.room.head, b""))

    def _presence(self, hosted: Hosted, node: UUID, entries: bytes) -> None:
        hosted.others.add(node)
        try:
            heard = decode_presence(entries, GateLimits())
        except GateRefused:
            self._log.warning("unreadable presence from another node", node=str(node))
            return
        hosted.perform(hosted.room.hear_node(node, heard, self._loop.time()))

    async def _catch_up(self, hosted: Hosted, after: int) -> None:
        try:
            rows = await self._journal.tail(hosted.project_id, after)
        except PersistenceError as error:
            if not hosted.closed:
                self._house.spoiled(hosted, str(error))
            return
        except TRANSIENT as error:
            self._log.warning("tail not read", project=str(hosted.project_id), error=str(error))
            await asyncio.sleep(RETRY_SECONDS)
            if not hosted.closed:
                self.catch_up(hosted, after)
            return
        finally:
            hosted.behind -= 1
        for row in rows:
            if not hosted.closed:
                hosted.grow(row.seq, decode(row.body))

    def _change_role(self, hosted: Hosted, user_id: UUID, role: Role | None) -> None:
        for member in [member for member in hosted.room.members if member.user_id == user_id]:
            if role is None:
                self._house.expel(hosted, member, CloseCode.NOT_ALLOWED, "access revoked")
            elif role is not member.role:
                hosted.perform(hosted.room.change_role(member, role))
