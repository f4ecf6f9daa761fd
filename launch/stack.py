"""The whole studio on one machine: started in order, kept alive while musicians play, stopped in reverse order."""

import asyncio
import os
import socket
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from launch.app import App
from launch.errors import LaunchError
from launch.outside import check_bus, prepare_database
from launch.place import PROJECT, choose_data_folder, tickets_secret
from launch.postgres import EmbeddedPostgres
from launch.sharing import SharedServer
from launch.valkey import EmbeddedValkey

PROBE_SECONDS = 0.5
FIRST_BACKOFF, LONGEST_BACKOFF = 0.25, 10.0  # seconds before a dead app is started again
STEADY_SECONDS = 30.0  # an app that lived this long starts over with the first back-off


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for."""

    data: Path | None
    http: int
    ws: int


class Stack:
    """`up` returns when all of it serves, `watch` never returns, and leaving the context stops everything."""

    def __init__(self, wanted: Wanted, outside: Mapping[str, str]) -> None:
        self._wanted = wanted
        self._outside = outside
        self._servers: list[SharedServer] = []
        self._apps: list[App] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Stack":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def up(self) -> str:
        """Start all of it. Returns the line to print; LaunchError if something is in the way."""
        check_ports(self._wanted)
        data = choose_data_folder(self._wanted.data)
        database = self._outside.get("DATABASE__URL") or self._database(data)
        bus = self._outside.get("BUS__URL") or self._bus(data)
        for name in await prepare_database(database):
            say(f"migration {name} applied")
        await check_bus(bus)
        environment = app_environment(self._wanted, self._outside, database, bus, data)
        collab = App("collab_server", self._wanted.ws, environment, data / "log" / "collab_server.log")
        api = App("api", self._wanted.http, environment, data / "log" / "api.log")
        for app in (collab, api):  # stopped in reverse: the HTTP app first, then the rooms with their edits committed
            self._apps.append(app)
            self._stack.push_async_callback(app.stop)
        try:
            async with asyncio.TaskGroup() as starting:
                for app in self._apps:
                    starting.create_task(app.start())
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return f"ready {api.http} {collab.ws}"

    def _database(self, data: Path) -> str:
        server = self._stack.enter_context(EmbeddedPostgres(data))
        self._servers.append(server)
        return server.dsn

    def _bus(self, data: Path) -> str:
        server = self._stack.enter_context(EmbeddedValkey(data))
        self._servers.append(server)
        return server.url

    async def watch(self) -> None:
        """Start again whatever dies; a musician's evening must go on."""
        async with asyncio.TaskGroup() as watchers:
            for app in self._apps:
                watchers.create_task(_keep_app(app))
            for server in self._servers:
                watchers.create_task(_keep_server(server))

    def hurry(self) -> None:
        """Do not wait for the apps any longer."""
        for app in self._apps:
            app.kill()


async def _keep_app(app: App) -> None:
    loop = asyncio.get_running_loop()
    backoff = FIRST_BACKOFF
    while True:
        began = loop.time()
        code = await app.ended()
        if loop.time() - began > STEADY_SECONDS:
            backoff = FIRST_BACKOFF
        say(f"{app.module} ended with exit code {code}: it is started again in {backoff:g} s")
        await asyncio.sleep(backoff)
        backoff = min(backoff * 2, LONGEST_BACKOFF)
        await app.spawn()


async def _keep_server(server: SharedServer) -> None:
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


def app_environment(wanted: Wanted, outside: Mapping[str, str], database: str, bus: str, data: Path) -> dict[str, str]:
    """The apps' environment: ours, with what the launcher decides, and defaults for what nobody said."""
    page = PROJECT / "client" / "web" / "dist"
    return {
        "COLLAB__HOST": "127.0.0.1",
        "COLLAB__PUBLIC_URL": f"ws://127.0.0.1:{wanted.ws}",
        "API__HOST": "127.0.0.1",
        "API__PUBLIC_URL": f"http://127.0.0.1:{wanted.http}",
        "API__STUDIO_DIST": str(page),
        **outside,
        "TICKETS__SECRET": outside.get("TICKETS__SECRET") or tickets_secret(data),
        "DATABASE__URL": database,
        "BUS__URL": bus,
        "COLLAB__PORT": str(wanted.ws),
        "API__PORT": str(wanted.http),
        "PYTHONPATH": os.pathsep.join(filter(None, (str(PROJECT), outside.get("PYTHONPATH")))),
    }


def check_ports(wanted: Wanted) -> None:
    """LaunchError if one of the ports is taken."""
    if wanted.http == wanted.ws:
        raise LaunchError(f"--http and --ws are both {wanted.http}: they need a port each.")
    for option, port in (("--http", wanted.http), ("--ws", wanted.ws)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                why = f"cannot be used: {error.strerror}"
                raise LaunchError(f"Port {port} {why}; choose another one with {option}.") from error


def say(sentence: str) -> None:
    """One line for the person at the terminal; stdout belongs to the ready line."""
    print(f"backline: {sentence}", file=sys.stderr, flush=True)
