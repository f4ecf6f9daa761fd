"""What the launch tests share: processes that use an embedded server, and waiting for a condition."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from launch.app import App

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


def environment(**more: str) -> dict[str, str]:
    """Ours, without what configures the apps."""
    return {**{name: value for name, value in os.environ.items() if "__" not in name}, **more}


@contextmanager
def launcher(
    data: Path, ports: tuple[int, int], further: Sequence[str] = (), **more: str
) -> Iterator[subprocess.Popen[str]]:
    """A running `launch run` on the HTTP and websocket `ports`, stopped if the test did not."""
    options = ["--data", str(data), "--http", str(ports[0]), "--ws", str(ports[1]), *further]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "launch", "run", *options],
        text=True,
        env=environment(PYTHONPATH=str(ROOT), **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def ready(process: subprocess.Popen[str], ports: tuple[int, int]) -> None:
    """Wait for the ready line."""
    assert process.stdout is not None
    assert process.stdout.readline() == f"ready http://127.0.0.1:{ports[0]} ws://127.0.0.1:{ports[1]}\n"


def serves(port: int) -> bool:
    """Whether /ready answers 200."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def apps_below(pid: int) -> list[tuple[str, int]]:
    """The apps below the launcher `pid`: module name and process id, in the order of their start."""
    found = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        command = Path(f"/proc/{child}/cmdline").read_text().split("\0")
        if "-m" in command:
            found.append((command[command.index("-m") + 1], int(child)))
    return found


async def refuses(app: App) -> bool:
    """Whether nobody listens on its port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", app.port)
    except OSError:
        return True
    writer.close()
    return False
