"""One socket of a Hocuspocus provider: many documents, each let in by its own token.

Each document has a seat: a Connection of its own, which sees the socket as if it were alone on it. Nothing of a
document is heard before its token came; what comes earlier waits, within bounds of bytes, messages, documents and time.
"""

import asyncio
from collections.abc import Callable
from typing import Final
from uuid import UUID, uuid4

from collab_server.closing import CloseCode
from collab_server.connection import Connection, Doorkeeper
from collab_server.dialects import hocuspocus
from collab_server.dialects.hocuspocus import Hocuspocus
from collab_server.gate.errors import Malformed
from collab_server.sockets import Socket
from collab_server.wire import read_varstring, read_varuint
from presence.errors import TicketExpired, TicketInvalid
from presence.principal import Principal

Verify = Callable[[str, UUID], Principal]
"""Token and project → who it is. Raises TicketExpired, TicketInvalid."""

ADDRESS_BYTES_MAX: Final = 256
STATELESS_CHARS_MAX: Final = 4096
EARLY_BYTES_MAX: Final = 256 * 1024
EARLY_MESSAGES_MAX: Final = 256
TOKENS_MAX: Final = 400
"""In the life of a socket: one for each document, and again when they are renewed."""

OF_THE_DOCUMENT: Final = frozenset(
    {CloseCode.TICKET, CloseCode.NOT_ALLOWED, CloseCode.NO_SUCH_PROJECT, CloseCode.EPOCH_CHANGED}
)
"""What ends a document for good but says nothing about the others. Anything else ends the socket: the provider comes
back with all its documents, as it does not rejoin one by itself."""


class Seats:
    """A sockets.Handler."""

    def __init__(self, doorkeeper: Doorkeeper, verify: Verify, loop: asyncio.AbstractEventLoop) -> None:
        self._doorkeeper = doorkeeper
        self._verify = verify
        self._loop = loop
        self._seats: dict[bytes, Seat] = {}
        """By the address as it is written."""
        self._early: dict[bytes, list[bytes]] = {}
        self._early_bytes = 0
        self._early_messages = 0
        self._tokens = 0
        self._socket: Socket | None = None
        self._late: asyncio.TimerHandle | None = None
        self._paused: set[Seat] = set()

    # ------------------------------------------------------------------ told by the socket

    def opened(self, socket: Socket) -> None:
        """The handshake is done: tokens follow."""
        self._socket = socket
        self._expect_token()

    def received(self, message: bytes) -> None:
        """A whole binary message."""
        length = message[0] if message else 0
        seat = self._seats.get(message[: length + 1])
        if seat is not None and len(message) > length + 1 and message[length + 1] == hocuspocus.SYNC:
            seat.connection.received(message[length + 1 :])
            return
        if message == hocuspocus.PONG:
            return
        try:
            self._hear(message)
        except Malformed as error:
            self.hang_up(CloseCode.MALFORMED, error.reason)

    def writing_paused(self) -> None:
        """The outbox is full: every document falls behind."""
        for seat in list(self._seats.values()):
            seat.connection.writing_paused()

    def writing_resumed(self) -> None:
        """The outbox has drained."""
        for seat in list(self._seats.values()):
            seat.connection.writing_resumed()

    def closed(self) -> None:
        """The socket is gone, and with it all seats."""
        if self._late is not None:
            self._late.cancel()
        self._early.clear()
        seats, self._seats = list(self._seats.values()), {}
        for seat in seats:
            seat.connection.closed()

    # ------------------------------------------------------------------ told by seats

    def leave(self, prefix: bytes) -> None:
        """A document's seat is given up; the socket stays."""
        seat = self._seats.pop(prefix, None)
        if seat is not None:
            self.pause(seat, False)
            seat.connection.closed()
            if not self._seats and self._late is None:
                self._expect_token()  # nobody counts or pings a socket that has no document

    def hang_up(self, code: CloseCode, reason: str) -> None:
        """End the socket."""
        if self._socket is not None:
            self._doorkeeper.metrics.refused(f"{code.value} {reason}"[:80])
        self.end(code, reason)

    def end(self, code: CloseCode, reason: str) -> None:
        """End the socket for every document on it."""
        if self._socket is not None:
            self._socket.close(code, reason)
        self.closed()

    def pause(self, seat: "Seat", paused: bool) -> None:
        """A socket is read while no document of it has too much waiting."""
        if self._socket is None:
            return
        before = bool(self._paused)
        (self._paused.add if paused else self._paused.discard)(seat)
        if bool(self._paused) != before:
            (self._socket.pause_reading if paused else self._socket.resume_reading)()

    # ------------------------------------------------------------------ inside

    def _hear(self, message: bytes) -> None:
        address, start = read_varstring(message, 0)
        if start > ADDRESS_BYTES_MAX:
            raise Malformed("address")
        prefix = message[:start]
        kind, position = read_varuint(message, start)
        seat = self._seats.get(prefix)
        if kind == hocuspocus.AUTH:
            self._authenticate(address, prefix, message, position)
        elif seat is None:
            self._keep_early(prefix, message)
        elif kind in (hocuspocus.SYNC, hocuspocus.AWARENESS, hocuspocus.QUERY_AWARENESS):
            seat.connection.received(message[start:])
        elif kind == hocuspocus.SYNC_REPLY:
            seat.connection.received(bytes((hocuspocus.SYNC,)) + message[position:])
        elif kind == hocuspocus.STATELESS:
            seat.say(read_varstring(message, position)[0])
        elif kind == hocuspocus.CLOSE:
            self.leave(prefix)
        elif kind == hocuspocus.BROADCAST_STATELESS:
            self.hang_up(CloseCode.NOT_ALLOWED, "only servers broadcast")

    def _authenticate(self, address: str, prefix: bytes, message: bytes, position: int) -> None:
        self._tokens += 1
        if self._tokens > TOKENS_MAX:
            self.hang_up(CloseCode.RATE, "too many tokens")
            return
        asked, position = read_varuint(message, position)
        if asked != 0:
            raise Malformed("auth")
        token, _ = read_varstring(message, position)  # providers from 4 on tell their version behind it
        dialect = Hocuspocus(address)
        project = address.split(hocuspocus.SESSION, 1)[0]
        early = self._early.pop(prefix, [])
        self._early_messages -= len(early)
        self._early_bytes -= sum(map(len, early))
        try:
            project_id = UUID(project)
            principal = self._verify(token, project_id)
        except (ValueError, TicketExpired, TicketInvalid) as error:
            self._refuse(dialect, error)
            return
        if prefix in self._seats:
            return  # a token was renewed: the seat is taken already
        if len(self._seats) >= self._doorkeeper.settings.limits.documents_per_socket_max:
            self.hang_up(CloseCode.RATE, "too many documents on one socket")
            return
        self._sit_down(dialect, prefix, principal, project_id)
        for waiting in early:
            self.received(waiting)

    def _sit_down(self, dialect: Hocuspocus, prefix: bytes, principal: Principal, project_id: UUID) -> None:
        assert self._socket is not None
        connection = Connection(uuid4(), self._doorkeeper, dialect, principal, project_id, None, None, self._loop)
        seat = self._seats[prefix] = Seat(self, self._socket, connection, dialect, prefix)
        connection.opened(seat)

    def _refuse(self, dialect: Hocuspocus, error: Exception) -> None:
        assert self._socket is not None
        expired = isinstance(error, TicketExpired)
        reason = "the ticket has expired" if expired else "the ticket is not valid"
        self._doorkeeper.metrics.refused(f"{CloseCode.TICKET.value} {reason}")
        self._socket.write(dialect.refused(reason))

    def _keep_early(self, prefix: bytes, message: bytes) -> None:
        self._early_messages += 1
        self._early_bytes += len(message)
        limits = self._doorkeeper.settings.limits
        if (
            self._early_messages > EARLY_MESSAGES_MAX
            or self._early_bytes > EARLY_BYTES_MAX
            or len(self._early) > limits.documents_per_socket_max
        ):
            self.hang_up(CloseCode.AUTH_TIMEOUT, "a token has to come first")
            return
        self._early.setdefault(prefix, []).append(message)

    def _expect_token(self) -> None:
        self._late = self._loop.call_later(self._doorkeeper.settings.limits.handshake_seconds_max, self._be_strict)

    def _be_strict(self) -> None:
        """By now a token must have come for something, and for whatever was sent."""
        self._late = None
        if self._early or not self._seats:
            self.hang_up(CloseCode.AUTH_TIMEOUT, "no token came in time")


class Seat:
    """What the Connection of one document sees as its socket (connection.Line)."""

    def __init__(
        self, seats: Seats, socket: Socket, connection: Connection, dialect: Hocuspocus, prefix: bytes
    ) -> None:
        self.connection = connection
        self.write = socket.write
        self._seats = seats
        self._socket = socket
        self._dialect = dialect
        self._prefix = prefix

    @property
    def frames(self) -> int:
        """Signs of life of the socket."""
        return self._socket.frames

    @property
    def deflates(self) -> bool:
        """Whether the socket takes compressed messages."""
        return self._socket.deflates

    @property
    def full(self) -> bool:
        """Whether the socket's outbox is full, of whichever document."""
        return self._socket.full

    @property
    def paused(self) -> bool:
        """Whether the socket is not read at the moment, for whichever document."""
        return self._socket.paused

    def pause_reading(self) -> None:
        """Too much waits of this document."""
        self._seats.pause(self, True)

    def resume_reading(self) -> None:
        """There is room again."""
        self._seats.pause(self, False)

    def buffered(self) -> int:
        """Bytes written but not yet taken by the system, for all documents of the socket."""
        return self._socket.buffered()

    def close(self, code: CloseCode, reason: str) -> None:
        """End this document for its provider, or the whole socket if coming back helps or the fault is the peer's."""
        if code not in OF_THE_DOCUMENT:
            self._seats.end(code, reason)
            return
        inside = self.connection.hosted is not None
        self.write(self._dialect.closed(reason) if inside else self._dialect.refused(reason))
        self._seats.leave(self._prefix)

    def say(self, payload: str) -> None:
        """A stateless message for everybody else in the room."""
        if len(payload) > STATELESS_CHARS_MAX:
            raise Malformed("stateless message too long")
        self.connection.said(payload.encode())
