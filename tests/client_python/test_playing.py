"""The clock and the formula of the shared transport, as the shared vectors say; what holds before a state is due."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backline.clock import BURST, STALE_MS, Clock, sample
from backline.playing import Followed, playing_of, timeline_of
from backline.timeline import Timeline
from collab_server.control.messages import tempo_json
from studio import clock as server_clock
from studio.tempo import TempoMap

VECTORS = Path(__file__).parents[1] / "studio" / "vectors"


def cases(name: str) -> Any:
    """A file of vectors."""
    return json.loads((VECTORS / name).read_text())


@pytest.mark.parametrize("case", cases("transport.json"), ids=lambda case: str(case["name"]))
def test_positions_as_the_vectors_say(case: dict[str, Any]) -> None:
    """Position and mode by the told tempo map are those of the server and the page."""
    timeline = timeline_of(tempo_json(TempoMap.from_canonical(case["canonical"])))
    state = playing_of(case["state"])
    for now, mode, tick in case["positions"]:
        assert state.mode_at(now) == mode
        assert state.position(timeline, now) == pytest.approx(tick, rel=1e-12, abs=1e-6)


@pytest.mark.parametrize("case", cases("clock.json"), ids=lambda case: str(case["name"]))
def test_the_clock_as_the_vectors_say(case: dict[str, Any]) -> None:
    """The same samples give the same readings as on the server and in the page."""
    clock = Clock()
    for step in case["steps"]:
        if step.get("restart"):
            clock.restart()
        assert clock.hear(sample(*step["sample"])) == pytest.approx(step["jump"], abs=1e-6)
        for local, now in step["readings"]:
            assert clock.now(local) == pytest.approx(now, abs=1e-3)


def test_the_shortest_way_decides() -> None:
    """Sixteen samples of which one was fast: its offset holds, its half is the bound, and in the end it is stale."""
    clock = Clock()
    for number in range(BURST):
        slow = 0 if number == 7 else 40 + number
        sent = 1000.0 + 50 * number
        clock.hear(sample(sent, sent + 500 + 5 + slow, sent + 500 + 5 + slow, sent + 10 + slow))
    now = 1000.0 + 50 * BURST
    assert clock.now(now) == pytest.approx(now + 500, abs=0.01)
    assert clock.report(now).bound == pytest.approx(5, abs=0.01)
    assert not clock.report(now).stale
    assert clock.report(now + STALE_MS + 1000).stale


def test_constants_are_the_servers() -> None:
    """Burst, window and slew are those that the estimator was tried with."""
    from backline import clock

    for name in ("BURST", "WINDOW", "TRUSTED", "NEAR_MS", "DRIFT", "SLEW", "STEP_MS", "STALE_MS"):
        assert getattr(clock, name) == getattr(server_clock, name)
    assert clock.BURST_SECONDS * 1000 == server_clock.BURST_INTERVAL_MS
    assert clock.INTERVAL_SECONDS * 1000 == server_clock.INTERVAL_MS


def test_the_state_before_holds_until_the_newer_one_is_due() -> None:
    """A seek while it plays is heard at its moment; a stop at once; an older number and a new reign as they must."""
    case = next(case for case in cases("transport.json") if case["state"]["mode"] == "playing")
    told, line = playing_of(case["state"]), Timeline(120, (4, 4))
    first = replace(told, seq=1, t0=1000.0, pos0=0.0, loop=told.loop._replace(on=False), rate=1.0)
    sought = replace(first, seq=2, t0=3000.0, pos0=96_000.0, cause="seek")
    followed = Followed(first, line).followed_by(sought, line)
    assert followed is not None
    assert followed.holding(2000.0)[0] is first
    assert followed.holding(3000.0)[0] is sought
    assert followed.followed_by(first, line) is None
    stopped = followed.followed_by(replace(sought, seq=3, mode="stopped"), line)
    assert stopped is not None
    assert stopped.holding(2000.0)[0] is stopped.state
    reign = followed.followed_by(replace(first, epoch="another"), line)
    assert reign is not None
    assert reign.before is None


def test_what_is_no_state_is_refused() -> None:
    """A message without its keys, or with another mode, is no state."""
    told = cases("transport.json")[0]["state"]
    for wrong in ({}, {**told, "mode": "rewinding"}, {**told, "loop": [1]}, {**told, "t0": None}):
        with pytest.raises((KeyError, TypeError, ValueError)):
            playing_of(wrong)
