"""`python -m collab_server`: one node, configured by its environment (settings.py) and by flags; or, with the name of
a command, what operators do (operate/)."""

import argparse
import asyncio
import errno
import gc
import resource
import signal
import sys
from typing import Any

import asyncpg
import structlog
import uvloop
from pydantic import ValidationError

from collab_server import room
from collab_server.logs import configure
from collab_server.operate.arguments import COMPLAINT, SERVE, complaint, read
from collab_server.operate.commands import operate
from collab_server.server import running
from collab_server.settings import Settings
from persistence.errors import TRANSIENT

COLLECTION = (5_000, 5, 4_000)
"""The hot path makes no cycles: collecting after every 700 allocations would only look at living frames and lists. More
at a time, and whoever opens many rooms or a large document would hold the event loop for as long as a collection takes:
a microsecond for each of 5,000 objects, and now and then of 25,000."""

SWITCH_SECONDS = 0.001
"""How long the event loop waits for a thread that is loading a document, whenever both want to run."""

COMPILED = not str(room.__file__).endswith(".py")
"""Whether mypyc made what runs here (compile.py)."""

DATABASE_AWAY: tuple[type[Exception], ...] = (*TRANSIENT, asyncpg.PostgresError)


def main() -> int:
    """The exit code of what the command line asks for; 2 with one sentence when it can't be done."""
    asked = read(sys.argv[1:])
    return _serve_as_told(asked) if asked.command == SERVE else operate(asked)


def _serve_as_told(asked: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; 0 after a clean stop, 1 after a failure, 2 with one sentence when it can't start."""
    try:
        settings = Settings(**_overrides(asked))
    except ValidationError as error:
        return _sorry(complaint(error))
    configure(settings.log.level)
    _allow_connections()
    try:
        return uvloop.run(_serve(settings))
    except ConnectionError as error:  # the bus is not waited for: it is the database
        return _sorry(f"cannot reach the database: {error}")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return _sorry(f"port {settings.collab.port} is in use")
        return _sorry(f"cannot start: {error}")
    except DATABASE_AWAY as error:
        return _sorry(f"cannot reach the database: {error}")


def _overrides(asked: argparse.Namespace) -> dict[str, Any]:
    """The sections of Settings with what the flags say; the environment has the rest."""
    collab = {
        "host": asked.host,
        "port": asked.port,
        "public_url": asked.public_url,
        "drain_seconds_max": asked.drain_seconds,
    }
    sections = {"collab": collab, "log": {"level": asked.log_level}}
    given = {name: {key: value for key, value in told.items() if value is not None} for name, told in sections.items()}
    return {name: told for name, told in given.items() if told}


async def _serve(settings: Settings) -> int:
    stop, failed = asyncio.Event(), asyncio.Event()

    def fail() -> None:
        failed.set()
        stop.set()

    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    gc.freeze()  # what is there now stays, and need not be looked at again
    gc.set_threshold(*COLLECTION)
    sys.setswitchinterval(SWITCH_SECONDS)
    async with running(settings, fail):
        where = settings.collab
        structlog.get_logger("server").info("serving", host=where.host, port=where.port, compiled=COMPILED)
        await stop.wait()
    return 1 if failed.is_set() else 0


def _allow_connections() -> None:
    """A shell allows 1,024 open files by default, far fewer than we are asked to serve: take what there is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _sorry(sentence: str) -> int:
    sys.stderr.write(COMPLAINT.format(sentence))
    return 2


if __name__ == "__main__":
    sys.exit(main())
