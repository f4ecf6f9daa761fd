"""`python -m launch run|db`: what `./dev run` and `./dev db` become."""

import sys

INTERRUPTED = 130


def main() -> int:
    """Ctrl-C is no traceback, not even while the packages are still being imported."""
    try:
        from launch.command import main as command  # noqa: PLC0415 - imported where Ctrl-C is expected

        return command(sys.argv[1:])
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
