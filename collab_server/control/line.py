"""One control socket: its clock questions are answered on the spot, its commands go to the stage.

Nothing here waits for anything. Before somebody's role is known pings are answered already, as the ticket was good.
"""

from typing import Final, Protocol, assert_never
from uuid import UUID

from collab_server import frames
from collab_server.closing import CloseCode
from collab_server.control.figures import Figures
from collab_server.control.messages import Ask, Follow, Ping, Refused, Unreadable, encoded, nack, read
from collab_server.settings import Limits
from collab_server.sockets import Socket
from presence.principal import Principal
from studio.roles import Action, Options, Role, may, option_for

COMMANDS_PER_SECOND: Final = 20.0
COMMANDS_BURST: Final = 120.0
NOT_OPENED: Final = "the owner of this project has not opened this to your role"


class Bucket:
    """A rate: full at first, refilled with time (ms)."""

    __slots__ = ("_at", "_burst", "_left", "_per_ms")

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_ms = per_second / 1000
        self._burst = burst
        self._left = burst
        self._at = 0.0

    def take(self, now: float) -> bool:
        """One of it, if there is one at `now`, which may be set back."""
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._per_ms)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class House(Protocol):
    """What a line needs around it."""

    boot: str
    limits: Limits
    figures: Figures

    def now(self) -> float:
        """The servers' shared time, ms."""

    def enter(self, line: "Line") -> None:
        """Find out who it is; `entered` or `close` follows."""

    def asked(self, line: "Line", ask: Ask, message: bytes, read_at: float) -> None:
        """A command of somebody who may command; `answer` follows."""

    def left(self, line: "Line") -> None:
        """The socket is gone."""

    def refused(self, reason: str) -> None:
        """Count a refusal."""


class Line:
    """A sockets.TextHandler."""

    __slots__ = (
        "_commands",
        "_full",
        "_house",
        "_messages",
        "_refusal",
        "_socket",
        "follows",
        "heard_at",
        "id",
        "options",
        "principal",
        "project_id",
        "role",
        "rtt",
    )

    def __init__(
        self,
        id: UUID,
        house: House,
        principal: Principal | None,
        project_id: UUID,
        refusal: tuple[CloseCode, str] | None,
    ) -> None:
        self.id = id
        self.principal = principal
        self.project_id = project_id
        self.role: Role | None = None
        self.options = Options()
        self.rtt = 0.0
        """The shortest round trip its client has seen, in ms."""
        self.follows = False
        self.heard_at = house.now()
        self._house = house
        self._refusal = refusal
        self._socket: Socket | None = None
        self._full = False
        limits = house.limits
        self._messages = Bucket(limits.control_messages_per_second_max, limits.control_messages_burst_max)
        self._commands = Bucket(COMMANDS_PER_SECOND, COMMANDS_BURST)

    # ------------------------------------------------------------------ told by the socket

    def opened(self, socket: Socket) -> None:
        """The handshake is done."""
        self._socket = socket
        if self._refusal is not None:
            self.close(*self._refusal)
        else:
            self._house.enter(self)

    def received(self, message: bytes) -> None:
        """A binary message: not here."""
        self.close(CloseCode.UNSUPPORTED_DATA, "text messages only")

    def received_text(self, message: bytes) -> None:
        """A message."""
        now = self._house.now()
        self.heard_at = now
        if len(message) > self._house.limits.control_message_bytes_max:
            self.close(CloseCode.TOO_LARGE, "message too large")
            return
        if not self._messages.take(now):
            self.close(CloseCode.RATE, "too many messages")
            return
        try:
            told = read(message)
        except Unreadable as error:
            self.close(CloseCode.MALFORMED, error.reason)
            return
        except Refused as error:
            self.answer(nack(error.id, "invalid", reason=error.reason), now)
            return
        match told:
            case Ping():
                self._pong(told, now)
            case Follow(room):
                self.follows = room
            case Ask():
                self._ask(told, message, now)
            case _:
                assert_never(told)

    def writing_paused(self) -> None:
        """It does not read: states pass it by."""
        self._full = True

    def writing_resumed(self) -> None:
        """It reads again, and must be told where things are."""
        self._full = False
        if self.role is not None:
            self._house.enter(self)

    def closed(self) -> None:
        """The socket is gone."""
        self._house.left(self)
        self._socket = None

    # ------------------------------------------------------------------ told by the house

    def become(self, role: Role, options: Options) -> None:
        """The person's role in a project with these options, now or from now on."""
        first = self.role is None
        self.role, self.options = role, options
        told = {"t": "hello" if first else "role", "role": role.value, "may": self.may_command}
        self.tell(encoded({**told, "boot": self._house.boot} if first else told))

    def restand(self, role: Role | None, options: Options) -> None:
        """What the person is by now, and what that means here; nothing (None) ends the line."""
        if role is None:
            self.close(CloseCode.NOT_ALLOWED, "access revoked")
        elif role is not self.role or may(role, Action.TRANSPORT, options) is not self.may_command:
            self.become(role, options)
        else:
            self.options = options

    @property
    def user_id(self) -> UUID:
        """Whose line it is; lines without a good ticket are never let in."""
        assert self.principal is not None
        return self.principal.user_id

    @property
    def may_command(self) -> bool:
        return self.role is not None and may(self.role, Action.TRANSPORT, self.options)

    def denial(self, ask: Ask) -> dict[str, object]:
        """The answer to a command of somebody who may not; where an option of the project decides, it says so."""
        opens = self.role is not None and option_for(self.role, Action.TRANSPORT) is not None
        return nack(ask.id, "forbidden", reason=NOT_OPENED if opens else "")

    def tell(self, message: bytes) -> None:
        """Send a message."""
        self.write(frames.text(message))

    def write(self, frame: bytes) -> None:
        """Send a frame built for many."""
        if self._socket is not None and not self._full:
            self._socket.write(frame)

    def answer(self, answer: dict[str, object], read_at: float) -> None:
        """The answer to a command that was read at `read_at`."""
        now = self._house.now()
        self._house.figures.answered(answer, max(0.0, now - read_at) / 1000)
        self.tell(encoded({**answer, "r": round(read_at, 3), "s": round(now, 3)}))

    def close(self, code: CloseCode, reason: str) -> None:
        """Hang up with a reason."""
        if self._socket is not None:
            if code is not CloseCode.SERVICE_RESTART:
                self._house.refused(f"{code.value} {reason}"[:80])
            self._socket.close(code, reason)

    # ------------------------------------------------------------------ inside

    def _pong(self, ping: Ping, read_at: float) -> None:
        if ping.rtt is not None:
            self.rtt = ping.rtt
        head = f'{{"t":"pong","n":{ping.n},"c":{ping.c!r},"r":{read_at:.3f},"boot":"{self._house.boot}","s":'
        sent_at = self._house.now()
        self.tell(b"%s%.3f}" % (head.encode(), sent_at))
        figures = self._house.figures
        figures.pings += 1
        figures.ping_ms += max(0.0, sent_at - read_at)

    def _ask(self, ask: Ask, message: bytes, read_at: float) -> None:
        if not self._commands.take(read_at):
            self.answer(nack(ask.id, "rate"), read_at)
        elif not self.may_command:
            self.answer(self.denial(ask), read_at)
        else:
            self._house.asked(self, ask, message, read_at)
