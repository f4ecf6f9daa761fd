"""The person at the terminal: what they are told, and whether they are still there."""

import os
import sys
from contextlib import suppress


def say(sentence: str) -> None:
    """One line for them on stderr; stdout belongs to the ready line. Nobody is told if the terminal is gone."""
    with suppress(OSError):
        print(f"backline: {sentence}", file=sys.stderr, flush=True)


def announce(line: str) -> None:
    """The ready line, on stdout. Whoever waited for it may have gone meanwhile: the studio is as ready without them."""
    with suppress(OSError):
        print(line, flush=True)


def has_terminal() -> bool:
    """Whether this process belongs to a terminal that is still open."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
