"""How a connection comes into its room: the room is opened, the membership asked for, and every reason not to let it in
is told with a code."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol
from uuid import UUID

import structlog

from collab_server.closing import CloseCode
from collab_server.connection import Connection
from collab_server.hosted import Hosted
from collab_server.member import Member
from collab_server.metrics import Metrics
from collab_server.news import News
from collab_server.register import Register
from collab_server.settings import CollabSettings
from collab_server.standing import standing_of
from persistence.errors import TRANSIENT, NotFound, PersistenceError
from persistence.sessions import Admitted, Arrival
from studio.plans import PLACES

AWAY = "the database is away"


class House(Protocol):
    """What the reception needs of its hub."""

    settings: CollabSettings
    metrics: Metrics

    news: News

    @property
    def connections(self) -> Mapping[UUID, Connection]: ...

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]: ...

    async def open(self, project_id: UUID) -> Hosted: ...

    def release(self, hosted: Hosted) -> None: ...


class Reception:
    """Lets connections in, one coroutine each."""

    def __init__(self, house: House, register: Register) -> None:
        self._house = house
        self._register = register
        self._log = structlog.get_logger("reception")

    async def receive(self, connection: Connection) -> None:
        """Bring a connection into its room, or close it; it may hang up meanwhile."""
        try:
            await self._receive(connection)
        except Exception:  # whatever went wrong, nobody waits for ever
            connection.close(CloseCode.TRY_AGAIN_LATER, "the project could not be opened")
            raise

    async def _receive(self, connection: Connection) -> None:
        assert connection.project_id is not None
        hosted = await self._opened(connection, connection.project_id)
        if hosted is None:
            return
        news = hosted.standing_news
        try:
            admitted = await self._admitted(connection, connection.project_id)
        except TRANSIENT:
            connection.close(CloseCode.TRY_AGAIN_LATER, AWAY)
            return
        finally:
            self._house.release(hosted)
        refusal = self._refusal(connection, hosted, admitted)
        if refusal is not None:
            connection.close(*refusal)
        if admitted is None or admitted.full:
            return
        if refusal is not None or connection.id not in self._house.connections:
            self._register.left(connection.id, 0)
        else:
            self._let_in(connection, hosted, admitted)
            if hosted.standing_news != news:  # what is known of this membership may be older than its end
                self._house.start(self._house.news.check_memberships(hosted))

    async def _opened(self, connection: Connection, project_id: UUID) -> Hosted | None:
        """The room, with us as its visitor; None if there is none to be had, and then the connection is closed."""
        log = self._log.bind(project=str(project_id), connection=str(connection.id))
        try:
            return await self._house.open(project_id)
        except NotFound:
            connection.close(CloseCode.NO_SUCH_PROJECT, "no such project")
        except PersistenceError as error:
            log.error("room refused", error=str(error))
            connection.close(CloseCode.LOAD_FAILED, "the project could not be loaded")
        except TRANSIENT as error:
            log.warning("room not opened", error=f"{type(error).__name__}: {error}")
            connection.close(CloseCode.TRY_AGAIN_LATER, AWAY)
        return None

    async def _admitted(self, connection: Connection, project_id: UUID) -> Admitted | None:
        assert connection.principal is not None
        return await self._register.admit(Arrival(connection.id, project_id, connection.principal.user_id))

    def _refusal(
        self, connection: Connection, hosted: Hosted, admitted: Admitted | None
    ) -> tuple[CloseCode, str] | None:
        if admitted is None:
            return CloseCode.NOT_ALLOWED, "not a member"
        if admitted.full:
            places = PLACES[admitted.full]
            return CloseCode.TRY_AGAIN_LATER, f"plan: {places} of {places} places taken ({admitted.full})"
        if connection.epoch is not None and connection.epoch != hosted.room.epoch:
            return CloseCode.EPOCH_CHANGED, "the project was rebuilt"
        limits, members = self._house.settings.limits, hosted.room.members
        if len(members) >= limits.members_per_room_max:
            return CloseCode.TRY_AGAIN_LATER, "the room is full"
        assert connection.principal is not None
        user_id = connection.principal.user_id
        if sum(member.user_id == user_id for member in members) >= limits.members_per_room_and_person_max:
            return CloseCode.TRY_AGAIN_LATER, "too many connections of one person"
        if hosted.closed:
            return CloseCode.SERVICE_RESTART, "come back"
        return None

    def _let_in(self, connection: Connection, hosted: Hosted, admitted: Admitted) -> None:
        assert connection.principal is not None
        assert connection.socket is not None
        socket = connection.socket
        member = Member(
            connection.id,
            connection.principal,
            connection.dialect,
            socket.write,
            deflates=socket.deflates,
            could_write=admitted.could_write,
        )
        member.become(*standing_of(admitted.role, admitted.restriction, admitted.credited))
        self._house.metrics.opened += 1
        connection.entered(hosted, member)
