"""`python -m launch run|stop|db`: what `./dev run`, `stop` and `db` become."""

import os
import sys

INTERRUPTED = 130


def main() -> int:
    """Ctrl-C is no traceback, not even while the packages are still being imported."""
    try:
        from launch.command import main as command  # noqa: PLC0415 - imported where Ctrl-C is expected

        return command(sys.argv[1:])
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        _let_go_of_the_terminal()


def _let_go_of_the_terminal() -> None:
    """Python ends with 120 if it cannot write the last words; a terminal that was closed is no failure."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
