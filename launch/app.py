"""One app as a child process: started with an environment, ready when its `/ready` says so, stopped by SIGTERM."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from launch.errors import LaunchError
from launch.process import appending, dies_with_us

READY_DEADLINE = 30.0  # seconds
PATIENCE = 30.0  # seconds an app has for a clean stop: committing edits takes much less
LOG_BYTES = 16_000_000  # a longer log is set aside when its app starts
REFUSED = 2  # the exit code of an app that cannot start as it was configured


@dataclass(slots=True)
class App:
    """A Python module served at 127.0.0.1:`port`; its output goes to `log`, or to our stderr.

    `name` is what a person is told, where several apps are of the same module.
    """

    module: str
    port: int
    environment: Mapping[str, str]
    log: Path | None = None
    arguments: tuple[str, ...] = ()
    name: str = ""
    process: asyncio.subprocess.Process | None = field(default=None, init=False)

    @property
    def called(self) -> str:
        """What a person is told."""
        return self.name or self.module

    @property
    def http(self) -> str:
        """Where it answers HTTP."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        """Where it answers websockets."""
        return f"ws://127.0.0.1:{self.port}"

    async def start(self, deadline: float = READY_DEADLINE) -> None:
        """Start it and wait until it is ready, at most `deadline` seconds; else LaunchError with its own last words."""
        await self.spawn()
        try:
            async with asyncio.timeout(deadline):
                await self.ready()
        except TimeoutError:
            await self.stop()
            raise LaunchError(f"{self.called} was not ready after {deadline:.0f} seconds{self._see_log()}.") from None

    async def spawn(self) -> None:
        """Start it, and wait for nothing. LaunchError if its log cannot be written."""
        with nullcontext(sys.stderr) if self.log is None else _fresh(self.log) as output:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # from where we are, not from where we are called
                "-m",
                self.module,
                *self.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(self.environment),
                start_new_session=True,  # Ctrl-C in the terminal is ours; the apps are stopped in order
                preexec_fn=dies_with_us(signal.SIGTERM),
            )

    async def ready(self) -> None:
        """Return when `/ready` answers 200; LaunchError if the process ends before that."""
        while not await answers_ready(self.port):
            if self.process is None or self.process.returncode is not None:
                raise LaunchError(self._last_words())
            await asyncio.sleep(0.05)

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        return REFUSED if self.process is None else await self.process.wait()

    async def stop(self, patience: float = PATIENCE) -> int | None:
        """SIGTERM, and SIGKILL after `patience` seconds; the exit code."""
        if self.process is None:
            return None
        self.terminate()
        try:
            async with asyncio.timeout(patience):
                return await self.process.wait()
        except TimeoutError:
            self.kill()
            return await self.process.wait()

    def terminate(self) -> None:
        """SIGTERM, and wait for nothing."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.terminate()

    def kill(self) -> None:
        """SIGKILL, now."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.kill()

    def _last_words(self) -> str:
        code = None if self.process is None else self.process.returncode
        if self.log is not None and code == REFUSED:
            with suppress(OSError, IndexError):  # it may be nobody's to read, or empty
                return self.log.read_text(errors="replace").splitlines()[-1]
        return f"{self.called} ended with exit code {code} before it was ready{self._see_log()}."

    def _see_log(self) -> str:
        return f" (see {self.log})" if self.log is not None else ""


def _fresh(log: Path) -> BinaryIO:
    """The log, open to be written behind what is there; a long one is set aside first. LaunchError if it cannot be."""
    try:
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_name(f"{log.name}.1"))
    except OSError as error:
        raise LaunchError(f"The log {log} cannot be set aside: {error.strerror}.") from error
    return appending(log)


async def answers_ready(port: int) -> bool:
    """Whether GET /ready on this port of ours answers 200."""
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                status = await reader.readline()
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in status
