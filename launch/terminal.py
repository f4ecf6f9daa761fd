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


def let_go_of_the_terminal() -> None:
    """The last thing to do. Python ends with 120 if it cannot write the last words, its own from here on among them; a
    terminal that was closed is no failure."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
        os.dup2(nowhere, stream.fileno())


def has_terminal() -> bool:
    """Whether this process belongs to a terminal that is still open."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
