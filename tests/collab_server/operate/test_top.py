"""`top`, once and on a terminal."""

import asyncio
import os
import pty
import signal
import sys
import termios
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from launch.app import App
from tests.collab_server.conftest import MakePeer
from tests.collab_server.operate.conftest import Operate
from tests.collab_server.peer import until
from tests.collab_server.world import User


class Terminal:
    """A terminal with `top` on it."""

    def __init__(self, process: asyncio.subprocess.Process, keys: int, before: list[object]) -> None:
        self.process = process
        self.keys = keys
        self.before = before
        self.shown = b""

    def read(self) -> None:
        """Take what was written."""
        try:
            self.shown += os.read(self.keys, 65536)
        except OSError:  # the other side is closed
            asyncio.get_running_loop().remove_reader(self.keys)


@asynccontextmanager
async def terminal(environment: dict[str, str]) -> AsyncIterator[Terminal]:
    """`top` at four pictures a second on a terminal of its own."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "collab_server", "top", "--interval", "0.25"),
        env=environment | {"COLUMNS": "200", "LINES": "40"},
        stdin=theirs,
        stdout=theirs,
        stderr=DEVNULL,
    )
    opened = Terminal(process, ours, termios.tcgetattr(theirs))
    asyncio.get_running_loop().add_reader(ours, opened.read)
    try:
        yield opened
        assert termios.tcgetattr(theirs)[3] == opened.before[3]
    finally:
        asyncio.get_running_loop().remove_reader(ours)
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(ours)
        os.close(theirs)


def press_q(seen: Terminal) -> None:
    """The key."""
    os.write(seen.keys, b"q")


def interrupt(seen: Terminal) -> None:
    """What Ctrl-C does."""
    seen.process.send_signal(signal.SIGINT)


@pytest.mark.parametrize("end", [press_q, interrupt])
async def test_it_redraws_until_q_or_an_interrupt(
    app_environment: dict[str, str], project: UUID, ada: User, make_peer: MakePeer, end: Callable[[Terminal], object]
) -> None:
    """It shows the room, draws again, and leaves the terminal as it was: exit code 0."""
    await make_peer(project, ada).join()
    async with terminal(app_environment) as seen:
        await until(lambda: seen.shown.count(b"\x1b[H") >= 2 and str(project).encode() in seen.shown)
        assert seen.shown.startswith(b"\x1b[?1049h\x1b[?25l")
        end(seen)
        async with asyncio.timeout(10):
            assert await seen.process.wait() == 0
        await until(lambda: seen.shown.endswith(b"\x1b[?25h\x1b[?1049l"))


async def test_a_node_that_goes_away_is_said_and_awaited(app_environment: dict[str, str], free_port: int) -> None:
    """The picture goes on without it, and with it as soon as it is there."""
    environment = app_environment | {"COLLAB__PORT": str(free_port)}
    async with terminal(environment) as seen:
        await until(lambda: b"does not answer" in seen.shown)
        app = App("collab_server", free_port, environment)
        await app.start()
        try:
            seen.shown = b""
            await until(lambda: b"0.0" in seen.shown)
        finally:
            await app.stop()
        press_q(seen)
        async with asyncio.timeout(10):
            assert await seen.process.wait() == 0


async def test_once_prints_one_picture(
    operate: Operate, project: UUID, ada: User, collab: App, make_peer: MakePeer
) -> None:
    """For scripts: plain lines or JSON without a terminal; without --once a terminal is needed."""
    a = await make_peer(project, ada).join()
    asked = asyncio.ensure_future(operate("top", "--once", "--interval", 3, "--json"))
    while not asked.done():
        a.put("transport", "bpm", 90 + len(a.made))
        await asyncio.sleep(0.02)
    (told,) = (await asked).json
    (room,) = [found for found in told["busiest"] if found["project"] == str(project)]
    assert room["edits_per_second"] > 1
    assert room["members"] == 1
    assert told["per_second"]["edits"] > 1
    assert told["connections"] >= 1
    shown = await operate("top", "--once", "--interval", 0.1)
    assert shown.status == 0
    assert str(project) in shown.text
    assert "\x1b" not in shown.text
    unseen = await operate("top")
    assert unseen == (2, b"", "backline collab server: top needs a terminal; --once prints one picture without\n")
