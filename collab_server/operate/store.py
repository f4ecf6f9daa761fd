"""The database and the bus as the commands use them: opened for one command, closed after it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

from pycrdt import Doc

from collab_server.operate.errors import OperatorError
from collab_server.operate.settings import StoreSettings
from persistence.archive import Kept, kept
from persistence.editing import open_stored
from persistence.errors import CorruptState
from persistence.journal import Loaded
from persistence.pool import Connection, Pool, open_pool
from presence.bus import Bus, open_bus
from presence.events import Event

POLL_SECONDS: Final = 0.02
ROUNDS: Final = 100


class Store:
    """Stored documents, and the doorbell for those who have them open."""

    def __init__(self, pool: Pool, settings: StoreSettings) -> None:
        self.pool = pool
        self._settings = settings

    @asynccontextmanager
    async def moment(self) -> AsyncIterator[Connection]:
        """A connection whose statements all see the same moment and change nothing."""
        async with (
            self.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection

    async def kept(self, project_id: UUID) -> Kept:
        """What is kept of this document. Raises NotFound."""
        async with self.moment() as connection:
            return await kept(connection, project_id)

    async def tell(self, events: Sequence[Event]) -> bool:
        """Ring for the nodes; False when the bus did not take it: they will find it in the database by themselves."""
        if not events or self._settings.bus is None:
            return not events
        async with open_bus(self._settings.bus) as bus:
            for event in events:
                bus.publish(event)
            await _connected(bus)
        return not bus.queued and not bus.dropped  # leaving has waited for them, for a moment


async def _connected(bus: Bus) -> None:
    """Wait for both connections of the bus, for a moment: one that is left half made takes long to close."""
    for _ in range(ROUNDS):
        if bus.healthy:
            return
        await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def open_store(settings: StoreSettings) -> AsyncIterator[Store]:
    """The store of these settings. Raises what the database raises when it can't be had."""
    database = settings.database
    pool = await open_pool(
        database.url,
        1,
        2,
        connect_timeout=database.connect_timeout_seconds,
        command_timeout=max(database.command_timeout_seconds, 300),  # a history of years is counted, not served
    )
    try:
        yield Store(pool, settings)
    finally:
        await pool.close()


def opened(found: Kept, loaded: Loaded) -> "Doc[Any]":
    """The document of what is kept. Raises OperatorError when it is no longer what was stored, or can't be applied."""
    problem = found.state_problem() or found.rows_problem()
    if problem:
        raise OperatorError(f"the stored document of project {found.project_id} is damaged: {problem}")
    try:
        return open_stored(found.project_id, loaded)
    except CorruptState as error:
        raise OperatorError(str(error)) from error
