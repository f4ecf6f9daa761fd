"""`python -m bench`: this server beside Hocuspocus and pycrdt-websocket, in one run, on two cores of this machine."""

import argparse
import asyncio
import json
import os
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from bench import peers
from bench.contest import Plan, Results, compete
from bench.errors import BenchError
from bench.ours import Backline
from bench.report import Report, machine
from bench.scenarios import FULL, Scenario, quick
from bench.servers import Contender, Peer
from bench.wire import Dialect
from launch.errors import LaunchError
from launch.place import choose_data_folder

CONTENDERS = ("backline", "hocuspocus", "pycrdt-websocket")
SECONDS = 560.0  # no run of the default set begins later
QUICK_SECONDS = 110.0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round of every scenario, at most two minutes")
    parser.add_argument("--only", metavar="NAMES", help="scenarios by name, separated by commas")
    parser.add_argument("--servers", metavar="NAMES", default=",".join(CONTENDERS), help="which of them (default: all)")
    parser.add_argument("--rounds", type=int, choices=range(1, 11), metavar="N", help="rounds of every scenario (1-10)")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run's numbers")
    parser.add_argument("--work", type=Path, metavar="DIR", help="where packages, data and logs go (.backline/bench)")
    parser.add_argument("--server-core", type=int, default=0, metavar="N", help="core of the servers (0)")
    parser.add_argument("--client-core", type=int, default=1, metavar="N", help="core of the load client (1)")
    parser.add_argument("--list", action="store_true", help="name the scenarios and stop")
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> tuple[Scenario, ...]:
    """The scenarios that the command line asks for."""
    scenarios = quick() if options.quick else FULL
    if options.only:
        wanted = options.only.split(",")
        unknown = set(wanted) - {scenario.name for scenario in scenarios}
        if unknown:
            raise BenchError(f"No scenario is called {', '.join(sorted(unknown))}: --list names them.")
        scenarios = tuple(scenario for scenario in scenarios if scenario.name in wanted)
    if options.rounds:
        scenarios = tuple(replace(scenario, rounds=options.rounds) for scenario in scenarios)
    return scenarios


async def gather(options: argparse.Namespace, work: Path, stack: AsyncExitStack) -> list[Contender]:
    """The servers, installed; ours first, so that it is the base of the ratios."""
    contenders: list[Contender] = []
    wanted, core = options.servers.split(","), options.server_core
    if unknown := set(wanted) - set(CONTENDERS):
        raise BenchError(f"No server is called {', '.join(sorted(unknown))}: there are {', '.join(CONTENDERS)}.")
    if "backline" in wanted:
        say("starting PostgreSQL and Valkey")
        contenders.append(await stack.enter_async_context(Backline(work, core)))
    if "hocuspocus" in wanted:
        say("installing Hocuspocus, if it is not there")
        command = peers.hocuspocus(work)
        contenders.append(Peer("hocuspocus", "Hocuspocus 4.7.0", Dialect.HOCUSPOCUS, command, work, core))
    if "pycrdt-websocket" in wanted:
        say("installing pycrdt-websocket, if it is not there")
        command, title = peers.pycrdt_websocket(work), "pycrdt-websocket 0.16.5"
        contenders.append(Peer("pycrdt-websocket", title, Dialect.Y_WEBSOCKET, command, work, core))
    return contenders


async def bench(options: argparse.Namespace) -> tuple[Results, str]:
    """Everything; the results and the text to print."""
    scenarios = chosen(options)
    work = options.work.absolute() if options.work else choose_data_folder(None) / "bench"
    work.mkdir(parents=True, exist_ok=True)
    work.chmod(work.stat().st_mode | 0o011)  # PostgreSQL's unprivileged user passes through
    async with AsyncExitStack() as stack:
        contenders = await gather(options, work, stack)
        seconds = QUICK_SECONDS if options.quick else SECONDS
        results = await compete(Plan(scenarios, contenders, seconds, options.client_core), say)
    return results, Report(results, contenders).text(options.markdown)


def say(sentence: str) -> None:
    """Progress goes to stderr; stdout is for the tables."""
    print(f"{time.strftime('%H:%M:%S')} {sentence}", file=sys.stderr, flush=True)


def check_cores(options: argparse.Namespace) -> None:
    """The server and the client need a core each."""
    cores = os.sched_getaffinity(0)
    if options.server_core == options.client_core or not {options.server_core, options.client_core} <= cores:
        raise BenchError(f"The server and the load client need a core each of {sorted(cores)}.")


def main() -> int:
    """0 when every scenario was measured, 1 when a run failed, 2 when it could not be run."""
    options = arguments()
    if options.list:
        for scenario in FULL:
            print(f"{scenario.name:<12} {scenario.title}")
        return 0
    try:
        check_cores(options)
        results, text = asyncio.run(bench(options))
    except (BenchError, LaunchError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(f"{text}\n\n{machine()}")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "runs": results.runs}, indent=1))
    return int(results.failures() > 0)


if __name__ == "__main__":
    sys.exit(main())
