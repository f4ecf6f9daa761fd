"""One collab server of the simulation, put together as collab_server.server.running does it, on simulated edges."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

from collab_server.closing import CloseCode
from collab_server.connection import Connection
from collab_server.dialects.yws import YWebsocket
from collab_server.draining import drain
from collab_server.hub import Hub
from collab_server.keeper import Keeper
from collab_server.metrics import Metrics
from collab_server.register import Register
from collab_server.safekeeping import Safe
from collab_server.settings import CollabSettings
from collab_server.watchman import Watchman
from persistence.journal import Journal
from persistence.sessions import Sessions
from persistence.settings import RetentionSettings
from presence.errors import TicketExpired, TicketInvalid
from presence.tickets import verify
from tests.simulation.bus import Broker, End
from tests.simulation.database import Client, Database
from tests.simulation.loop import Host, Loop
from tests.simulation.network import Line

SECRET = "a secret of the simulation, long enough"


class Node:
    """A machine with one server on it; `up` while it takes connections."""

    def __init__(
        self,
        loop: Loop,
        name: str,
        seed: str,
        database: Database,
        broker: Broker,
        settings: CollabSettings,
        failed: Callable[[str], None],
    ) -> None:
        self.name = name
        self.host = Host(loop, name, seed)
        self.settings = settings
        self.database: Client = database.client(self.host)
        self.bus: End = broker.join(self.host)
        self.lines: list[Line] = []
        self.up = False
        self.stopped = False
        self.hub: Hub
        self._loop = loop
        self._dialect = YWebsocket()
        self._failed = failed
        self._work: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start the process."""
        await self.host.start(self._start())

    async def _start(self) -> None:
        node_id = UUID(int=self.host.bits(128), version=4)
        pool = self.database.pool
        journal, sessions = Journal(pool), Sessions(pool, node_id)
        register = Register(sessions)
        keeper = Keeper(
            pool, journal, sessions, lambda: datetime.fromtimestamp(self.host.wall(), UTC), RetentionSettings()
        )
        self.hub = Hub(self.settings, node_id, journal, keeper, Safe(pool), register, self.bus, Metrics())
        parts = (self.hub.writer.run(), register.run(), Watchman(self.hub).run(), self._listen())
        self._work = [asyncio.create_task(part) for part in parts]
        for task in self._work:
            task.add_done_callback(self._ended)
        self.up = True

    async def _listen(self) -> None:
        hub = self.hub

        def heard(project_id: UUID) -> None:
            hosted = hub.rooms.get(project_id)
            if hosted is not None:
                hub.start(hub.news.check_memberships(hosted))

        await self.database.listen(heard, hub.news.check_all_memberships)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and task.exception() is not None:
            self._failed(f"{self.name}: a part has failed: {task.exception()!r}")

    def accept(self, token: str, project: UUID, epoch: int, line: Line) -> None:
        """A websocket handshake, as collab_server.door takes it; runs in this machine's process."""
        refusal = None
        principal = None
        try:
            principal = verify(token, SECRET, project, time.time())
        except TicketExpired:
            refusal = CloseCode.TICKET, "the ticket has expired"
        except TicketInvalid:
            refusal = CloseCode.TICKET, "the ticket is not valid"
        handler = Connection(uuid4(), self.hub, self._dialect, principal, project, epoch, refusal, self._loop)
        self.lines = [each for each in self.lines if not each.is_disconnected]
        self.lines.append(line)
        limits = self.settings.limits
        line.accept(handler, limits.frame_bytes_max, limits.outbox_bytes_max)

    def kill(self, *, silently: bool) -> None:
        """kill -9, or (silently) the whole machine: nobody is told that the connections are gone."""
        self.up = False
        self.stopped = True
        self.host.kill()
        self.database.cut_off()
        for line in self.lines:
            if silently:
                line.silent = True
            else:
                line.reset()

    async def stop(self) -> None:
        """SIGTERM: what collab_server.server does on leaving."""
        self.up = False
        await self.host.start(self._stop())

    async def _stop(self) -> None:
        await drain(self.hub)
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        for line in list(self.lines):
            if not line.is_disconnected:
                line.reset()
        self.stopped = True
        self.host.kill()
