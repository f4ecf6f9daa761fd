"""Tests of one connection's keep-alives: who listens is spoken to in time, and who never answers is found."""

from collections.abc import Callable
from itertools import pairwise
from typing import cast

import pytest

from collab_server.line import Line
from collab_server.pulse import Pulse
from collab_server.settings import CollabSettings

SETTINGS = CollabSettings(keepalive_seconds=20.0, ping_seconds=20.0)
WATCHDOG_SECONDS = 30.0
"""y-websocket hangs up when it has heard no message for so long."""
KEEP_ALIVE = b"here!"


class Far:
    """A line whose other end answers a keep-alive at once, or never."""

    def __init__(self, *, answers: bool = True) -> None:
        self.frames = 0
        self.paused = False
        self.waiting = 0
        self.written = 0
        self._answers = answers

    def write(self, data: bytes) -> None:
        """What is written is a keep-alive."""
        assert data == KEEP_ALIVE
        self.written += 1
        self.frames += self._answers

    def buffered(self) -> int:
        """What the other end has not taken."""
        return self.waiting


def looks(far: Far, spoken_at: Callable[[float], float] = lambda now: 0.0, until: float = 200.0) -> list[float]:
    """When it is looked at from second 20 on, up to `until` or until nobody is there."""
    pulse, now, times = Pulse(SETTINGS), 20.0, []
    while now < until:
        times.append(now)
        due = pulse.look(cast(Line, far), KEEP_ALIVE, spoken_at(now), now)
        if due is None:
            break
        now = max(float(-int(-due // 1)), now + 1)
    return times


def test_whoever_only_listens_is_looked_at_and_spoken_to_once_in_a_keep_alive() -> None:
    """In silence one write each time, well before a client's watchdog gives up, and no look beside."""
    far = Far()
    times = looks(far)
    assert far.written == len(times)
    gaps = [after - before for before, after in pairwise(times)]
    assert set(gaps) == {19.0}
    assert max(gaps) < WATCHDOG_SECONDS


def test_what_the_room_says_is_sign_enough() -> None:
    """Whoever is heard and hears others needs no word from us."""
    far = Far()

    def chatter(now: float) -> float:
        far.frames += 1
        return now - 0.5

    looks(far, chatter)
    assert far.written == 0


def test_a_room_that_falls_silent_is_spoken_to_in_time() -> None:
    """The time without a word counts from the last word, not from the last look."""
    far, written_at = Far(), []
    pulse, now = Pulse(SETTINGS), 20.0
    while not far.written:
        far.frames += 1
        due = pulse.look(cast(Line, far), KEEP_ALIVE, min(now, 30.0), now)
        assert due is not None
        written_at.append(now)
        now = due
    assert written_at[-1] == 30.0 + 19.0


def test_whoever_never_answers_is_found_though_the_room_speaks() -> None:
    """Asked twice, and given a few seconds more: then nobody is there."""
    far = Far(answers=False)
    times = looks(far, lambda now: now)
    assert [after - before for before, after in pairwise(times)] == [19.0, 10.0, 5.0]
    assert far.written == 2


def test_the_first_question_comes_when_so_long_nothing_came() -> None:
    """However the looks fell: here one came just before, as the room had spoken."""
    far, pulse = Far(answers=False), Pulse(SETTINGS)
    assert pulse.look(cast(Line, far), KEEP_ALIVE, 18.5, 20.0) == 37.5
    assert pulse.look(cast(Line, far), KEEP_ALIVE, 38.0, 38.0) == 39.0
    assert far.written == 0
    assert pulse.look(cast(Line, far), KEEP_ALIVE, 38.0, 39.0) == 49.0
    assert far.written == 1


def test_rare_pings_do_not_keep_a_watchdog_waiting() -> None:
    """Whoever is not asked for long is spoken to as often as anybody, from the first look on."""
    settings = CollabSettings(keepalive_seconds=20.0, ping_seconds=300.0)
    far, pulse, heard_at = Far(), Pulse(settings), 0.0
    due: float | None = pulse.wait(0.0)
    for _ in range(50):
        assert due is not None
        assert due - heard_at < WATCHDOG_SECONDS
        before, now = far.written, due
        due = pulse.look(cast(Line, far), KEEP_ALIVE, 0.0, now)
        heard_at = now if far.written > before else heard_at


@pytest.mark.parametrize(("taken", "stays"), [(10, True), (0, False)])
def test_a_slow_line_is_no_dead_one(taken: int, stays: bool) -> None:
    """While what waits to be written becomes less somebody takes it, though no answer comes; nothing is added to it."""
    far = Far(answers=False)
    far.waiting = 5000

    def reads(now: float) -> float:
        far.waiting -= taken
        return now

    assert (looks(far, reads)[-1] > 190.0) is stays
    assert far.written == 0


def test_who_is_not_listened_to_is_not_silent() -> None:
    """What fills the server's ears may be another document's on the same socket: nobody is let go for that."""
    far = Far(answers=False)
    far.paused = True
    assert looks(far)[-1] > 190.0
    far.paused = False
    assert looks(far)[-1] < 60.0


def test_who_waits_for_the_database_is_not_silent() -> None:
    """What it has said is not heard meanwhile, so nobody counts its silence; afterwards it counts anew."""
    far, pulse = Far(answers=False), Pulse(SETTINGS)
    for now in (20.0, 40.0, 60.0, 80.0):
        assert pulse.wait(now) == now + 20.0
    assert pulse.look(cast(Line, far), KEEP_ALIVE, 99.0, 100.0) == 99.0 + 19.0
    assert far.written == 0
