"""`python -m bench.scale`: what this server costs and bears when there is much of it, and a model of larger ones."""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

from bench.errors import BenchError
from bench.report import machine
from bench.scale import channels, cold, costs, idle, large, model, spread, year
from bench.scale.findings import Findings, tables
from bench.scale.stage import Stage
from launch.errors import LaunchError
from launch.place import choose_data_folder

Measure = Callable[[Stage, Callable[[str], None], int | None], Awaitable[Findings]]

MEASURES: Final[Mapping[str, tuple[str, Measure]]] = {
    "idle": ("10,000 open rooms and 20,000 idle connections on one node", idle.measure),
    "cold": ("cold opens of random projects among 100,000", cold.measure),
    "year": ("a year of history and journal of a busy project", year.measure),
    "channels": ("how the bus is laid out at 10,000 rooms", channels.measure),
    "spread": ("two nodes against one", spread.measure),
    "costs": ("single costs in many rooms of three, and a mixed run against the model", costs.measure),
    "large": ("a document near 16 MiB opened beside busy rooms", large.measure),
}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--only", metavar="NAMES", help="measurements by name, separated by commas")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument("--work", type=Path, metavar="DIR", help="where data and logs go (.backline/scale)")
    parser.add_argument("--server-core", type=int, default=0, metavar="N", help="core of the servers (0)")
    parser.add_argument("--client-core", type=int, default=1, metavar="N", help="core of the simulated people (1)")
    parser.add_argument(
        "--model", nargs="?", const="", metavar="FILE", help="print the capacity model; FILE changes its parameters"
    )
    parser.add_argument("--list", action="store_true", help="name the measurements and stop")
    return parser.parse_args()


def chosen(only: str | None) -> list[str]:
    """The measurements that are asked for."""
    names = only.split(",") if only else list(MEASURES)
    if unknown := set(names) - set(MEASURES):
        raise BenchError(f"No measurement is called {', '.join(sorted(unknown))}: --list names them.")
    return names


async def run(options: argparse.Namespace) -> list[Findings]:
    """The chosen measurements, one after the other."""
    names = chosen(options.only)
    work = options.work.absolute() if options.work else choose_data_folder(None) / "scale"
    found = []
    async with Stage(work, options.server_core) as stage:
        for name in names:
            say(f"{name}: {MEASURES[name][0]}")
            found.append(await MEASURES[name][1](stage, say, options.client_core))
            await stage.clear()
    return found


def print_model(file: Path | None) -> int:
    """The capacity model with the parameters of a file, if there is one."""
    try:
        print(model.report(file))
    except (OSError, ValueError) as error:
        print(f"bench.scale: {error}", file=sys.stderr)
        return 2
    return 0


def say(sentence: str) -> None:
    """Progress goes to stderr; stdout is for the tables."""
    print(f"{time.strftime('%H:%M:%S')} {sentence}", file=sys.stderr, flush=True)


def main() -> int:
    """0 when every bound is kept, 1 when one is not, 2 when it could not be measured."""
    options = arguments()
    if options.list:
        print("\n".join(f"{name:<10} {title}" for name, (title, _) in MEASURES.items()))
        return 0
    if options.model is not None:
        return print_model(Path(options.model) if options.model else None)
    if not {options.server_core, options.client_core} <= os.sched_getaffinity(0):
        print("bench.scale: the servers and the people need cores that this process may use", file=sys.stderr)
        return 2
    try:
        found = asyncio.run(run(options))
    except (BenchError, LaunchError) as error:
        print(f"bench.scale: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(f"{tables(found, options.markdown)}\n\n{machine()}")
    if options.json:
        dump = {"machine": machine(), "measurements": [findings.dump() for findings in found]}
        options.json.write_text(json.dumps(dump, indent=1))
    return int(any(findings.broken() for findings in found))


if __name__ == "__main__":
    sys.exit(main())
