"""PostgreSQL, Valkey and any number of `python -m collab_server` for a measurement, each on the core it is told."""

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg

from bench.errors import CannotStart
from bench.measure import cpu_seconds, memory_bytes, pin
from bench.ours import LIMITS
from bench.servers import Child, free_port
from launch.app import answers_ready
from launch.postgres import EmbeddedPostgres
from launch.valkey import EmbeddedValkey
from loadtest.exposition import Buckets, Figures, buckets, figures
from persistence.migrate import migrate
from presence.principal import Principal
from presence.tickets import mint
from studio.roles import Role

PROJECT = Path(__file__).resolve().parent.parent.parent
TICKET_SECONDS = 3600
READY_DEADLINE = 60.0
METRICS_DEADLINE = 30.0
ASK_METRICS: Final = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
CREATE: Final = 'create database "backline_scale"'
DROP: Final = 'drop database if exists "backline_scale" with (force)'


@dataclass(slots=True)
class Node:
    """One running collab server."""

    port: int
    pid: int
    child: Child

    async def figures(self) -> Figures:
        """Its metrics, by name."""
        return figures(await self._metrics())

    async def lags(self) -> Buckets:
        """Its histograms, by name and upper bound."""
        return buckets(await self._metrics())

    async def _metrics(self) -> str:
        async with asyncio.timeout(METRICS_DEADLINE):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(ASK_METRICS)
            text = (await reader.read(-1)).decode()
            writer.close()
        return text.partition("\r\n\r\n")[2]

    @property
    def cpu(self) -> float:
        """CPU seconds since its start."""
        return cpu_seconds(self.pid)

    @property
    def memory(self) -> int:
        """Bytes of memory that are its own."""
        return memory_bytes(self.pid)


@dataclass(slots=True)
class Stage:
    """The servers of a run; its database is new every time `fresh` is called."""

    work: Path
    core: int | None = 0
    nodes: list[Node] = field(default_factory=list)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _secret: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    postgres: EmbeddedPostgres = field(init=False)
    valkey: EmbeddedValkey = field(init=False)

    async def __aenter__(self) -> "Stage":
        self.work.mkdir(parents=True, exist_ok=True)
        self.work.chmod(self.work.stat().st_mode | 0o011)  # PostgreSQL's unprivileged user passes through
        self.postgres = EmbeddedPostgres(self.work / "data", bound=True)
        self.valkey = EmbeddedValkey(self.work / "data", bound=True)
        async with AsyncExitStack() as starting:
            starting.enter_context(self.postgres)
            starting.enter_context(self.valkey)
            self._pin()
            self._stack = starting.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.clear()
        await self._stack.aclose()

    def _pin(self) -> None:
        for pid in self.trees().values():
            if self.core is not None:
                pin(pid, self.core)

    @property
    def dsn(self) -> str:
        """The measured database."""
        return self.postgres.dsn_of("backline_scale")

    def trees(self) -> dict[str, int]:
        """The process trees beside the nodes."""
        found = {"postgresql": self.postgres.pid, "valkey": self.valkey.pid}
        return {name: pid for name, pid in found.items() if pid is not None}

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far, of the database, the bus and all nodes together."""
        spent = {name: cpu_seconds(pid) for name, pid in self.trees().items()}
        return spent | {"nodes": sum(node.cpu for node in self.nodes)}

    async def fresh(self) -> None:
        """An empty, migrated database; the one before is gone."""
        await self.clear()
        connection = await asyncpg.connect(self.postgres.dsn)
        try:
            await connection.execute(DROP)
            await connection.execute(CREATE)
        finally:
            await connection.close()
        await migrate(self.dsn)

    async def start(self, *, core: int | None = None, settings: Mapping[str, str] | None = None) -> Node:
        """One more node, ready."""
        port = free_port()
        log = self.work / f"node-{len(self.nodes)}.log"
        command = [sys.executable, "-P", "-m", "collab_server"]
        child = Child(command, self._environment(port, settings or {}), log, self.core if core is None else core)
        node = Node(port, await child.start(port), child)
        self.nodes.append(node)
        deadline = time.monotonic() + READY_DEADLINE
        while not await answers_ready(port):
            if time.monotonic() > deadline:
                raise CannotStart("The collab server does not become ready.")
            await asyncio.sleep(0.05)
        return node

    async def clear(self) -> None:
        """Stop all nodes."""
        nodes, self.nodes = self.nodes, []
        for node in nodes:
            await node.child.stop()

    def _environment(self, port: int, settings: Mapping[str, str]) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(PROJECT)))),
            "DATABASE__URL": self.dsn,
            "BUS__URL": self.valkey.url,
            "TICKETS__SECRET": self._secret,
            "COLLAB__HOST": "127.0.0.1",
            "COLLAB__PORT": str(port),
            "COLLAB__PUBLIC_URL": f"ws://127.0.0.1:{port}",
            "LOG__LEVEL": "warning",
            **LIMITS,
            **settings,
        }

    def target(self, project: UUID, person: UUID) -> str:
        """The path, with a ticket, by which an editor enters a project."""
        principal = Principal(person, "Player", "#43a88a", Role.EDITOR, project, True)
        return f"/y/{project}?token={mint(principal, self._secret, time.time(), TICKET_SECONDS)}"
