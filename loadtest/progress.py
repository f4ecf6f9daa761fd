"""What is to be seen while it runs: one line that is redrawn on a terminal, a line now and then elsewhere."""

import sys
import time
from typing import TextIO

from loadtest.record import Record

PLAIN_EVERY = 5.0  # seconds between plain lines
ERASE = "\r\x1b[2K"


class Progress:
    """Writes to stderr; stdout is for the result."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._redraws = self._stream.isatty()
        self._last = 0.0

    def say(self, sentence: str) -> None:
        """A line that stays."""
        self._write(f"{ERASE if self._redraws else ''}{sentence}\n")

    def show(self, record: Record, elapsed: float, duration: float, doing: str = "") -> None:
        """The state of the run."""
        now = time.monotonic()
        if not self._redraws and now - self._last < PLAIN_EVERY:
            return
        self._last = now
        line = describe(record, elapsed, duration, doing)
        self._write(f"{ERASE}{line}" if self._redraws else f"{line}\n")

    def done(self) -> None:
        """Leave the line."""
        if self._redraws:
            self._write(ERASE)

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def describe(record: Record, elapsed: float, duration: float, doing: str = "") -> str:
    """One line on the newest second."""
    at = record.newest()
    done = int(20 * min(1.0, elapsed / duration))
    bar = "━" * done + "╌" * (20 - done)
    head = f"{bar} {elapsed:4.0f}/{duration:.0f} s"
    if at < 0:
        return f"{head}  {doing}".rstrip()
    second, recent = record.seconds[at], range(at - 4, at + 1)
    p50, p99 = (record.times("delivery", recent).percentile(share) for share in (0.5, 0.99))
    parts = [
        head,
        f"{second.connected} in",
        f"{second.counts['edits']} edits/s",
        f"{second.counts['deliveries']} deliveries/s",
    ]
    if p50 is not None and p99 is not None:
        parts.append(f"p50 {p50:.1f} p99 {p99:.1f} ms")
    if errors := record.errors().total():
        parts.append(f"{errors} errors")
    return "  ".join([*parts, doing]).rstrip()
