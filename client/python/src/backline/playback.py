"""The shared transport of a project: what plays for everybody, and commands to it."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from weakref import WeakSet

from backline.clock import BURST, Report
from backline.control import Control
from backline.errors import (
    BacklineError,
    Closed,
    CommandRefused,
    InvalidValue,
    NotAllowed,
    Stale,
    Unanswered,
    Unreachable,
)
from backline.orders import Orders
from backline.playing import Followed, Playing, playing_of, timeline_of
from backline.specs import Integer, Number
from backline.states import States
from backline.tickets import Tickets
from backline.timeline import Timeline

WITHIN_SECONDS: Final = 15.0
DETOUR_SECONDS: Final = 2.0
"""By then a state that was acknowledged has come too, by whatever way."""
TICK: Final = Number(0, 2**31, 0)
BARS: Final = Integer(0, 4, 0)
RATE: Final = Number(0.25, 4, 1)


class Playback:
    """The shared transport as it is now, kept up to date in the background; made by `project.playback()`.

    Commands are absolute, so that giving one twice is giving it once, and are carried out in one order for everybody.
    Each waits for the server's word, through broken connections and changes of the deciding node, and returns the state
    that holds then. With `given`, a state that was seen, it is carried out only while that is still the state: else
    Stale, which has the present one. They raise InvalidValue before anything is sent, NotAllowed for who may not
    command, CommandRefused, and Unanswered after `within` seconds.
    """

    def __init__(self, tickets: Tickets, *, follow: bool = False) -> None:
        """Not connected: `project.playback()` does that."""
        self.role = ""
        """What we are in the project, by the server's word."""
        self.may_command = False
        self.control = Control(tickets, self._told, self._lost, follow=follow)
        self._timeline: Timeline | None = None
        self._followed: Followed | None = None
        self._here = self._closed = False
        self._orders = Orders(self.control.say)
        self._streams: WeakSet[States] = WeakSet()
        self._news = asyncio.Event()

    # ------------------------------------------------------------------ reading

    @property
    def state(self) -> Playing:
        """What was told last."""
        return self._known().state

    @property
    def connected(self) -> bool:
        """Whether the server is heard."""
        return self._here

    @property
    def over(self) -> BacklineError | None:
        """Why the server refuses us for good; None while it does not."""
        return self.control.failure

    def now(self) -> float:
        """The servers' time, ms since 1970: what `state.t0` counts in."""
        return self.control.now()

    def clock(self) -> Report:
        """How well that is known: `bound` is the error at most, `stale` whether it was lost."""
        return self.control.report()

    def position(self, now: float | None = None) -> float:
        """Where it is, in ticks, at a moment of the servers' time (None: now)."""
        at = self.now() if now is None else now
        state, timeline = self._known().holding(at)
        return state.position(timeline, at)

    def playing(self, now: float | None = None) -> bool:
        """Whether it sounds at a moment of the servers' time (None: now): neither stopped nor counting in."""
        at = self.now() if now is None else now
        return self._known().holding(at)[0].mode_at(at) == "playing"

    def timeline(self) -> Timeline:
        """Ticks and seconds by the tempo map that the state goes by."""
        return self._known().timeline

    def states(self) -> States:
        """`async for state in playback.states()`: the state as it is, then every new one."""
        stream = States(self._followed.state if self._followed is not None else None)
        if self._closed or self.over is not None:
            stream.close(self.over)
        self._streams.add(stream)
        return stream

    # ------------------------------------------------------------------ commands

    async def play(
        self,
        at: float | None = None,
        *,
        count_in: int | None = None,
        given: Playing | None = None,
        within: float = WITHIN_SECONDS,
    ) -> Playing:
        """Play from a tick (None: where it stands), after `count_in` bars (0 to 4; None: as the project is set)."""
        wanted = {"pos": _allowed("at", TICK, at), "count_in": _allowed("count_in", BARS, count_in)}
        return await self._command("play", wanted, given, within)

    async def stop(
        self, at: float | None = None, *, given: Playing | None = None, within: float = WITHIN_SECONDS
    ) -> Playing:
        """Stop, at a tick or (None) where it is."""
        return await self._command("stop", {"pos": _allowed("at", TICK, at)}, given, within)

    async def seek(self, at: float, *, given: Playing | None = None, within: float = WITHIN_SECONDS) -> Playing:
        """Go to a tick; what plays goes on playing."""
        if at is None:
            raise InvalidValue("playback/at", at, "a tick is needed")
        return await self._command("seek", {"pos": _allowed("at", TICK, at)}, given, within)

    async def loop(
        self,
        start: float,
        end: float,
        *,
        on: bool = True,
        given: Playing | None = None,
        within: float = WITHIN_SECONDS,
    ) -> Playing:
        """Loop from tick to tick, or not; until the project's own loop is edited."""
        wanted = {"on": bool(on), "start": _allowed("start", TICK, start), "end": _allowed("end", TICK, end)}
        if start >= end:
            raise InvalidValue("playback/end", end, f"it must lie behind start, which is {start:g}")
        return await self._command("loop", wanted, given, within)

    async def rate(self, rate: float, *, given: Playing | None = None, within: float = WITHIN_SECONDS) -> Playing:
        """Play at this multiple of the written tempo, 0.25 to 4."""
        return await self._command("rate", {"rate": _allowed("rate", RATE, rate)}, given, within)

    async def _command(self, kind: str, wanted: Mapping[str, object], given: Playing | None, within: float) -> Playing:
        seen = {} if given is None else {"epoch": given.epoch, "if_seq": given.seq}
        message = {
            "t": kind,
            "id": secrets.token_hex(12),
            **{key: value for key, value in wanted.items() if value is not None},
            **seen,
        }
        try:
            async with asyncio.timeout(within):
                answer = await self._orders.decided(message)
                if answer["t"] != "ack":
                    raise self._refusal(answer)
                return await self._reached(answer)
        except TimeoutError:
            raise Unanswered(kind, within, self.control.last_trouble if not self._here else "") from None

    def _refusal(self, answer: Mapping[str, Any]) -> BacklineError:
        code, told = str(answer.get("code")), answer.get("state")
        if code == "stale":
            return Stale(playing_of(told) if told is not None else self.state)
        if code == "forbidden":
            return NotAllowed(f"a {self.role or 'stranger'} cannot command the transport", 4403)
        return CommandRefused(code, str(answer.get("reason", "")))

    async def _reached(self, acknowledged: Mapping[str, Any]) -> Playing:
        """The state that was acknowledged, or a later one. It comes before its acknowledgement, but for detours."""
        epoch, seq = acknowledged["epoch"], acknowledged["seq"]
        with suppress(TimeoutError):
            async with asyncio.timeout(DETOUR_SECONDS):
                while self.state.epoch != epoch or self.state.seq < seq:
                    await self._news.wait()
        return self.state

    # ------------------------------------------------------------------ told by the connection

    def _told(self, told: Mapping[str, Any]) -> None:
        match told["t"]:
            case "hello" | "role":
                self.role, self.may_command = str(told["role"]), bool(told["may"])
                if told["t"] == "hello":
                    self._here = True
                    self._orders.welcome()
            case "tempo":
                self._timeline = timeline_of(told)
            case "transport":
                self._moved(playing_of(told))
            case "ack" | "nack":
                self._orders.answered(told)
        self._wake()

    def _moved(self, state: Playing) -> None:
        if self._timeline is None:
            return
        known = self._followed
        followed = Followed(state, self._timeline) if known is None else known.followed_by(state, self._timeline)
        if followed is not None:
            self._followed = followed
            for stream in list(self._streams):
                stream.tell(state)

    def _lost(self) -> None:
        self._here = False
        self._orders.lost()
        if self.over is not None:
            self._end(self.over)
        self._wake()

    # ------------------------------------------------------------------ beginning and end

    async def begin(self, within: float) -> None:
        """Wait until state and time are known. Raises Unreachable, and what the server refuses us for."""
        try:
            async with asyncio.timeout(within):
                while self._followed is None or self.control.clock.heard < BURST:
                    if self.over is not None:
                        raise self.over
                    await self._news.wait()
        except TimeoutError:
            raise Unreachable(f"no shared transport within {within:g} s: {self.control.last_trouble}") from None

    def close(self) -> None:
        """End streams and waiting commands; nothing is sent any more."""
        self._closed = True
        self._end(self.over)

    def _end(self, error: BacklineError | None) -> None:
        for stream in list(self._streams):
            stream.close(error)
        self._orders.end(error or Closed("the playback is closed"))

    def _known(self) -> Followed:
        if self._followed is None:
            raise Unreachable("nothing was told yet")
        return self._followed

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()


@asynccontextmanager
async def playback(tickets: Tickets, *, follow: bool, connect_within: float) -> AsyncIterator[Playback]:
    """A connected playback; see Project.playback."""
    made = Playback(tickets, follow=follow)
    running = asyncio.create_task(made.control.run(), name="backline playback")
    try:
        await made.begin(connect_within)
        yield made
    finally:
        made.close()
        running.cancel()
        await asyncio.wait([running])


def _allowed(name: str, spec: Number | Integer, value: float | None) -> float | None:
    """A number as it is sent; None for what is not said. Raises InvalidValue."""
    if value is None:
        return None
    try:
        spec.accept(value)
    except ValueError as error:
        raise InvalidValue(f"playback/{name}", value, str(error)) from None
    return int(value) if isinstance(spec, Integer) else float(value)
