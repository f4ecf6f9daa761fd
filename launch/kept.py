"""What runs is kept running: an app or a server that dies is started again, and an app can be restarted on purpose."""

import asyncio

from launch.app import READY_DEADLINE, App
from launch.errors import LaunchError
from launch.sharing import SharedServer
from launch.terminal import say

PROBE_SECONDS = 0.5
FIRST_BACKOFF, LONGEST_BACKOFF = 0.25, 10.0  # seconds before a dead app is started again
STEADY_SECONDS = 30.0  # an app that lived this long starts over with the first back-off


class Kept:
    """An app that serves, and is started again whenever it ends."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._on_purpose = False
        self._spawned = asyncio.Event()

    async def keep(self) -> None:
        """Never returns. What dies is started again after a back-off, what was stopped by `restart` at once."""
        loop = asyncio.get_running_loop()
        backoff = FIRST_BACKOFF
        while True:
            began = loop.time()
            code = await self.app.ended()
            if loop.time() - began > STEADY_SECONDS:
                backoff = FIRST_BACKOFF
            if not self._on_purpose:
                say(f"{self.app.called} ended with exit code {code}: it is started again in {backoff:g} s")
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF)
            self._on_purpose = False
            try:
                await self.app.spawn()
            except LaunchError as error:
                say(str(error))
                continue
            self._spawned.set()

    async def restart(self, deadline: float = READY_DEADLINE) -> bool:
        """Stop it cleanly while `keep` runs; true when its successor is ready, false if it ends or takes too long."""
        self._on_purpose = self.app.process is not None and self.app.process.returncode is None
        self._spawned.clear()
        await self.app.stop()
        try:
            async with asyncio.timeout(deadline):
                await self._spawned.wait()
                await self.app.ready()
        except (TimeoutError, LaunchError):
            return False
        return True


async def keep_server(server: SharedServer) -> None:
    """Not in a thread: nothing else is to be done meanwhile, and a start can then never overtake the stop."""
    backoff = PROBE_SECONDS
    while True:
        await asyncio.sleep(backoff)
        backoff = PROBE_SECONDS
        if server.answers():
            continue
        say(f"{type(server).__name__} is gone: it is started again")
        try:
            server.ensure()
        except LaunchError as error:
            say(str(error))
            backoff = LONGEST_BACKOFF
