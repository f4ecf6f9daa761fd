"""What the launch tests share: processes that use an embedded server, and waiting for a condition."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
USER = """
import sys
from pathlib import Path
from launch.postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])) as server:
    print(server.pid, server.dsn, flush=True)
    sys.stdin.read()
"""


def until(condition: Callable[[], bool], deadline: float = 20) -> None:
    """Poll `condition`; an AssertionError if it is not true within `deadline` seconds."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.02)


@contextmanager
def user_of_postgres(data: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that uses the PostgreSQL on `data` until its stdin closes; its first line is `pid dsn`."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(data)], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.communicate()


def first_line(process: subprocess.Popen[str]) -> list[str]:
    """The words of its first line."""
    assert process.stdout is not None
    return process.stdout.readline().split()


def alive(pid: int) -> bool:
    """Whether there is such a process, zombies apart."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
