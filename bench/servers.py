"""A server under test as a child process on its core: started afresh for every run, stopped with all it started."""

import asyncio
import os
import random
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.errors import CannotStart
from bench.job import Door, Load
from bench.wire import Dialect
from launch.process import dies_with_us

START_DEADLINE = 30.0  # seconds
STOP_PATIENCE = 8.0
SETTLE = 0.4
PORTS = range(15_000, 21_000)  # below the ports that clients get
SEATS = 100  # people that a room's doors tell apart


@dataclass(slots=True, frozen=True)
class Running:
    """A server that serves: where, for whom, and the process trees whose CPU is counted (`server` is the first)."""

    port: int
    doors: tuple[Door, ...]
    trees: dict[str, int]


class Contender(Protocol):
    """A server that takes part: `name` in results, `title` in tables."""

    name: str
    title: str
    dialect: Dialect

    async def start(self, load: Load) -> Running:
        """Start it with the rooms that a load needs; raises CannotStart."""
        ...

    async def stop(self) -> dict[str, float]:
        """Stop it; what it said of itself at the end, by metric."""
        ...


def free_port() -> int:
    """A port that nobody listens on."""
    for port in random.sample(PORTS, 50):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise CannotStart("No port between 15000 and 21000 is free.")


def child_setup(core: int | None) -> Callable[[], None]:
    """For `preexec_fn`: pinned before it starts threads, and gone when we are."""
    bind = dies_with_us(signal.SIGTERM)

    def prepare() -> None:
        bind()
        if core is not None:
            os.sched_setaffinity(0, {core})

    return prepare


@dataclass(slots=True)
class Child:
    """One process in a session of its own, its output in a log file."""

    command: list[str]
    environment: Mapping[str, str]
    log: Path
    core: int | None
    process: asyncio.subprocess.Process | None = field(default=None, init=False)

    async def start(self, port: int) -> int:
        """Start it and wait until it takes connections; its process id."""
        with self.log.open("wb") as output:
            self.process = await asyncio.create_subprocess_exec(
                *(part.replace("{port}", str(port)) for part in self.command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(self.environment),
                start_new_session=True,
                preexec_fn=child_setup(self.core),
            )
        try:
            async with asyncio.timeout(START_DEADLINE):
                await self._listening(port)
        except TimeoutError:
            await self.stop()
            raise CannotStart(f"{self.command[0]} did not listen in time (see {self.log}).") from None
        await asyncio.sleep(SETTLE)
        return self.process.pid

    async def _listening(self, port: int) -> None:
        assert self.process is not None
        while True:
            if self.process.returncode is not None:
                words = self.log.read_text(errors="replace").strip().splitlines()
                raise CannotStart(f"{words[-1] if words else 'It ended without a word'} (see {self.log}).")
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL, to its session, which is ours alone."""
        if self.process is None or self.process.returncode is not None:
            return
        for farewell in (signal.SIGTERM, signal.SIGKILL):
            os.killpg(self.process.pid, farewell)
            try:
                async with asyncio.timeout(STOP_PATIENCE):
                    await self.process.wait()
                    return
            except TimeoutError:
                continue


class Peer:
    """Another project's server: any room name opens a document in memory, nothing is durable."""

    def __init__(self, name: str, title: str, dialect: Dialect, command: list[str], work: Path, core: int) -> None:
        self.name, self.title, self.dialect = name, title, dialect
        self._command, self._log, self._core = command, work / f"{name}.log", core
        self._child: Child | None = None

    async def start(self, load: Load) -> Running:
        """Start it; rooms are named at random."""
        port, run = free_port(), f"{random.getrandbits(32):08x}"
        self._child = Child(self._command, os.environ, self._log, self._core)
        pid = await self._child.start(port)
        rooms = [f"bench-{run}-{index}" for index in range(load.rooms)]
        hocuspocus = self.dialect is Dialect.HOCUSPOCUS
        doors = tuple(Door(room, ("/" if hocuspocus else f"/{room}",)) for room in rooms)
        return Running(port, doors, {"server": pid})

    async def stop(self) -> dict[str, float]:
        """Stop it."""
        if self._child is not None:
            await self._child.stop()
        return {}
