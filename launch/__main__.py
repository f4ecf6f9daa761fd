"""`python -m launch run|stop|db`: what `./dev run`, `stop` and `db` become."""

import os
import sys
from contextlib import suppress

INTERRUPTED = 130


def main() -> int:
    """Ctrl-C is no traceback, not even while the packages are still being imported."""
    try:
        from launch.command import main as command  # noqa: PLC0415 - imported where Ctrl-C is expected

        code = command(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    _let_go_of_the_terminal()
    return code


def _let_go_of_the_terminal() -> None:
    """Python ends with 120 if it cannot write the last words, its own from here on among them; a terminal that was
    closed is no failure."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
        os.dup2(nowhere, stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
