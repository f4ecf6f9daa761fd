"""The shared transport: its formula against vectors and a step-by-step model, and what commands make of it (§8.5)."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import Invalid
from studio.tempo import TempoMap
from studio.transport import (
    Cause,
    Loop,
    Mode,
    Transport,
    count_in_ms,
    from_json,
    lead_ms,
    mode_at,
    position,
    tempo_rev,
)
from studio.transport_commands import (
    Command,
    Moment,
    Play,
    Seek,
    SetLoop,
    SetRate,
    Stop,
    decide,
    read_command,
    restarted,
    retime,
    stale,
)

VECTORS = Path(__file__).parent / "vectors"
NO_LOOP = Loop(False, 0, 3840)
STEADY: dict[str, Any] = {"transport": {"bpm": 120}}
RAMP: dict[str, Any] = {
    "transport": {"bpm": 90},
    "tempo": {"a": [0, 90, 1], "b": [7680, 150, 0], "c": [11520, 60, 1], "d": [15360, 180, 0]},
    "signatures": {"s": [3840, 3, 4]},
}
MAP = TempoMap.from_canonical(STEADY)


def playing(pos: float = 0, *, t0: float = 1000, loop: Loop = NO_LOOP, rate: float = 1.0) -> Transport:
    """A state that plays from `pos` since `t0`."""
    return Transport("e", 7, Mode.PLAYING, t0, pos, rate, loop, tempo_rev(MAP), 0, "ada", Cause.PLAY)


def at(now: float, by: str = "bob", lead: float = 250) -> Moment:
    """A decision at `now`."""
    return Moment(now, lead, by)


def vectors() -> list[Any]:
    found: list[Any] = json.loads((VECTORS / "transport.json").read_text())
    return found


@pytest.mark.parametrize("case", vectors(), ids=lambda case: str(case["name"]))
def test_transport_vector(case: dict[str, Any]) -> None:
    """Position, mode and the map's name are as the vector says; the TypeScript client holds the same file."""
    tempo = TempoMap.from_canonical(case["canonical"])
    state = from_json(case["state"])
    assert tempo_rev(tempo) == state.tempo_rev
    assert from_json(state.as_json()) == state
    for now, mode, tick in case["positions"]:
        assert mode_at(state, now) == mode
        assert position(state, tempo, now) == pytest.approx(tick, rel=1e-12, abs=1e-6)


def test_x1_play_and_stop_with_the_same_number() -> None:
    """The first wins; the second was meant for a state that is no more."""
    state = playing()
    stopped = decide(state, MAP, Stop(), at(2000), 0)
    assert (stopped.seq, stopped.mode, stopped.pos0) == (8, Mode.STOPPED, 1920)
    assert stale(stopped, "e", 7)
    assert not stale(stopped, "e", 8)


def test_x2_both_press_space() -> None:
    """One play is carried out; the other's number is old, and even without one it would change nothing."""
    stopped = restarted("e", 0, NO_LOOP, tempo_rev(MAP), 0)
    state = decide(stopped, MAP, Play(), at(1000), 0)
    assert (state.mode, state.t0) == (Mode.PLAYING, 1250)
    assert stale(state, "e", stopped.seq)
    assert decide(state, MAP, Play(), at(1100), 0) is state


COMMANDS: st.SearchStrategy[Command] = st.one_of(
    st.builds(Play, st.none() | st.floats(0, 20_000), st.none() | st.integers(0, 2)),
    st.builds(Stop, st.none() | st.floats(0, 20_000)),
    st.builds(Seek, st.floats(0, 20_000)),
    st.builds(SetLoop, st.builds(Loop, st.booleans(), st.integers(0, 5000), st.integers(5001, 12_000))),
    st.builds(SetRate, st.sampled_from([0.5, 1.0, 1.5])),
)


class Tape:
    """A model without a formula: it is wound on in steps of a millisecond, and jumps where it must."""

    def __init__(self, tempo: TempoMap) -> None:
        self.tempo = tempo
        self.tick = 0.0
        self.now = 0.0

    def wind(self, state: Transport, until: float) -> None:
        """Play `state` from where the tape is, at most until `until`."""
        while self.now < until:
            step = min(1.0, until - self.now)
            if mode_at(state, self.now) is Mode.PLAYING and self.now >= state.t0:
                before = self.tempo.seconds(self.tick)
                after = before + step / 1000 * state.rate
                end = self.tempo.seconds(state.loop.end)
                if state.loop.on and before < end <= after:
                    after = self.tempo.seconds(state.loop.start) + after - end
                self.tick = self.tempo.tick(after)
            self.now += step


@given(st.lists(st.tuples(st.floats(0, 400), COMMANDS), max_size=12), st.sampled_from([STEADY, RAMP]))
def test_x3_random_commands_against_the_model(commands: list[tuple[float, Command]], document: dict[str, Any]) -> None:
    """After every command, and a while later, the position is within a millisecond of a tape that is wound by hand."""
    tempo = TempoMap.from_canonical(document)
    state = restarted("e", 0, NO_LOOP, tempo_rev(tempo), 0)
    now = 0.0
    for wait, command in commands:
        now = max(now, state.t0) + wait  # the model has no way to show two states at once
        state = decide(state, tempo, command, at(now), 0)
        tape = Tape(tempo)
        tape.tick, tape.now = state.pos0, state.t0
        later = state.t0 + 777
        tape.wind(state, later)
        length = tempo.seconds(state.loop.end) - tempo.seconds(state.loop.start)
        wraps = state.loop.on and state.pos0 < state.loop.end
        apart = abs(tempo.seconds(position(state, tempo, later)) - tempo.seconds(tape.tick))
        assert min(apart, abs(apart - length) if wraps else apart) < 0.001, state


def test_x3_any_order_of_arrival_is_one_order() -> None:
    """Five clients' commands with random delays: whoever applies the decided states in their order has the same one."""
    jitter = random.Random(3)
    state = restarted("e", 0, NO_LOOP, tempo_rev(MAP), 0)
    arrivals = sorted((jitter.uniform(0, 400), client) for client in range(5) for _ in range(20))
    told = [state]
    for now, client in arrivals:
        choice: list[Command] = [Play(), Stop(), Seek(jitter.randrange(9000)), Play(pos=960)]
        command = jitter.choice(choice)
        told.append(decide(told[-1], MAP, command, at(now, str(client)), 0))
    numbers = [state.seq for state in told]
    assert numbers == sorted(numbers)
    shuffled = told[:]
    jitter.shuffle(shuffled)
    assert max(shuffled, key=lambda state: state.seq) == told[-1]


@pytest.mark.parametrize("lead", [0.0, 250.0])
def test_x4_tempo_edited_while_playing(lead: float) -> None:
    """At the new anchor the position under the old map is the position under the new one: nobody jumps."""
    faster = TempoMap.from_canonical({"transport": {"bpm": 173.5}})
    state = playing(pos=480)
    changed = retime(state, MAP, tempo_rev(faster), None, at(3210, lead=lead))
    assert (changed.cause, changed.seq, changed.t0) == (Cause.TEMPO, 8, 3210 + lead)
    assert position(changed, faster, changed.t0) == position(state, MAP, changed.t0)
    assert position(changed, faster, changed.t0 + 0.001) - changed.pos0 < 1
    ramp = TempoMap.from_canonical(RAMP)
    again = retime(changed, faster, tempo_rev(ramp), None, at(3300, lead=lead))
    assert position(again, ramp, again.t0) == position(changed, faster, again.t0)


def test_x4_tempo_edited_while_nothing_plays() -> None:
    """The position is a tick, so it stays; the new map's name is told."""
    faster = TempoMap.from_canonical({"transport": {"bpm": 60}})
    stopped = restarted("e", 1234.5, NO_LOOP, tempo_rev(MAP), 0)
    changed = retime(stopped, MAP, tempo_rev(faster), None, at(100))
    assert (changed.pos0, changed.mode, changed.tempo_rev) == (1234.5, Mode.STOPPED, tempo_rev(faster))
    assert retime(changed, faster, tempo_rev(faster), None, at(200)) is changed


def test_x5_loop_edited_around_the_playhead() -> None:
    """Behind the new end it runs on; before the end it wraps."""
    behind = retime(playing(pos=5000), MAP, tempo_rev(MAP), Loop(True, 0, 3840), at(1000))
    assert behind.cause is Cause.LOOP
    assert position(behind, MAP, behind.t0 + 10_000) == pytest.approx(behind.pos0 + 19_200)
    before = retime(playing(pos=0), MAP, tempo_rev(MAP), Loop(True, 960, 3840), at(1000))
    assert position(before, MAP, 1000 + 2000) == pytest.approx(960)
    assert position(before, MAP, 1000 + 2000 + 1500 * 3 + 100) == pytest.approx(960 + 192)


def test_x6_a_join_needs_nothing_but_the_last_state() -> None:
    """Mid-loop, mid-ramp and during a count-in the formula alone says where it is."""
    ramp = TempoMap.from_canonical(RAMP)
    looping = replace(playing(loop=Loop(True, 1920, 3840)), tempo_rev=tempo_rev(ramp))
    tape = Tape(ramp)
    tape.now = looping.t0
    tape.wind(looping, looping.t0 + 12_345)
    assert ramp.seconds(position(looping, ramp, looping.t0 + 12_345)) == pytest.approx(
        ramp.seconds(tape.tick), abs=0.001
    )
    counting = decide(restarted("e", 3840, NO_LOOP, tempo_rev(ramp), 0), ramp, Play(count_in=2), at(1000), 0)
    assert counting.mode is Mode.COUNTING_IN
    assert counting.count_in_ms == count_in_ms(ramp, 3840, 2, 1.0) == pytest.approx(2 * 3 * 60_000 / 120)
    assert (position(counting, ramp, counting.t0 - 1), mode_at(counting, counting.t0 - 1)) == (3840, Mode.COUNTING_IN)
    assert mode_at(counting, counting.t0) is Mode.PLAYING
    assert position(counting, ramp, counting.t0 + 500) > 3840


def test_x8_a_new_writer() -> None:
    """Stopped, the position kept, the rate as written; a command for the reign before is stale."""
    state = restarted("f", 4711.25, NO_LOOP, tempo_rev(MAP), 5000)
    assert (state.mode, state.pos0, state.rate, state.cause) == (Mode.STOPPED, 4711.25, 1.0, Cause.RESTART)
    assert stale(state, "e", None)
    assert not stale(state, "f", 1)


def test_seek_and_stop_during_count_in_and_lead() -> None:
    """A count-in keeps its time when the target moves; a stop before the start is where it would have started."""
    stopped = restarted("e", 0, NO_LOOP, tempo_rev(MAP), 0)
    counting = decide(stopped, MAP, Play(count_in=1), at(1000), 0)
    moved = decide(counting, MAP, Seek(1920), at(1500), 0)
    assert (moved.t0, moved.pos0, moved.mode) == (counting.t0, 1920, Mode.COUNTING_IN)
    assert decide(moved, MAP, Stop(), at(1600), 0).pos0 == 1920
    sought = decide(playing(), MAP, Seek(9600), at(2000), 0)
    assert (sought.t0, sought.pos0) == (2250, 9600)


def test_lead_follows_the_slowest_follower() -> None:
    """One and a half of its round trips, at least 250 and at most 800 ms."""
    assert [lead_ms(rtt) for rtt in (0, 100, 200, 400, 5000)] == [250, 250, 300, 600, 800]


@pytest.mark.parametrize(
    "told",
    [
        {"t": "toggle"},
        {"t": "seek"},
        {"t": "seek", "pos": -1},
        {"t": "seek", "pos": True},
        {"t": "seek", "pos": float("nan")},
        {"t": "play", "pos": "0"},
        {"t": "play", "count_in": 5},
        {"t": "play", "count_in": 1.5},
        {"t": "loop", "on": 1, "start": 960, "end": 960},
        {"t": "loop", "on": 2, "start": 0, "end": 960},
        {"t": "loop", "start": 0, "end": 960},
        {"t": "rate", "rate": 0},
        {"t": "rate", "rate": 1e308},
    ],
)
def test_commands_that_mean_nothing_are_refused(told: dict[str, Any]) -> None:
    """No toggle, no position before the beginning, no numbers that are none."""
    with pytest.raises(Invalid):
        read_command(told)


def test_commands_are_read() -> None:
    """Each with its defaults."""
    assert read_command({"t": "play"}) == Play(None, None)
    assert read_command({"t": "play", "pos": 960, "count_in": 2}) == Play(960.0, 2)
    assert read_command({"t": "stop", "pos": None}) == Stop(None)
    assert read_command({"t": "loop", "on": True, "start": 0, "end": 960}) == SetLoop(Loop(True, 0.0, 960.0))
    assert read_command({"t": "rate", "rate": 2}) == SetRate(2.0)
