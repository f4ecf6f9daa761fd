"""Exact timing for the open loop: event loops count whole milliseconds, a timerfd does not.

Linux only, through the C library, since Python has `os.timerfd_create` from 3.13 on.
"""

import ctypes
import os
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable

NONBLOCK = 0o4000


class _Time(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Interval(ctypes.Structure):
    _fields_ = (("period", _Time), ("first", _Time))


class Ticker:
    """Calls `tick(due)` with the number of periods that have passed since the last call."""

    def __init__(self, loop: AbstractEventLoop, rate: float, tick: Callable[[int], None]) -> None:
        self._loop, self._tick = loop, tick
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.timerfd_create(time.CLOCK_MONOTONIC, NONBLOCK)
        seconds, nanoseconds = divmod(round(1e9 / rate), 1_000_000_000)
        period = _Time(seconds, nanoseconds)
        if self._fd < 0 or libc.timerfd_settime(self._fd, 0, ctypes.byref(_Interval(period, period)), None):
            raise OSError(ctypes.get_errno(), "no timerfd")
        loop.add_reader(self._fd, self._due)

    def _due(self) -> None:
        try:
            passed = os.read(self._fd, 8)
        except BlockingIOError:
            return
        self._tick(int.from_bytes(passed, "little"))

    def close(self) -> None:
        """Stop for good."""
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
