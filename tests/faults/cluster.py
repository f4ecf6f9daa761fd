"""Several nodes on a throw-away PostgreSQL and Valkey, each behind three bad lines: to database, bus and clients."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count, cycle
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx

from launch.app import App
from launch.postgres import EmbeddedPostgres
from launch.valkey import EmbeddedValkey
from persistence.migrate import migrate
from persistence.pool import open_pool
from tests.collab_server.peer import Peer
from tests.collab_server.world import User
from tests.conftest import SECRET, unused_port
from tests.faults.chaos import Chaos, chaos
from tests.faults.rig import Rig, children, kill

PRESENCE_EXPIRY_SECONDS = 6
PING_SECONDS = 5


class Node(NamedTuple):
    """A collab server and its lines; clients come through `door`."""

    app: App
    database: Chaos
    bus: Chaos
    door: Chaos

    async def ready(self) -> int:
        """The status of its /ready."""
        async with httpx.AsyncClient(verify=False) as client:  # plain HTTP: no certificates to be read
            return (await client.get(f"{self.app.http}/ready", timeout=5)).status_code

    async def start(self) -> None:
        """It serves again."""
        await self.app.start()

    async def kill(self) -> None:
        """kill -9."""
        self.app.kill()
        await self.app.ended()

    def signal(self, number: signal.Signals) -> None:
        """Send its process a signal."""
        assert self.app.process is not None
        self.app.process.send_signal(number)


class Wandering:
    """What a client asks each time it connects: its home node at first, and every time another one."""

    def __init__(self, url: Callable[[Node], str], nodes: Sequence[Node]) -> None:
        self.at: Node | None = None
        """Where it was sent last."""
        self._url = url
        self._turn = cycle(nodes)

    def __call__(self) -> str:
        self.at = next(self._turn)
        return self._url(self.at)


class Cluster(Rig):
    """The parts, and what is done to them."""

    def __init__(self, rig: Rig, data: Path, stack: AsyncExitStack) -> None:
        super().__init__(rig.postgres, rig.valkey, rig.app, rig.world.pool, SECRET)
        self.nodes: list[Node] = []
        self.clients = count(20_000)
        self._data = data
        self._stack = stack
        self._rng = random.Random(5)

    async def add_node(self, **settings: str) -> Node:
        """One more, ready."""
        lines = [
            await self._stack.enter_async_context(chaos(upstream, self._rng))
            for upstream in (_socket_of(self.postgres), Path(urlsplit(self.valkey.url).path), unused_port())
        ]
        node = Node(self._app(lines, settings), *lines)
        self._stack.push_async_callback(node.app.stop)
        await node.app.start()
        self.nodes.append(node)
        return node

    async def remove_node(self, node: Node) -> None:
        """It stops, cleanly."""
        self.nodes.remove(node)
        await node.app.stop()

    def _app(self, lines: Sequence[Chaos], settings: dict[str, str]) -> App:
        database, bus, door = lines
        own = {
            **{name: value for name, value in os.environ.items() if "__" not in name},
            "DATABASE__URL": f"postgresql://postgres@127.0.0.1:{database.port}/postgres?sslmode=disable",
            "BUS__URL": f"redis://127.0.0.1:{bus.port}",
            "TICKETS__SECRET": SECRET,
            "COLLAB__PORT": str(door.upstream),
            "COLLAB__PRESENCE_EXPIRY_SECONDS": str(PRESENCE_EXPIRY_SECONDS),
            "COLLAB__PING_SECONDS": str(PING_SECONDS),
            "LOG__LEVEL": "info",
            **settings,
        }
        assert isinstance(door.upstream, int)
        return App("collab_server", door.upstream, own, self._data / "log" / f"collab-{door.upstream}.log")

    def url(self, node: Node, project: UUID, user: User) -> str:
        """Where this user opens the project on this node, with a new ticket."""
        return f"ws://127.0.0.1:{node.door.port}/y/{project}?token={self.world.ticket(project, user)}"

    def peer(self, node: Node, project: UUID, user: User) -> Peer:
        """A client of this user's on this node, not yet connected."""
        return Peer(next(self.clients), self.url(node, project, user))

    def address(self, project: UUID, user: User, nodes: Sequence[Node]) -> Wandering:
        """Where this user's client connects, the first of the nodes being its home."""
        return Wandering(lambda node: self.url(node, project, user), nodes)

    def freeze_postgres(self) -> None:
        """SIGSTOP to the whole of it: connections stay, and nothing answers."""
        self._signal_postgres(signal.SIGSTOP)

    def thaw_postgres(self) -> None:
        """SIGCONT."""
        self._signal_postgres(signal.SIGCONT)

    def _signal_postgres(self, number: signal.Signals) -> None:
        postmaster = self.postgres.pid
        assert postmaster is not None
        for pid in (postmaster, *children(postmaster)):
            os.kill(pid, number)

    async def restart_postgres(self) -> None:
        """A fast shutdown, which ends every connection, and a new start."""
        postmaster = self.postgres.pid
        assert postmaster is not None
        os.kill(postmaster, signal.SIGINT)
        await kill([postmaster], None)
        await self.start_postgres()


@asynccontextmanager
async def cluster(data: Path, nodes: int, **settings: str) -> AsyncIterator[Cluster]:
    """So many nodes, on `data`."""
    async with AsyncExitStack() as stack:
        postgres = await asyncio.to_thread(stack.enter_context, EmbeddedPostgres(data, bound=True))
        valkey = stack.enter_context(EmbeddedValkey(data, bound=True))
        await migrate(postgres.dsn)
        pool = await open_pool(postgres.dsn, 0, 4)
        stack.push_async_callback(pool.close)
        made = Cluster(Rig(postgres, valkey, App("nobody", 0, {}), pool, SECRET), data, stack)
        for _ in range(nodes):
            await made.add_node(**settings)
        yield made


def _socket_of(postgres: EmbeddedPostgres) -> Path:
    (folder,) = parse_qs(urlsplit(postgres.dsn).query)["host"]
    return Path(folder) / ".s.PGSQL.5432"
