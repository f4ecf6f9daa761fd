"""The simulation as a program: `python -m tests.simulation --seeds 10000 [--from N]`, or `--seed N --trace`."""

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulation import clocks

if TYPE_CHECKING:
    from tests.simulation.run import Verdict


def main() -> int:
    """Run what the command line asks for; 1 if a seed failed."""
    options = _options()
    if os.environ.get("PYTHONHASHSEED") != "0":  # sets of texts have an order of their own in every process
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])
    clocks.install()
    from tests.simulation.run import run

    gc.set_threshold(100_000, 50, 1_000)
    gc.freeze()  # what is imported stays: clearing away after a seed looks at that seed alone
    seeds = options.seed or range(options.first, options.first + options.seeds)
    shout = _say if options.trace else None
    tell = _tell_program if options.json else _tell_person
    verdicts = []
    started = time.perf_counter()
    for seed in seeds:
        verdicts.append(run(seed, shout))
        tell(verdicts)
    if not options.json:
        _sum_up(verdicts, time.perf_counter() - started)
    return 1 if any(verdict.complaints for verdict in verdicts) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first one")
    parser.add_argument("--seed", type=int, nargs="*", help="only these")
    parser.add_argument("--trace", action="store_true", help="print what happens")
    parser.add_argument("--json", action="store_true", help="one JSON line a seed, for programs")
    return parser.parse_args()


def _say(line: str, to: Callable[[str], object] = sys.stdout.write) -> None:
    to(line + "\n")


def _tell_program(verdicts: "list[Verdict]") -> None:
    verdict = verdicts[-1]
    _say(json.dumps({"seed": verdict.seed, "complaints": verdict.complaints, "digest": verdict.digest}))


def _tell_person(verdicts: "list[Verdict]") -> None:
    verdict = verdicts[-1]
    if verdict.complaints:
        more = f" (and {len(verdict.complaints) - 1} more)" if len(verdict.complaints) > 1 else ""
        _say(f"\rseed {verdict.seed}: {verdict.complaints[0]}{more}")
    if not sys.stderr.isatty():
        if len(verdicts) % 500 == 0:
            _say(f"... {len(verdicts)} seeds", sys.stderr.write)
    else:
        sys.stderr.write(f"\r{len(verdicts)} seeds, {sum(1 for each in verdicts if each.complaints)} failed")
        sys.stderr.flush()


def _sum_up(verdicts: "list[Verdict]", seconds: float) -> None:
    failed = [verdict.seed for verdict in verdicts if verdict.complaints]
    saved, rows = sum(verdict.saved for verdict in verdicts), sum(verdict.rows for verdict in verdicts)
    days = sum(verdict.virtual_seconds for verdict in verdicts) / 86_400
    _say(
        f"\r{len(verdicts)} seeds in {seconds:.0f} s, {days:.2f} days of virtual time: {saved} edits acknowledged, "
        f"{rows} rows; failed: {failed or 'none'}"
    )


if __name__ == "__main__":
    sys.exit(main())
