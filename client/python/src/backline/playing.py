"""What plays, from where and since when: one state and one formula, the same as the server's and the page's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

from backline.timeline import SignatureChange, TempoPoint, Timeline

Mode: TypeAlias = Literal["stopped", "counting_in", "playing"]


class Loop(NamedTuple):
    """Ticks; `start` < `end`."""

    on: bool
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Playing:
    """The shared transport's state: at `t0` (ms of the servers' clock) it is at `pos0` (ticks); `rate` 1 is as written.

    `epoch` names the reign of the node that decides, `seq` counts its states. `by` is a user's id, None for the server;
    `cause` is play, stop, seek, loop, tempo, rate or restart. A count-in begins `count_in_ms` before `t0`.
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
    cause: str

    @property
    def plays(self) -> bool:
        """Whether it plays or counts in."""
        return self.mode != "stopped"

    def mode_at(self, now: float) -> Mode:
        """What happens at `now`: a count-in that is over is playing."""
        return "playing" if self.mode == "counting_in" and now >= self.t0 else self.mode

    def position(self, timeline: Timeline, now: float) -> float:
        """The tick at `now`. Before `t0` it is `pos0`."""
        if not self.plays or now <= self.t0:
            return self.pos0
        second = timeline.seconds(self.pos0) + (now - self.t0) / 1000 * self.rate
        if self.loop.on and self.pos0 < self.loop.end:
            end = timeline.seconds(self.loop.end)
            if second >= end:
                start = timeline.seconds(self.loop.start)
                second = start + (second - start) % (end - start)
        return timeline.tick(second)


class Followed(NamedTuple):
    """A state with its timeline, and the one before it, which holds until the newer one is due."""

    state: Playing
    timeline: Timeline
    before: "tuple[Playing, Timeline] | None" = None

    def holding(self, now: float) -> tuple[Playing, Timeline]:
        """What holds at `now`."""
        if self.before is not None and self.before[0].plays and self.state.plays and now < self.state.t0:
            return self.before
        return self.state, self.timeline

    def followed_by(self, state: Playing, timeline: Timeline) -> "Followed | None":
        """With a newer state; None if it is not newer."""
        if state.epoch != self.state.epoch:
            return Followed(state, timeline)
        return Followed(state, timeline, (self.state, self.timeline)) if state.seq > self.state.seq else None


def playing_of(told: Mapping[str, Any]) -> Playing:
    """The state of a message. Raises KeyError, TypeError, ValueError."""
    on, start, end = told["loop"]
    if told["mode"] not in get_args(Mode):
        raise ValueError(f"no such mode: {told['mode']!r}")
    return Playing(
        epoch=str(told["epoch"]),
        seq=int(told["seq"]),
        mode=told["mode"],
        t0=float(told["t0"]),
        pos0=float(told["pos0"]),
        rate=float(told["rate"]),
        loop=Loop(bool(on), float(start), float(end)),
        tempo_rev=str(told["tempo_rev"]),
        count_in_ms=float(told["count_in_ms"]),
        by=None if told["by"] is None else str(told["by"]),
        cause=str(told["cause"]),
    )


def timeline_of(told: Mapping[str, Any]) -> Timeline:
    """The tempo map of a message, which begins at tick 0. Raises KeyError, TypeError, ValueError."""
    tempo = [TempoPoint(tick, bpm, int(curve)) for tick, bpm, curve in told["points"]]
    signatures = [SignatureChange(tick, int(num), int(den)) for tick, num, den in told["signatures"]]
    return Timeline(120, (4, 4), tempo, signatures)
