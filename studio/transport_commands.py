"""What a command makes of the shared transport, and what an edit of tempo, signature or loop does (design §4.3).

Commands are absolute and there is no toggle, so whoever sends one twice has sent it once. Pure: the only writer calls
these with its own time, in the order of arrival, and so there is one order.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, assert_never

from studio.errors import Invalid
from studio.tempo import TempoMap
from studio.transport import Cause, Loop, Mode, Transport, count_in_ms, mode_at, position

TICKS_MAX: Final = 2**31
COUNT_IN_MAX: Final = 4
RATE_MIN, RATE_MAX = 0.25, 4.0


@dataclass(frozen=True, slots=True)
class Play:
    """Play from `pos` (None: from where it stands), after `count_in` bars (None: as the project is set)."""

    pos: float | None = None
    count_in: int | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop, at `pos` or where it is."""

    pos: float | None = None


@dataclass(frozen=True, slots=True)
class Seek:
    """Go to `pos`; what plays goes on playing."""

    pos: float


@dataclass(frozen=True, slots=True)
class SetLoop:
    """Loop or not, until the project's own loop is edited."""

    loop: Loop


@dataclass(frozen=True, slots=True)
class SetRate:
    """Play at this multiple of the written tempo."""

    rate: float


Command: TypeAlias = Play | Stop | Seek | SetLoop | SetRate


@dataclass(frozen=True, slots=True)
class Moment:
    """When and by whom something is decided: `now` in ms, `lead` ms from now until it is due."""

    now: float
    lead: float
    by: str | None

    @property
    def due(self) -> float:
        return self.now + self.lead


def read_command(told: Mapping[str, Any]) -> Command:
    """The command of a message `{"t": "play" | "stop" | "seek" | "loop" | "rate", ...}`. Raises Invalid."""
    match told.get("t"):
        case "play":
            return Play(_optional_tick(told, "pos"), _bars(told.get("count_in")))
        case "stop":
            return Stop(_optional_tick(told, "pos"))
        case "seek":
            return Seek(_tick(told.get("pos"), "pos"))
        case "loop":
            return SetLoop(_loop(told))
        case "rate":
            return SetRate(_rate(told.get("rate")))
    raise Invalid("t", "no such command")


def stale(state: Transport, epoch: str | None, if_seq: int | None) -> bool:
    """Whether a command was given for another state than this one."""
    return (epoch is not None and epoch != state.epoch) or (if_seq is not None and if_seq != state.seq)


def decide(state: Transport, tempo: TempoMap, command: Command, moment: Moment, count_in: int) -> Transport:
    """The state after a command; the same object if it changes nothing. `count_in`: bars, as the project is set."""
    match command:
        case Play():
            changed = _play(state, tempo, command, moment, count_in)
        case Stop(pos):
            changed = _stop(state, tempo, pos, moment)
        case Seek(pos):
            changed = _seek(state, pos, moment)
        case SetLoop(loop):
            changed = state if loop == state.loop else _anchored(state, tempo, moment, Cause.LOOP, loop=loop)
        case SetRate(rate):
            changed = state if rate == state.rate else _anchored(state, tempo, moment, Cause.RATE, rate=rate)
        case _:
            assert_never(command)
    return state if changed is state else replace(changed, seq=state.seq + 1, by=moment.by)


def retime(state: Transport, old: TempoMap, rev: str, loop: Loop | None, moment: Moment) -> Transport:
    """The state after an edit of the document: the tempo map `rev` follows on `old`, or `loop` is another one.

    The anchor is where everybody is under the old map, so that nobody jumps. The same object if nothing changed.
    """
    cause = Cause.TEMPO if rev != state.tempo_rev else Cause.LOOP
    wanted = state.loop if loop is None else loop
    if cause is Cause.LOOP and wanted == state.loop:
        return state
    changed = _anchored(state, old, moment, cause, rev=rev, loop=wanted)
    return replace(changed, seq=state.seq + 1, by=None)


def restarted(epoch: str, pos: float, loop: Loop, rev: str, now: float) -> Transport:
    """The first state of a new writer: stopped, where the last one was."""
    return Transport(epoch, 1, Mode.STOPPED, now, pos, 1.0, loop, rev, 0.0, None, Cause.RESTART)


# ---------------------------------------------------------------------- inside


def _play(state: Transport, tempo: TempoMap, command: Play, moment: Moment, count_in: int) -> Transport:
    if state.mode is not Mode.STOPPED:
        return state if command.pos is None else _seek(state, command.pos, moment)
    pos = state.pos0 if command.pos is None else command.pos
    bars = count_in if command.count_in is None else command.count_in
    wait = count_in_ms(tempo, pos, bars, state.rate)
    mode = Mode.COUNTING_IN if wait else Mode.PLAYING
    return replace(state, mode=mode, t0=moment.due + wait, pos0=pos, count_in_ms=wait, cause=Cause.PLAY)


def _stop(state: Transport, tempo: TempoMap, pos: float | None, moment: Moment) -> Transport:
    if state.mode is Mode.STOPPED and pos in (None, state.pos0):
        return state
    there = position(state, tempo, moment.now) if pos is None else pos
    return replace(state, mode=Mode.STOPPED, t0=moment.now, pos0=there, count_in_ms=0.0, cause=Cause.STOP)


def _seek(state: Transport, pos: float, moment: Moment) -> Transport:
    match mode_at(state, moment.now):
        case Mode.STOPPED:
            return state if pos == state.pos0 else replace(state, t0=moment.now, pos0=pos, cause=Cause.SEEK)
        case Mode.COUNTING_IN:
            return state if pos == state.pos0 else replace(state, pos0=pos, cause=Cause.SEEK)
        case Mode.PLAYING:
            due = max(moment.due, state.t0)  # a start that is still to come is not brought forward
            return replace(state, mode=Mode.PLAYING, t0=due, pos0=pos, count_in_ms=0.0, cause=Cause.SEEK)


def _anchored(
    state: Transport,
    old: TempoMap,
    moment: Moment,
    cause: Cause,
    *,
    loop: Loop | None = None,
    rate: float | None = None,
    rev: str | None = None,
) -> Transport:
    """The state with a new anchor, where it is under the old terms when the new ones begin to hold."""
    changed = replace(
        state,
        loop=state.loop if loop is None else loop,
        rate=state.rate if rate is None else rate,
        tempo_rev=state.tempo_rev if rev is None else rev,
        cause=cause,
    )
    if mode_at(state, moment.now) is not Mode.PLAYING:
        return changed
    due = max(moment.due, state.t0)
    return replace(changed, mode=Mode.PLAYING, t0=due, pos0=position(state, old, due), count_in_ms=0.0)


def _number(value: object, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= TICKS_MAX:
        raise Invalid(field, "must be a number")
    return float(value)


def _tick(value: object, field: str) -> float:
    tick = _number(value, field)
    if tick < 0:
        raise Invalid(field, "must not be negative")
    return tick


def _optional_tick(told: Mapping[str, Any], field: str) -> float | None:
    return None if told.get(field) is None else _tick(told[field], field)


def _bars(value: object) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= COUNT_IN_MAX:
        raise Invalid("count_in", f"must be 0 to {COUNT_IN_MAX} bars")
    return value


def _loop(told: Mapping[str, Any]) -> Loop:
    start, end = _tick(told.get("start"), "start"), _tick(told.get("end"), "end")
    if type(told.get("on")) not in (bool, int) or told["on"] not in (0, 1):
        raise Invalid("on", "must be true or false")
    if start >= end:
        raise Invalid("end", "must be behind the start")
    return Loop(bool(told["on"]), start, end)


def _rate(value: object) -> float:
    rate = _number(value, "rate")
    if not RATE_MIN <= rate <= RATE_MAX or not math.isfinite(rate):
        raise Invalid("rate", f"must be {RATE_MIN} to {RATE_MAX}")
    return rate
