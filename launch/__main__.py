"""`python -m launch run|stop|db`: what `./dev run`, `stop` and `db` become."""

import sys

from launch.terminal import let_go_of_the_terminal

INTERRUPTED = 130


def main() -> int:
    """Ctrl-C is no traceback, not even while the packages are still being imported."""
    try:
        from launch.command import main as command  # noqa: PLC0415 - imported where Ctrl-C is expected

        code = command(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    let_go_of_the_terminal()
    return code


if __name__ == "__main__":
    sys.exit(main())
