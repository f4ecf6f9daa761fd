"""This project's server as it is run for real: PostgreSQL, Valkey and `python -m collab_server`, all on one core.

Every edit is committed with fsync before it is acknowledged. Only the limits on one connection's messages are raised:
a load client is many musicians in one socket.
"""

import asyncio
import os
import re
import secrets
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final
from uuid import UUID, uuid4

import asyncpg

from bench.errors import CannotStart
from bench.job import Door, Load
from bench.measure import pin
from bench.servers import SEATS, Child, Running, free_port
from bench.wire import Dialect
from launch.app import answers_ready
from launch.postgres import EmbeddedPostgres
from launch.valkey import EmbeddedValkey
from persistence.journal import Journal
from persistence.migrate import migrate
from persistence.pool import Connection
from presence.principal import Principal
from presence.tickets import mint
from studio.blank import blank
from studio.roles import Role

SERVER_CLIENT = 1  # the Yjs client id that is reserved for the server
TICKET_SECONDS = 3600
READY_DEADLINE = 30.0
COLOR = "#43a88a"
LIMITS: Final[Mapping[str, str]] = {
    "COLLAB__LIMITS__MESSAGES_PER_SECOND_MAX": "1000000",
    "COLLAB__LIMITS__MESSAGES_BURST_MAX": "10000000",
    "COLLAB__LIMITS__BYTES_PER_SECOND_MAX": "1000000000",
    "COLLAB__LIMITS__BYTES_BURST_MAX": "1000000000",
}
LAG = re.compile(rb"^backline_loop_lag_max_seconds ([0-9.e+-]+)$", re.MULTILINE)

CREATE_DATABASE = 'create database "backline_bench"'
DROP_DATABASE = 'drop database if exists "backline_bench" with (force)'
INSERT_USERS = "insert into users (id) select unnest($1::uuid[])"
INSERT_PROFILES = """
insert into profiles (id, username, display_name, color)
select id, 'bench_' || left(replace(id::text, '-', ''), 20), 'Bench', $2 from unnest($1::uuid[]) as id
"""
INSERT_PROJECTS = "insert into projects (id, owner_id, name) select unnest($1::uuid[]), $2, 'Bench'"
INSERT_MEMBERS = """
insert into project_members (project_id, user_id, role)
select p, u, case when u = $3 then 'owner' else 'editor' end from unnest($1::uuid[]) as p, unnest($2::uuid[]) as u
"""


class Backline:
    """The server of this project; PostgreSQL and Valkey run as long as the context is open."""

    name, title, dialect = "backline", "Backline", Dialect.Y_WEBSOCKET

    def __init__(self, work: Path, core: int) -> None:
        self._work, self._core = work, core
        self._postgres = EmbeddedPostgres(work / "data", bound=True)
        self._valkey = EmbeddedValkey(work / "data", bound=True)
        self._secret = secrets.token_urlsafe(48)
        self._stack = ExitStack()
        self._child: Child | None = None
        self._port = 0

    async def __aenter__(self) -> "Backline":
        with ExitStack() as starting:
            starting.enter_context(self._postgres)
            starting.enter_context(self._valkey)
            await self._fresh_database()
            for pid in (self._postgres.pid, self._valkey.pid):
                if pid is not None:
                    pin(pid, self._core)
            self._stack = starting.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stack.close()

    async def _fresh_database(self) -> None:
        connection = await asyncpg.connect(self._postgres.dsn)
        try:
            await connection.execute(DROP_DATABASE)
            await connection.execute(CREATE_DATABASE)
        finally:
            await connection.close()
        await migrate(self._dsn)

    @property
    def _dsn(self) -> str:
        return self._postgres.dsn_of("backline_bench")

    async def start(self, load: Load) -> Running:
        """New projects, everyone a member, and a fresh server process."""
        doors = await self._projects(load)
        self._port = free_port()
        command = [sys.executable, "-P", "-m", "collab_server"]
        self._child = Child(command, self._environment(), self._work / "backline.log", self._core)
        pid = await self._child.start(self._port)
        await self._ready()
        trees = {"server": pid}
        for name, server in (("postgresql", self._postgres.pid), ("valkey", self._valkey.pid)):
            if server is not None:
                trees[name] = server
        return Running(self._port, doors, trees)

    def _environment(self) -> dict[str, str]:
        root = str(Path(__file__).resolve().parent.parent)
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), root))),
            "DATABASE__URL": self._dsn,
            "BUS__URL": self._valkey.url,
            "TICKETS__SECRET": self._secret,
            "COLLAB__HOST": "127.0.0.1",
            "COLLAB__PORT": str(self._port),
            "COLLAB__PUBLIC_URL": f"ws://127.0.0.1:{self._port}",
            "LOG__LEVEL": "warning",
            **LIMITS,
        }

    async def _ready(self) -> None:
        deadline = time.monotonic() + READY_DEADLINE
        while not await answers_ready(self._port):
            if time.monotonic() > deadline:
                raise CannotStart("The collab server does not become ready.")
            await asyncio.sleep(0.05)

    async def _projects(self, load: Load) -> tuple[Door, ...]:
        seats = min(SEATS, -(-load.clients // load.rooms))
        projects = [uuid4() for _ in range(load.rooms)]
        people = [uuid4() for _ in range(seats)]
        connection = await asyncpg.connect(self._dsn)
        try:
            async with connection.transaction():
                await _create(connection, projects, people)
        finally:
            await connection.close()
        return tuple(self._door(project, people) for project in projects)

    def _door(self, project: UUID, people: list[UUID]) -> Door:
        now, targets = time.time(), []
        for index, person in enumerate(people):
            role = Role.EDITOR if index else Role.OWNER
            principal = Principal(person, f"Player {index}", COLOR, role, project, True)
            targets.append(f"/y/{project}?token={mint(principal, self._secret, now, TICKET_SECONDS)}")
        return Door(str(project), tuple(targets))

    async def stop(self) -> dict[str, float]:
        """Stop the server process; its worst event-loop stall in milliseconds."""
        if self._child is None:
            return {}
        stall = await self._stall()
        await self._child.stop()
        return stall

    async def _stall(self) -> dict[str, float]:
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.write(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                found = LAG.search(await reader.read(-1))
                writer.close()
        except (OSError, TimeoutError):
            return {}
        return {"stall_ms": float(found.group(1)) * 1e3} if found else {}


async def _create(connection: Connection, projects: list[UUID], people: list[UUID]) -> None:
    """The rows that the HTTP app would have written."""
    owner, now = people[0], int(time.time() * 1000)
    await connection.execute(INSERT_USERS, people)
    await connection.execute(INSERT_PROFILES, people, COLOR)
    await connection.execute(INSERT_PROJECTS, projects, owner)
    await connection.execute(INSERT_MEMBERS, projects, people, owner)
    for project in projects:
        seed = blank(str(project), "Bench", str(owner), now, SERVER_CLIENT)
        await Journal.create(connection, project, seed, owner)
