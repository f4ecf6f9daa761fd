"""One room in this process with everything around it that needs no database: sockets without a network come and go."""

import asyncio
from collections.abc import Coroutine
from typing import Any, cast
from uuid import UUID, uuid4

from collab_server.care import Care
from collab_server.chores import Chores
from collab_server.closing import CloseCode
from collab_server.connection import Connection
from collab_server.hosted import Hosted
from collab_server.loss import Inquiry
from collab_server.member import Member
from collab_server.metrics import Metrics
from collab_server.neighbours import Neighbours
from collab_server.seats import Seats
from collab_server.settings import CollabSettings
from collab_server.sockets import Handler, Socket
from presence.dispatch import Dispatch
from presence.events import Event, Said
from presence.memory_bus import MemoryBroker, MemoryBus
from presence.principal import Principal
from studio.restriction import Restriction
from studio.roles import Role
from tests.collab_server.house import Unkept
from tests.collab_server.rooms import PROJECT, open_room


class Wire:
    """What a handler sees of a socket. The peer takes nothing until `drain`."""

    deflates = False

    def __init__(self, handler: Handler, outbox_bytes: int) -> None:
        self.frames = 0
        self.paused = False
        self.full = False
        self.closed: tuple[int, str] | None = None
        self.data = bytearray()
        """What the peer has not taken."""
        self._handler = handler
        self._outbox_bytes = outbox_bytes
        handler.opened(cast(Socket, self))

    def write(self, data: bytes) -> None:
        """Like asyncio's: it is told once when it is full, not for each byte beyond."""
        self.data += data
        if len(self.data) > self._outbox_bytes and not self.full:
            self.full = True
            self._handler.writing_paused()

    def drain(self) -> bytes:
        """The peer takes everything."""
        taken, self.data = bytes(self.data), bytearray()
        if self.full:
            self.full = False
            self._handler.writing_resumed()
        return taken

    def buffered(self) -> int:
        return len(self.data)

    def close(self, code: CloseCode, reason: str) -> None:
        self.closed = self.closed or (code.value, reason)

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Ear(MemoryBus):
    """A bus that goes nowhere; it notes the stateless messages that would have been sent."""

    def __init__(self, told: list[str]) -> None:
        super().__init__(MemoryBroker(), Dispatch())
        self._told = told

    def publish(self, event: Event) -> None:
        if isinstance(event, Said):
            self._told.append(event.payload.decode())


async def _nobody() -> set[UUID]:
    return set()


class Lobby:
    """A Doorkeeper who lets everybody in, with the surroundings of the one room behind the door."""

    def __init__(self, settings: CollabSettings | None = None, role: Role = Role.EDITOR) -> None:
        self.settings = settings or CollabSettings()
        self.metrics = Metrics()
        self.role = role
        self.restriction: Restriction | None = None
        self.connections: dict[UUID, Connection] = {}
        self.told: list[str] = []
        """Stateless messages for other nodes."""
        self.safekeeping = Unkept()
        self.expelled: dict[UUID, tuple[int, str]] = {}
        self.loop = asyncio.get_running_loop()
        self.care = Care(self.loop.time())
        self.closed_door = False
        """Whether everybody has to wait for `let_in`."""
        neighbours = Neighbours(Ear(self.told), UUID(int=1), PROJECT)
        neighbours.heard(UUID(int=2), self.loop.time())
        inquiry = Inquiry(neighbours.ask, _nobody, neighbours.heard_at)
        room, chores = open_room(limits=self.settings.limits), Chores(0, 0, projection_due=False)
        self.hosted = Hosted(room, self, neighbours, inquiry, self.loop, chores)

    def seats(self) -> tuple[Seats, Wire]:
        """A Hocuspocus socket; every token is a new person's."""
        made = Seats(self, lambda _, project: self.person(project), self.loop)
        return made, Wire(made, self.settings.limits.outbox_bytes_max)

    def person(self, project: UUID = PROJECT) -> Principal:
        """Somebody new."""
        return Principal(uuid4(), "Ada", "#aa3355", self.role, project, True)

    # ------------------------------------------------------------------ a Doorkeeper

    def enter(self, connection: Connection) -> None:
        if not self.closed_door:
            self.let_in(connection)

    def let_in(self, connection: Connection) -> None:
        """Its room is open."""
        assert connection.principal is not None
        assert connection.socket is not None
        member = Member(connection.id, connection.principal, connection.dialect, connection.socket.write)
        member.become(self.role, self.restriction)
        self.connections[connection.id] = connection
        connection.entered(self.hosted, member)

    def left(self, connection: Connection) -> None:
        if self.connections.pop(connection.id, None) is not None and connection.member is not None:
            self.hosted.leave(connection.member)
        connection.hosted = connection.member = None

    def spends(self, connection: Connection) -> None: ...

    def full(self) -> bool:
        return False

    # ------------------------------------------------------------------ Surroundings

    def record(self, hosted: Hosted) -> None: ...

    def expel(self, hosted: Hosted, member: Member, code: CloseCode, reason: str) -> None:
        self.expelled[member.id] = code.value, reason
        connection = self.connections[member.id]
        connection.close(code, reason)
        self.left(connection)

    def charge(self, member: Member, seconds: float) -> None: ...

    def start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = self.loop.create_task(work)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # logged by the hub
        return task

    def release(self, hosted: Hosted) -> None:
        hosted.visitors -= 1

    def hold(self, member: Member, update: bytes, merge: bool) -> None:
        self.connections[member.id].hold(update, merge)

    def hear_again(self, member: Member) -> None:
        if member.id in self.connections:
            self.connections[member.id].release()

    async def holds_all(self, hosted: Hosted) -> bool:
        return not hosted.behind

    def spoiled(self, hosted: Hosted, reason: str) -> None:
        raise AssertionError(reason)
