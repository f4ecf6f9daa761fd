"""Tests of when presence is told, on a clock that stands still until it is moved."""

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from collab_server.presence_timer import RENEWAL_SECONDS, PresenceTimer

GATHER_SECONDS = 0.05


class Clock:
    """What a timer needs of an event loop."""

    def __init__(self) -> None:
        self.now = 100.0
        self._timers: list[Alarm] = []

    def time(self) -> float:
        """Seconds."""
        return self.now

    def call_at(self, at: float, ring: Callable[[], None]) -> "Alarm":
        """As that of asyncio."""
        self._timers.append(Alarm(at, ring))
        return self._timers[-1]

    def pass_until(self, end: float) -> None:
        """Ring whatever is due until then, in order."""
        while due := [alarm for alarm in self._timers if alarm.at <= end and not alarm.over]:
            first = min(due, key=lambda alarm: alarm.at)
            first.cancel()
            self.now = max(self.now, first.at)
            first.ring()
        self.now = end


class Alarm:
    """What `call_at` returns."""

    def __init__(self, at: float, ring: Callable[[], None]) -> None:
        self.at = at
        self.ring = ring
        self.over = False

    def cancel(self) -> None:
        """It rings no more."""
        self.over = True


class Scene:
    """A timer, its clock, and when it has told."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.told: list[float] = []
        loop = cast(asyncio.AbstractEventLoop, self.clock)
        self.timer = PresenceTimer(loop, GATHER_SECONDS, lambda: self.told.append(self.clock.now))


def test_what_is_new_is_told_at_once_but_not_too_often() -> None:
    """However often it is asked for in between, it is told once in the gather time."""
    scene = Scene()
    for step in range(11):
        scene.timer.ask(late=False)
        scene.clock.pass_until(100.0 + step * GATHER_SECONDS / 5)
    scene.clock.pass_until(200.0)
    assert scene.told == pytest.approx([100.0, 100.0 + GATHER_SECONDS, 100.0 + 2 * GATHER_SECONDS])


def test_what_may_come_late_is_told_together() -> None:
    """The first that asks counts: later ones put nothing off."""
    scene = Scene()
    for step in range(4):
        scene.timer.ask(late=True)
        scene.clock.pass_until(101.0 + step)
    scene.clock.pass_until(200.0)
    assert scene.told == [100.0 + RENEWAL_SECONDS]


@pytest.mark.parametrize("late_first", [True, False])
def test_news_takes_along_what_may_come_late(late_first: bool) -> None:
    """Once, at once, whichever was first."""
    scene = Scene()
    scene.timer.ask(late=late_first)
    scene.timer.ask(late=not late_first)
    scene.clock.pass_until(200.0)
    assert scene.told == [100.0]


def test_a_cancelled_timer_tells_nothing() -> None:
    """Neither what was asked for before nor what is asked for then."""
    scene = Scene()
    scene.timer.ask(late=False)
    scene.timer.cancel()
    scene.timer.ask(late=False)
    scene.clock.pass_until(200.0)
    assert scene.told == []
