"""One websocket's way through the server: verified, let into its room, heard, and counted.

Whoever sends much is heard in turns: after a few milliseconds of work for one connection the others have theirs. What
has been read meanwhile waits, in order; and when much waits, no more is read.
"""

import asyncio
from collections import deque
from time import perf_counter
from typing import Protocol
from uuid import UUID

from collab_server import wire
from collab_server.allowance import TURN_SECONDS, Allowance, price
from collab_server.closing import CloseCode
from collab_server.dialects.dialect import Dialect
from collab_server.gate.errors import Malformed
from collab_server.hosted import Hosted
from collab_server.line import Line
from collab_server.member import Member
from collab_server.metrics import Metrics
from collab_server.pulse import Pulse
from collab_server.settings import CollabSettings
from presence.principal import Principal

SLOW_MESSAGE_SECONDS = 50e-6
"""An update that takes longer is no everyday edit, however short it is."""
MESSAGES_PER_FRAME_MAX = 1_000
STATELESS_WORK = 400
"""What a stateless message counts beside its time: it goes to every node that has the project open."""
STATELESS = -1
"""Instead of how many messages may follow, for a stateless message that waits."""


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
    """A sockets.Handler. Until the room is open, and between its turns, messages wait."""

    __slots__ = (
        "_allowance",
        "_doorkeeper",
        "_held",
        "_loop",
        "_paused",
        "_pulse",
        "_resting",
        "_waiting",
        "_waiting_bytes",
        "dialect",
        "epoch",
        "hosted",
        "id",
        "member",
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
        self.socket: Line | None = None
        self.spending = False
        self._doorkeeper = doorkeeper
        self._loop = loop
        self._waiting: deque[tuple[bytes, int, int]] = deque()
        """Frames that were not heard yet: the frame, the position from which on, and how many messages may follow."""
        self._waiting_bytes = 0
        self._held: tuple[bytes, bool] | None = None
        self._paused = False
        self._resting = False
        self._allowance = Allowance(doorkeeper.settings.limits)
        self._pulse = Pulse(doorkeeper.settings)

    # ------------------------------------------------------------------ told by the socket

    def opened(self, socket: "Line") -> None:
        """The handshake is done. A refusal is told now, with a code: a browser can't see an HTTP status."""
        self.socket = socket
        if self.refusal is not None:
            self.close(*self.refusal)
        else:
            self._doorkeeper.enter(self)

    def received(self, message: bytes) -> None:
        """A whole binary message."""
        if not self.spending:
            self._begin_to_spend()
        if self._waiting or self.hosted is None or self._held is not None:
            self._allowance.spend(1, len(message))
            self._put_off(message, MESSAGES_PER_FRAME_MAX)
        elif self._allowance.hears(len(message), self._loop.time()):
            self._handle(message, 0, MESSAGES_PER_FRAME_MAX)
        else:
            self._put_off(message, MESSAGES_PER_FRAME_MAX)

    def said(self, payload: bytes) -> None:
        """A stateless message (UTF-8) for everybody else: it has its turn and its price like any other."""
        self._spend(1, len(payload))
        if self._waiting or self.hosted is None or not self._has_turn():
            self._put_off(payload, STATELESS)
        else:
            self._say(payload)

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
        """The room is open: the member joins it, and what waited is heard now."""
        assert self.socket is not None
        self.hosted = hosted
        self.member = member
        if self.socket.full:  # it tells so but once, and this may not be its first document
            hosted.fell_behind(member)
        hosted.perform(hosted.room.join(member))
        self._go_on()

    def close(self, code: CloseCode, reason: str) -> None:
        """Hang up with a reason."""
        if self.socket is not None:
            if code is not CloseCode.NORMAL and code is not CloseCode.SERVICE_RESTART:
                self._doorkeeper.metrics.refused(f"{code.value} {reason}"[:80])
            self.socket.close(code, reason)

    def refill(self) -> None:
        """A second has passed: the rate is as new, up to the burst."""
        self.spending = self._allowance.refill()
        self._regulate()

    def feel_pulse(self, now: float) -> float | None:
        """Whether anybody is there, and hears that we are. When to look again; None if they are gone."""
        hosted, member, socket = self.hosted, self.member, self.socket
        if hosted is None or member is None or socket is None:
            return self._pulse.wait(now)  # the database is waited for: who has said much meanwhile is not heard
        spoken_at = hosted.spoken_at if member.follows else 0.0
        return self._pulse.look(socket, self.dialect.keep_alive(), spoken_at, now)

    def charge(self, seconds: float, size: int = 0) -> None:
        """What it said has cost this much time, now or later, and `size` bytes are kept: as if it had sent so many
        everyday edits, and those bytes."""
        messages = price(seconds)
        self._allowance.work(messages)
        self._spend(messages, size)
        self._regulate()

    def hold(self, update: bytes, merge: bool) -> None:
        """Hear nothing more until `release`: this cannot be decided yet."""
        self._held = update, merge

    def release(self) -> None:
        """What was held is heard again, and then what has come since."""
        held, self._held = self._held, None
        if held is not None:
            self._edit(held[0], merge=held[1])
            self._go_on()

    # ------------------------------------------------------------------ inside

    def _has_turn(self) -> bool:
        return self._held is None and self._allowance.has_turn(self._loop.time())

    def _go_on(self) -> None:
        """Hear what waits, as far as this turn goes."""
        self._resting = False
        while self._waiting and self.hosted is not None and self._has_turn():
            message, position, left = self._waiting.popleft()
            self._waiting_bytes -= len(message)
            if left == STATELESS:
                self._say(message)
            else:
                self._handle(message, position, left)
        self._rest()
        self._regulate()

    def _put_off(self, message: bytes, left: int) -> None:
        """Hear it later, behind what waits."""
        self._waiting.append((message, 0, left))
        self._waiting_bytes += len(message)
        self._rest()
        self._regulate()

    def _rest(self) -> None:
        """Go on after the others had their turn."""
        if self._waiting and self.hosted is not None and not self._resting:
            self._resting = True
            self._loop.call_later(TURN_SECONDS, self._go_on)

    def _handle(self, message: bytes, position: int, left: int) -> None:
        # The everyday edit is recognised first: sync, update, and a length of one byte that fills the message.
        if message[:2] == b"\x00\x02" and len(message) > 3 and message[2] == len(message) - 3:
            self._allowance.work(1)
            started = perf_counter()
            self._edit(message[3:], merge=False)
            spent = perf_counter() - started
            if spent > SLOW_MESSAGE_SECONDS:
                self.charge(spent)
            return
        if message[:1] == b"\x01" and self._show(message):
            return
        try:
            while position < len(message) and self.hosted is not None:
                if not self._has_turn():
                    self._waiting.appendleft((message, position, left))
                    self._waiting_bytes += len(message)
                    self._rest()
                    return
                if not left:
                    self._expel(CloseCode.RATE, "too many messages in one frame")
                    return
                left -= 1
                started = perf_counter()
                kind, payload, position = wire.read_message(message, position)
                self._said(kind, payload)
                self._allowance.work(1)
                self.charge(perf_counter() - started)
        except Malformed as error:
            self._expel(CloseCode.MALFORMED, error.reason)

    def _show(self, message: bytes) -> bool:
        """Hear the everyday presence: one message that fills the frame. False if this is another, which is not heard.

        The turn was asked for already, and nothing is regulated that can't have changed.
        """
        try:
            length, start = wire.read_varuint(message, 1)
        except Malformed:
            return False
        if start + length != len(message):
            return False
        if not self.spending:  # it may have waited for long
            self._begin_to_spend()
        started = perf_counter()
        self._present(message[start:])
        if self._allowance.heard(perf_counter() - started) or self._paused:
            self._regulate()
        return True

    def _say(self, payload: bytes) -> None:
        assert self.hosted is not None
        assert self.member is not None
        started = perf_counter()
        self.hosted.say(self.member, payload.decode())
        self._allowance.work(STATELESS_WORK)
        self._spend(STATELESS_WORK, 0)
        self.charge(perf_counter() - started)

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
            self._present(payload)
        elif kind is wire.Kind.QUERY_AWARENESS:
            hosted.perform(hosted.room.attendance.ask(member))

    def _present(self, entries: bytes) -> None:
        hosted, member = self.hosted, self.member
        assert hosted is not None
        assert member is not None
        self._doorkeeper.metrics.presence_messages += 1
        hosted.perform(hosted.room.attendance.hear(member, entries, self._loop.time()))

    def _edit(self, update: bytes, *, merge: bool) -> None:
        hosted, member = self.hosted, self.member
        if hosted is None or member is None:
            return  # expelled by what it said before in the same frame
        if self._doorkeeper.full():
            self._expel(CloseCode.TRY_AGAIN_LATER, "the database is behind: your work is safe with you, come back")
            return
        self._doorkeeper.metrics.updates += 1
        if merge:
            now = self._loop.time()
            hosted.perform(hosted.room.edit(member, update, merge=True, loss=hosted.loss, now=now))
        else:
            hosted.perform(hosted.room.edit(member, update))

    def _expel(self, code: CloseCode, reason: str) -> None:
        if self.hosted is not None and self.member is not None:
            self.hosted.hub.expel(self.hosted, self.member, code, reason)

    def _spend(self, messages: int, size: int) -> None:
        self._allowance.spend(messages, size)
        if not self.spending:
            self._begin_to_spend()

    def _begin_to_spend(self) -> None:
        self.spending = True
        self._doorkeeper.spends(self)

    def _regulate(self) -> None:
        """Read no more than can be heard."""
        limits = self._doorkeeper.settings.limits
        frames_max = limits.waiting_frames_max if self.hosted is None else 1
        full = self._waiting_bytes > limits.waiting_bytes_max or len(self._waiting) >= frames_max
        pause = full or self._allowance.used_up
        if pause != self._paused and self.socket is not None:
            self._paused = pause
            if pause:
                self.socket.pause_reading()
            else:
                self.socket.resume_reading()
