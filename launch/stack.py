"""The whole studio on one machine: started in order, kept alive while musicians play, stopped in reverse order."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from launch.app import App
from launch.kept import Kept, keep_server
from launch.outside import check_bus, prepare_database
from launch.place import choose_data_folder
from launch.postgres import EmbeddedPostgres
from launch.sharing import SharedServer
from launch.terminal import say
from launch.valkey import EmbeddedValkey
from launch.wanted import Wanted, app_environment, check_ports, node_ports


class Stack:
    """`up` returns when all of it serves, `watch` never returns, and leaving the context stops everything."""

    def __init__(self, wanted: Wanted, outside: Mapping[str, str]) -> None:
        self._wanted = wanted
        self._outside = outside
        self._servers: list[SharedServer] = []
        self._nodes: list[Kept] = []
        self._beside: list[Kept] = []
        self._roll = asyncio.Event()
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
        if self._wanted.nodes == 1:
            return await self._up_single(environment, data / "log")
        return await self._up_many(environment, data / "log")

    async def _up_single(self, environment: Mapping[str, str], logs: Path) -> str:
        """One collab server on --ws itself. The HTTP app stops first, then the rooms with their edits committed."""
        collab = App("collab_server", self._wanted.ws, environment, logs / "collab_server.log")
        api = App("api", self._wanted.http, environment, logs / "api.log")
        self._nodes.append(Kept(collab))
        self._beside.append(Kept(api))
        for app in (collab, api):
            self._stack.push_async_callback(app.stop)
        await _start((collab, api))
        return f"ready {api.http} {collab.ws}"

    async def _up_many(self, environment: Mapping[str, str], logs: Path) -> str:
        """Nodes behind a balancer. At the end it takes nobody any more, the nodes drain, then the HTTP app stops."""
        nodes = [_node(number, port, environment, logs) for number, port in enumerate(node_ports(self._wanted), 1)]
        api = App("api", self._wanted.http, environment, logs / "api.log")
        behind = tuple(str(port) for port in (self._wanted.ws, *(node.port for node in nodes)))
        balancer = App("launch.balancer", self._wanted.ws, environment, logs / "balancer.log", behind, "the balancer")
        self._nodes.extend(Kept(node) for node in nodes)
        self._beside.extend((Kept(api), Kept(balancer)))
        for app in (api, balancer):
            self._stack.push_async_callback(app.stop)
        self._stack.push_async_callback(_stop_all, nodes)
        self._stack.callback(balancer.terminate)
        await _start((*nodes, api))
        await _start((balancer,))
        return f"ready {api.http} {balancer.ws}"

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
        self._roll.clear()  # whoever asked for it before has fresh processes
        async with asyncio.TaskGroup() as watchers:
            for kept in (*self._nodes, *self._beside):
                watchers.create_task(kept.keep())
            for server in self._servers:
                watchers.create_task(keep_server(server))
            watchers.create_task(self._roll_when_asked())

    def roll(self) -> None:
        """Restart the nodes one after the other, soon."""
        self._roll.set()

    async def _roll_when_asked(self) -> None:
        while True:
            await self._roll.wait()
            self._roll.clear()
            await self._roll_now()

    async def _roll_now(self) -> None:
        """The next node is stopped when the one before it is ready again."""
        for node in self._nodes:
            say(f"{node.app.called} is restarted")
            if not await node.restart():
                say(f"{node.app.called} is not ready: the rolling restart goes no further")
                return
        say("the rolling restart is done")

    def hurry(self) -> None:
        """Do not wait for the apps any longer."""
        for kept in (*self._nodes, *self._beside):
            kept.app.kill()


def _node(number: int, port: int, environment: Mapping[str, str], logs: Path) -> App:
    own = {**environment, "COLLAB__PORT": str(port)}
    return App("collab_server", port, own, logs / f"collab_server-{number}.log", name=f"node {number} (port {port})")


async def _start(apps: Iterable[App]) -> None:
    """All at once; LaunchError of the first that does not come up."""
    try:
        async with asyncio.TaskGroup() as starting:
            for app in apps:
                starting.create_task(app.start())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _stop_all(apps: Iterable[App]) -> None:
    """All at once."""
    await asyncio.gather(*(app.stop() for app in apps))
