"""On the PYTHONPATH of a node, its clock of the day is as wrong as the file SHIFT_FILE says, in seconds.

Only what a person at the machine could turn: `time.time`, `time.time_ns` and `datetime.now`. The monotonic clocks, and
with them every timer, go on as they do when a real clock jumps.
"""

import datetime
import os
import time
from pathlib import Path

FILE = Path(os.environ["SHIFT_FILE"])
TRUE_TIME_NS = time.time_ns


def shifted_ns() -> int:
    """Nanoseconds since 1970, as this machine believes."""
    return TRUE_TIME_NS() + int(FILE.read_text()) * 1_000_000_000


class ShiftedDatetime(datetime.datetime):
    """A datetime whose `now` believes it too."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> "ShiftedDatetime":
        """The time of the day here."""
        return cls.fromtimestamp(shifted_ns() / 1e9, tz)


time.time_ns = shifted_ns
time.time = lambda: shifted_ns() / 1e9
setattr(datetime, "datetime", ShiftedDatetime)  # noqa: B010 - mypy forbids to assign to a type
