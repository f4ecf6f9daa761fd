"""The command line: one scenario, where it runs, how large it is, and what it must not exceed."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from loadtest.errors import BadUsage
from loadtest.scenarios import ALL, NAMED, Scenario
from loadtest.wire import Dialect

DEFAULT_HTTP = "http://127.0.0.1:8000"
OURS, YWS, HOCUSPOCUS = "backline", "yws", "hocuspocus"
RATE, FIRST_RATE = 200.0, 100.0
RESULTS = Path(".backline", "loadtest")
LEAST_STEP = 3.0  # seconds
FIND_BOUND_MS = 50.0

BOUNDS = (
    ("p99_ms", "ms", "p99 from an edit to each other member"),
    ("ack_p99_ms", "ms", "p99 from an edit to its acknowledgement"),
    ("across_p99_ms", "ms", "p99 from an edit to members behind another --ws"),
    ("join_p99_ms", "ms", "p99 from the websocket to the whole document"),
    ("presence_p99_ms", "ms", "p99 from a cursor to each other member"),
    ("errors", "", "failed joins, refusals, unannounced closes (default 0)"),
    ("disconnects", "", "connections the server or the network ended"),
    ("cpu", "cores", "mean CPU of the server's processes"),
    ("memory_mib", "MiB", "highest memory of the server's processes"),
    ("memory_slope", "MiB/h", "slope of the server's memory (soak: 64)"),
    ("save_lag_s", "s", "highest save lag of /metrics"),
)
"""Thresholds `--max-<name>`: name, unit, meaning."""


@dataclass(slots=True, frozen=True)
class Options:
    """A load test, fully decided. `http` is empty where rooms are opened by name alone."""

    scenario: Scenario
    protocol: str
    http: str
    ws: tuple[str, ...]
    rooms: int
    people: int
    duration: float
    processes: int
    pace: float
    rate: float
    settle: float
    step: float
    seed: int
    accounts: int
    metrics: tuple[str, ...]
    pids: tuple[tuple[str, int], ...]
    bounds: dict[str, float]
    json: Path
    html: Path

    @property
    def dialect(self) -> Dialect:
        """What is spoken on the wire."""
        return Dialect.HOCUSPOCUS if self.protocol == HOCUSPOCUS else Dialect.Y_WEBSOCKET


class _Parser(argparse.ArgumentParser):
    """One sentence instead of a usage text."""

    def error(self, message: str) -> NoReturn:
        """Raise BadUsage."""
        raise BadUsage(f"{message} (--help has the flags)")


def _parser() -> argparse.ArgumentParser:
    scenarios = "\n".join(f"  {scenario.name:<16} {scenario.title}" for scenario in ALL)
    parser = _Parser(
        prog="./dev loadtest",
        description="Simulated musicians against a running server; everything is verified at the end.",
        epilog=f"scenarios:\n{scenarios}\n\nexit code: 0 green, 1 a threshold broken or verification failed, 2 not run",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenario", metavar="SCENARIO", choices=tuple(NAMED))
    _add_target(parser.add_argument_group("target"))
    _add_size(parser.add_argument_group("size"))
    bounds = parser.add_argument_group("thresholds (a broken one is exit code 1)")
    for name, unit, meaning in BOUNDS:
        bounds.add_argument(f"--max-{name.replace('_', '-')}", type=float, metavar=unit.upper() or "N", help=meaning)
    output = parser.add_argument_group("output")
    output.add_argument("--json", type=Path, metavar="FILE", help="every number (default: in .backline/loadtest)")
    output.add_argument("--html", type=Path, metavar="FILE", help="one self-contained page (default: there too)")
    return parser


def _add_target(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--protocol", choices=(OURS, YWS, HOCUSPOCUS), default=OURS, help="default: backline")
    group.add_argument("--http", metavar="URL", help=f"the API of a Backline server ({DEFAULT_HTTP})")
    group.add_argument("--ws", metavar="URL", action="append", help="websocket address; may be repeated, one per node")
    group.add_argument("--metrics", metavar="URL", action="append", help="what to scrape (default: --ws with /metrics)")
    group.add_argument("--pid", metavar="[NAME=]PID", action="append", help="a process tree whose CPU and memory count")
    group.add_argument("--accounts", type=int, metavar="N", help="guest accounts, shared by the rooms (40 or --people)")


def _add_size(group: "argparse._ArgumentGroup") -> None:
    group.add_argument("--rooms", type=int, metavar="N")
    group.add_argument("--people", type=int, metavar="N", help="in each room")
    group.add_argument("--duration", type=float, metavar="S", help="seconds")
    group.add_argument("--processes", type=int, metavar="N", help="worker processes (the cores, at most the rooms)")
    group.add_argument("--pace", type=float, default=1.0, metavar="X", help="how fast people live (1)")
    group.add_argument("--rate", type=float, metavar="N", help=f"edits/s of steady ({RATE:.0f}), first of find-limit")
    group.add_argument("--step", type=float, default=8.0, metavar="S", help="length of a step of find-limit (8)")
    group.add_argument("--settle", type=float, default=20.0, metavar="S", help="patience of the verification (20)")
    group.add_argument("--seed", type=int, default=1, metavar="N", help="of all chance (1)")


def parse(argv: Sequence[str]) -> Options:
    """The options of a command line. Raises BadUsage."""
    given = _parser().parse_args(argv)
    scenario = NAMED[given.scenario]
    rooms, people = given.rooms or scenario.rooms, given.people or scenario.people
    for name in ("rooms", "people", "duration", "processes", "pace", "rate", "step", "settle", "accounts"):
        value = getattr(given, name)
        if value is not None and value <= 0:
            raise BadUsage(f"--{name} must be greater than 0.")
    if given.step < LEAST_STEP:
        raise BadUsage(f"--step must be at least {LEAST_STEP:.0f} seconds: figures come by the second.")
    http = _http(given)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    ws = tuple(_checked(url, ("ws", "wss"), "--ws") for url in given.ws or ())
    return Options(
        scenario, given.protocol, http, ws, rooms, people, given.duration or scenario.duration,
        processes=min(given.processes or cores, rooms),
        pace=given.pace,
        rate=given.rate or (FIRST_RATE if scenario.name == "find-limit" else RATE),
        settle=given.settle,
        step=given.step,
        seed=given.seed,
        accounts=max(people, min(given.accounts or 40, rooms * people)),
        metrics=tuple(_checked(url, ("http", "https"), "--metrics") for url in given.metrics or ()),
        pids=tuple(_pid(text) for text in given.pid or ()),
        bounds=_bounds(given, scenario.name),
        json=given.json or RESULTS / f"{scenario.name}.json",
        html=given.html or RESULTS / f"{scenario.name}.html",
    )  # fmt: skip


def _http(given: argparse.Namespace) -> str:
    if given.protocol != OURS:
        if given.http:
            raise BadUsage("--http is for Backline servers: with another --protocol rooms are opened by name alone.")
        if not given.ws:
            raise BadUsage(f"--protocol {given.protocol} needs --ws URL.")
        return ""
    return _checked(given.http or DEFAULT_HTTP, ("http", "https"), "--http")


def _checked(url: str, schemes: tuple[str, ...], flag: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise BadUsage(f"{flag} {url} is no address that begins with {' or '.join(f'{s}://' for s in schemes)}.")
    return url.rstrip("/")


def _pid(text: str) -> tuple[str, int]:
    name, _, number = text.rpartition("=")
    if not number.isdigit() or not Path(f"/proc/{number}").exists():
        raise BadUsage(f"--pid {text}: there is no such process on this machine.")
    return name or f"pid {number}", int(number)


def _bounds(given: argparse.Namespace, scenario: str) -> dict[str, float]:
    bounds = {name: getattr(given, f"max_{name}") for name, _, _ in BOUNDS}
    found = {name: float(bound) for name, bound in bounds.items() if bound is not None}
    found.setdefault("errors", 0.0)
    if scenario == "soak":
        found.setdefault("memory_slope", 64.0)
    if scenario == "find-limit":
        found.setdefault("p99_ms", FIND_BOUND_MS)
    return found
