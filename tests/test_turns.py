"""Tests of who runs beside whom: processes take turns by the same files."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.turns import ALONE, measures_time

TESTS = Path(__file__).parent
WORKER = """
import sys
from pathlib import Path
from tests.turns import turn
for line in sys.stdin:
    with turn(Path(sys.argv[1]), alone=line.strip() == "alone"):
        print("in", flush=True)
        sys.stdin.readline()
    print("out", flush=True)
"""


class Worker:
    """Another process of the same run."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=TESTS.parent,
            env={"PYTHONPATH": "."},
        )

    def say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def close(self) -> None:
        self.process.communicate()


def test_whoever_measures_is_alone_and_is_not_kept_waiting(tmp_path: Path) -> None:
    """It waits for the one who is in, and whoever comes after it waits for it."""
    first, alone, late = (Worker(tmp_path) for _ in range(3))
    first.say("beside")
    assert first.hear() == "in"
    alone.say("alone")
    with pytest.raises(subprocess.TimeoutExpired):
        alone.process.wait(0.5)
    late.say("beside")
    first.say("done")
    assert first.hear() == "out"
    assert alone.hear() == "in"
    alone.say("done")
    assert (alone.hear(), late.hear()) == ("out", "in")
    late.say("done")
    assert late.hear() == "out"
    for worker in (first, alone, late):
        worker.close()


def test_two_are_in_side_by_side(tmp_path: Path) -> None:
    """Nobody waits who does not measure."""
    workers = [Worker(tmp_path) for _ in range(2)]
    for worker in workers:
        worker.say("beside")
    assert [worker.hear() for worker in workers] == ["in", "in"]
    for worker in workers:
        worker.say("done")
        worker.close()


def test_everything_named_there_is_there() -> None:
    """A file that was moved would measure among others unnoticed."""
    assert [each for each in ALONE if not (TESTS / each).exists()] == []
    assert measures_time(TESTS / "faults" / "test_kill.py")
    assert measures_time(TESTS / "browser" / "test_big.py")
    assert not measures_time(TESTS / "studio" / "test_ids.py")
