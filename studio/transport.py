"""The shared transport: what plays, from where and since when, as one state and one formula (transport design §4.3).

Times are milliseconds of the servers' shared clock, positions are ticks. The TypeScript client has the same formulas;
`tests/studio/vectors/transport.json` holds them equal.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from studio.schema import PPQ
from studio.tempo import TempoMap

LEAD_MIN_MS: Final = 250.0
LEAD_MAX_MS: Final = 800.0
LEAD_TRIPS: Final = 1.5
"""So many of the slowest follower's round trips lie between a decision and its moment."""

FNV_OFFSET: Final = 0xCBF29CE484222325
FNV_PRIME: Final = 0x100000001B3


class Mode(StrEnum):
    """What is told; `counting_in` turns into playing at `t0` without another message."""

    STOPPED = "stopped"
    COUNTING_IN = "counting_in"
    PLAYING = "playing"


class Cause(StrEnum):
    """Why the state is another than before."""

    PLAY = "play"
    STOP = "stop"
    SEEK = "seek"
    LOOP = "loop"
    TEMPO = "tempo"
    RATE = "rate"
    RESTART = "restart"


class Loop(NamedTuple):
    """Ticks; `start` < `end`."""

    on: bool
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Transport:
    """At `t0` (ms) the position is, or was, or will be `pos0` (ticks); `rate` 1 is the written tempo.

    `epoch` names the writer's reign, `seq` counts its states. `tempo_rev` names the tempo map that the formula needs.
    `by` is a user id, None for the server. The clicks of a count-in begin at `t0 - count_in_ms`.
    """

    epoch: str
    seq: int
    mode: Mode
    t0: float
    pos0: float
    rate: float
    loop: Loop
    tempo_rev: str
    count_in_ms: float
    by: str | None
    cause: Cause

    def as_json(self) -> dict[str, Any]:
        """The message that tells it, without its type."""
        return {
            "epoch": self.epoch,
            "seq": self.seq,
            "mode": self.mode.value,
            "t0": self.t0,
            "pos0": self.pos0,
            "rate": self.rate,
            "loop": [int(self.loop.on), self.loop.start, self.loop.end],
            "tempo_rev": self.tempo_rev,
            "count_in_ms": self.count_in_ms,
            "by": self.by,
            "cause": self.cause.value,
        }


def from_json(told: Mapping[str, Any]) -> Transport:
    """The state of an `as_json`; raises KeyError, TypeError or ValueError for anything else."""
    on, start, end = told["loop"]
    return Transport(
        epoch=str(told["epoch"]),
        seq=int(told["seq"]),
        mode=Mode(told["mode"]),
        t0=float(told["t0"]),
        pos0=float(told["pos0"]),
        rate=float(told["rate"]),
        loop=Loop(bool(on), float(start), float(end)),
        tempo_rev=str(told["tempo_rev"]),
        count_in_ms=float(told["count_in_ms"]),
        by=told["by"],
        cause=Cause(told["cause"]),
    )


def position(state: Transport, tempo: TempoMap, now: float) -> float:
    """The tick at `now`. Before `t0` it is `pos0`; who heard of the state before goes on with that one until then."""
    if state.mode is Mode.STOPPED or now <= state.t0:
        return state.pos0
    second = tempo.seconds(state.pos0) + (now - state.t0) / 1000 * state.rate
    if state.loop.on and state.pos0 < state.loop.end:
        end = tempo.seconds(state.loop.end)
        if second >= end:
            start = tempo.seconds(state.loop.start)
            second = start + (second - start) % (end - start)
    return tempo.tick(second)


def mode_at(state: Transport, now: float) -> Mode:
    """What happens at `now`: a count-in that is over is playing."""
    return Mode.PLAYING if state.mode is Mode.COUNTING_IN and now >= state.t0 else state.mode


def lead_ms(round_trip_ms: float) -> float:
    """How far ahead a start is set, for the slowest follower's round trip: everybody hears of it before it is due."""
    return min(LEAD_MAX_MS, max(LEAD_MIN_MS, LEAD_TRIPS * round_trip_ms))


def count_in_ms(tempo: TempoMap, tick: float, bars: int, rate: float) -> float:
    """How long so many bars last, all in the tempo and signature of the tick."""
    return bars * tempo.bar_ticks(tick) / PPQ * 60_000 / tempo.bpm(tick) / rate


def tempo_rev(tempo: TempoMap) -> str:
    """The name of a tempo map: FNV-1a (64 bit) over its numbers as big-endian doubles, points and then signatures."""
    numbers = [float(number) for point in tempo.points for number in point]
    numbers.append(math.inf)
    numbers += [float(number) for signature in tempo.signatures for number in signature[:3]]
    found = FNV_OFFSET
    for byte in struct.pack(f">{len(numbers)}d", *numbers):
        found = ((found ^ byte) * FNV_PRIME) & 0xFFFFFFFFFFFFFFFF
    return f"{found:016x}"
