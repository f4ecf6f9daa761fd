"""A studio of its own whose parts are killed: a throw-away PostgreSQL and Valkey, and a collab server on them."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from launch.app import App
from launch.postgres import EmbeddedPostgres
from launch.valkey import EmbeddedValkey
from persistence.migrate import migrate
from persistence.pool import Pool, open_pool
from tests.collab_server.world import World

DEADLINE = 30.0


class Rig:
    """The parts and how they are killed. `kill_*` returns when nothing of the part runs any more."""

    def __init__(self, postgres: EmbeddedPostgres, valkey: EmbeddedValkey, app: App, pool: Pool, secret: str) -> None:
        self.postgres = postgres
        self.valkey = valkey
        self.app = app
        self.world = World(pool, secret)

    async def kill_server(self) -> None:
        """kill -9 of the collab server."""
        self.app.kill()
        await self.app.ended()

    async def start_server(self) -> None:
        """The collab server serves again."""
        await self.app.start()

    async def kill_postgres(self) -> None:
        """kill -9 of the postmaster and every process it started."""
        postmaster = self.postgres.pid
        assert postmaster is not None
        await kill([postmaster, *children(postmaster)])

    async def start_postgres(self) -> None:
        """PostgreSQL has recovered."""
        await asyncio.to_thread(self.postgres.ensure)

    async def kill_valkey(self) -> None:
        """kill -9 of the bus."""
        pid = self.valkey.pid
        assert pid is not None
        await kill([pid])

    async def start_valkey(self) -> None:
        """The bus serves again, and remembers nothing."""
        await asyncio.to_thread(self.valkey.ensure)


@asynccontextmanager
async def standing(data: Path, environment: dict[str, str]) -> AsyncIterator[Rig]:
    """Everything started on `data`; `environment` is the app's, its database and bus are replaced."""
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(EmbeddedPostgres(data, bound=True))
        valkey = stack.enter_context(EmbeddedValkey(data, bound=True))
        await migrate(postgres.dsn)
        pool = await open_pool(postgres.dsn, 0, 4)
        stack.push_async_callback(pool.close)
        own = {**environment, "DATABASE__URL": postgres.dsn, "BUS__URL": valkey.url, "LOG__LEVEL": "warning"}
        app = App("collab_server", int(own["COLLAB__PORT"]), own, data / "log" / "collab.log")
        stack.push_async_callback(app.stop)
        await app.start()
        yield Rig(postgres, valkey, app, pool, own["TICKETS__SECRET"])


def children(parent: int) -> list[int]:
    """The processes whose parent this is."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent:
                found.append(int(stat.parent.name))
    return found


async def kill(pids: list[int], number: signal.Signals | None = signal.SIGKILL) -> None:
    """Send the processes a signal, or none, and return when none of them runs any more."""
    for pid in pids:
        with suppress(ProcessLookupError):
            if number is not None:
                os.kill(pid, number)
    end = time.monotonic() + DEADLINE
    while any(_alive(pid) for pid in pids):
        assert time.monotonic() < end, "killed and still there"
        await asyncio.sleep(0.01)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
