"""The command line of the launcher: `run` serves until a signal, `stop` ends what it left, `db` opens psql."""

import argparse
import asyncio
import os
import signal
import subprocess
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path

from launch.account import nobody_or_self
from launch.binaries import postgres_programs
from launch.errors import LaunchError
from launch.place import choose_data_folder
from launch.postgres import EmbeddedPostgres
from launch.stack import Stack
from launch.terminal import announce, has_terminal, say
from launch.valkey import EmbeddedValkey
from launch.wanted import NODES_MAX, Wanted

REFUSED = 2


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 after a clean stop, 2 with one sentence on stderr if something is in the way."""
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.verb != "db":
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        if options.verb == "db":
            return open_psql(options.data, rest)
        if options.verb == "stop":
            return stop_left_over(options.data)
        return asyncio.run(serve(Wanted(options.data, options.http, options.ws, options.nodes)))
    except LaunchError as error:
        say(str(error))
        return REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dev", allow_abbrev=False)
    verbs = parser.add_subparsers(dest="verb", required=True)
    data = argparse.ArgumentParser(add_help=False)
    data.add_argument("--data", type=Path, metavar="DIR", help="where everything is kept (default: .backline)")
    run = verbs.add_parser("run", parents=[data], allow_abbrev=False, help="start the studio")
    run.add_argument("--http", type=_port, default=8000, metavar="PORT", help="port of the page and the API (8000)")
    run.add_argument("--ws", type=_port, default=8001, metavar="PORT", help="port of the collab server (8001)")
    run.add_argument("--nodes", type=_nodes, default=1, metavar="N", help="collab servers, behind a balancer (1)")
    verbs.add_parser("stop", parents=[data], allow_abbrev=False, help="stop what a killed studio left running")
    verbs.add_parser("db", parents=[data], allow_abbrev=False, help="psql; further arguments are psql's")
    return parser


def _port(text: str) -> int:
    with suppress(ValueError):
        if 0 < int(text) < 65536:
            return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a port")


def _nodes(text: str) -> int:
    with suppress(ValueError):
        if 1 <= int(text) <= NODES_MAX:
            return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a number of nodes from 1 to {NODES_MAX}")


async def serve(wanted: Wanted) -> int:
    """Serve until SIGINT or SIGTERM; a second one hurries. SIGHUP restarts the nodes one after the other."""
    asked, loop = asyncio.Event(), asyncio.get_running_loop()
    had_terminal, to_stay = has_terminal(), signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    async with Stack(wanted, os.environ) as stack:

        def stop() -> None:
            if asked.is_set():
                stack.hurry()
            asked.set()

        def hang_up() -> None:
            """A terminal that is closed says it with the same signal: unless started by nohup, we end with it."""
            if not had_terminal or has_terminal():
                stack.roll()
            elif not to_stay:
                asked.set()

        loop.add_signal_handler(signal.SIGHUP, hang_up)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        await _until(asked, _serve(stack))
        say("stopping")
    return 0


async def _serve(stack: Stack) -> None:
    announce(await stack.up())
    await stack.watch()


async def _until(asked: asyncio.Event, work: Coroutine[None, None, None]) -> None:
    """Do `work` until someone asked to stop; what goes wrong in it is raised."""
    working, asking = asyncio.ensure_future(work), asyncio.ensure_future(asked.wait())
    await asyncio.wait((working, asking), return_when=asyncio.FIRST_COMPLETED)
    asking.cancel()
    if not working.done():
        working.cancel()
    with suppress(asyncio.CancelledError):
        await working


def stop_left_over(data: Path | None) -> int:
    """Stop the servers that a killed studio left running; LaunchError if a studio still uses them."""
    if data is not None and not data.expanduser().is_dir():
        raise LaunchError(f"There is no data folder {data}.")
    folder = choose_data_folder(data)
    servers = {"Valkey": EmbeddedValkey(folder), "PostgreSQL": EmbeddedPostgres(folder)}
    left = [name for name, server in servers.items() if server.answers()]
    if not all(server.stop_unused() for server in servers.values()):
        raise LaunchError(f"The servers of {folder} are still used: end the ./dev that uses them, it stops them.")
    say(f"stopped: {', '.join(left)}" if left else "nothing was left running")
    return 0


def open_psql(data: Path | None, arguments: Sequence[str]) -> int:
    """psql on DATABASE__URL, or on the embedded database, which is started if it does not run."""
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C belongs to psql
    if address := os.environ.get("DATABASE__URL"):
        return _psql(address, arguments)
    with EmbeddedPostgres(choose_data_folder(data)) as server:
        return _psql(server.dsn, arguments)


def _psql(address: str, arguments: Sequence[str]) -> int:
    program = postgres_programs(nobody_or_self()) / "psql"
    return subprocess.run([program, address, *arguments], check=False).returncode
