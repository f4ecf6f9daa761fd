"""One websocket's way through the server: verified, let into its room, heard, and counted."""

import asyncio
from typing import Protocol
from uuid import UUID

from collab_server import wire
from collab_server.closing import CloseCode
from collab_server.dialects.dialect import Dialect
from collab_server.gate.errors import Malformed
from collab_server.hosted import Hosted
from collab_server.member import Member
from collab_server.metrics import Metrics
from collab_server.settings import CollabSettings
from collab_server.sockets import Socket
from presence.principal import Principal


class Doorkeeper(Protocol):
    """What a connection needs of its hub."""

    settings: CollabSettings
    metrics: Metrics

    def enter(self, connection: "Connection") -> None:
        """Begin to open the connection's room; `entered` or `close` follows."""

    def left(self, connection: "Connection") -> None:
        """The connection ended, whether it had entered or not."""

    def spends(self, connection: "Connection") -> None:
        """The connection has begun to use its rate: fill it up within a second."""

    def full(self) -> bool:
        """Whether too much waits for the database to let anybody write more."""


class Connection:
    """A sockets.Handler. Until the room is open, frames wait, bounded in bytes and number."""

    __slots__ = (
        "_bytes_left",
        "_doorkeeper",
        "_loop",
        "_messages_left",
        "_paused",
        "_waiting",
        "_waiting_bytes",
        "dialect",
        "epoch",
        "hosted",
        "id",
        "member",
        "missed_pings",
        "principal",
        "project_id",
        "refusal",
        "socket",
        "spending",
    )

    def __init__(
        self,
        id: UUID,
        doorkeeper: Doorkeeper,
        dialect: Dialect,
        principal: Principal | None,
        project_id: UUID | None,
        epoch: int | None,
        refusal: tuple[CloseCode, str] | None,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self.id = id
        self.dialect = dialect
        self.principal = principal
        self.project_id = project_id
        self.epoch = epoch
        self.refusal = refusal
        self.hosted: Hosted | None = None
        self.member: Member | None = None
        self.socket: Socket | None = None
        self.spending = False
        self.missed_pings = 0
        self._doorkeeper = doorkeeper
        self._loop = loop
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._paused = False
        limits = doorkeeper.settings.limits
        self._messages_left = limits.messages_burst_max
        self._bytes_left = limits.bytes_burst_max

    # ------------------------------------------------------------------ told by the socket

    def opened(self, socket: Socket) -> None:
        """The handshake is done. A refusal is told now, with a code: a browser can't see an HTTP status."""
        self.socket = socket
        if self.refusal is not None:
            self.close(*self.refusal)
        else:
            self._doorkeeper.enter(self)

    def received(self, message: bytes) -> None:
        """A whole binary message."""
        self._spend(len(message))
        if self.hosted is None:
            self._wait(message)
        else:
            self._handle(message)

    def writing_paused(self) -> None:
        """The outbox is full."""
        if self.hosted is not None and self.member is not None:
            self.hosted.fell_behind(self.member)

    def writing_resumed(self) -> None:
        """The outbox has drained."""
        if self.hosted is not None and self.member is not None:
            self.hosted.caught_up(self.member)

    def closed(self) -> None:
        """The socket is gone."""
        self._waiting.clear()
        self._doorkeeper.left(self)

    # ------------------------------------------------------------------ told by the hub

    def entered(self, hosted: Hosted, member: Member) -> None:
        """The room is open: what waited is heard now."""
        self.hosted = hosted
        self.member = member
        waiting, self._waiting = self._waiting, []
        for message in waiting:
            self._handle(message)

    def close(self, code: CloseCode, reason: str) -> None:
        """Hang up with a reason."""
        if self.socket is not None:
            if code is not CloseCode.NORMAL and code is not CloseCode.SERVICE_RESTART:
                self._doorkeeper.metrics.refused(f"{code.value} {reason}"[:80])
            self.socket.close(code, reason)

    def refill(self) -> None:
        """A second has passed: the rate is as new, up to the burst."""
        limits = self._doorkeeper.settings.limits
        self._messages_left = min(limits.messages_burst_max, self._messages_left + limits.messages_per_second_max)
        self._bytes_left = min(limits.bytes_burst_max, self._bytes_left + limits.bytes_per_second_max)
        self.spending = self._messages_left < limits.messages_burst_max or self._bytes_left < limits.bytes_burst_max
        if self._paused and self._messages_left > 0 and self._bytes_left > 0 and self.socket is not None:
            self._paused = False
            self.socket.resume_reading()

    # ------------------------------------------------------------------ inside

    def _handle(self, message: bytes) -> None:
        # The everyday edit is recognised first: sync, update, and a length of one byte that fills the message.
        if message[:2] == b"\x00\x02" and len(message) > 3 and message[2] == len(message) - 3:
            self._edit(message[3:], merge=False)
            return
        position = 0
        try:
            while position < len(message) and self.hosted is not None:
                kind, payload, position = wire.read_message(message, position)
                self._said(kind, payload)
        except Malformed as error:
            self._expel(CloseCode.MALFORMED, error.reason)

    def _said(self, kind: wire.Kind, payload: bytes) -> None:
        hosted, member = self.hosted, self.member
        assert hosted is not None
        assert member is not None
        if kind is wire.Kind.UPDATE:
            self._edit(payload, merge=False)
        elif kind is wire.Kind.STEP2:
            self._edit(payload, merge=True)
        elif kind is wire.Kind.STEP1:
            hosted.perform(hosted.room.ask(member, payload))
        elif kind is wire.Kind.AWARENESS:
            self._doorkeeper.metrics.presence_messages += 1
            hosted.perform(hosted.room.present(member, payload, self._loop.time()))
        elif kind is wire.Kind.QUERY_AWARENESS:
            hosted.perform(hosted.room.ask_presence(member))

    def _edit(self, update: bytes, *, merge: bool) -> None:
        hosted, member = self.hosted, self.member
        if hosted is None or member is None:
            return  # expelled by what it said before in the same frame
        if self._doorkeeper.full():
            self._expel(CloseCode.TRY_AGAIN_LATER, "the database is behind: your work is safe with you, come back")
            return
        self._doorkeeper.metrics.updates += 1
        hosted.perform(hosted.room.edit(member, update, merge=merge))

    def _expel(self, code: CloseCode, reason: str) -> None:
        if self.hosted is not None and self.member is not None:
            self.hosted.hub.expel(self.hosted, self.member, code, reason)

    def _wait(self, message: bytes) -> None:
        limits = self._doorkeeper.settings.limits
        self._waiting_bytes += len(message)
        if self._waiting_bytes > limits.waiting_bytes_max or len(self._waiting) >= limits.waiting_frames_max:
            self._waiting.clear()
            self.close(CloseCode.RATE, "too much before the room was open")
            return
        self._waiting.append(message)

    def _spend(self, size: int) -> None:
        self._messages_left -= 1
        self._bytes_left -= size
        if not self.spending:
            self.spending = True
            self._doorkeeper.spends(self)
        if (self._messages_left <= 0 or self._bytes_left <= 0) and not self._paused and self.socket is not None:
            self._paused = True
            self.socket.pause_reading()
