"""Who may come in, and the book of who was here: many arrivals and leaves are one statement each.

A join storm after a restart is the rule, not the exception: what arrives while a statement is under way goes with the
next one.
"""

import asyncio
from uuid import UUID

import structlog

from persistence.errors import TRANSIENT
from persistence.sessions import Admitted, Arrival, Sessions

LEAVES_SECONDS = 0.2
RETRY_SECONDS = 1.0


class Register:
    """Admits connections and records their leaves. `run` works until it is cancelled; `empty` writes what is left."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._arrivals: list[tuple[Arrival, asyncio.Future[Admitted | None]]] = []
        self._leaves: dict[UUID, int] = {}
        self._arrived = asyncio.Event()
        self._left = asyncio.Event()
        self._log = structlog.get_logger("register")

    async def admit(self, arrival: Arrival) -> Admitted | None:
        """The person's membership as of now, None for a stranger; whoever has one is in the book from now on.

        Raises ConnectionError while the database is away.
        """
        role: asyncio.Future[Admitted | None] = asyncio.get_running_loop().create_future()
        self._arrivals.append((arrival, role))
        self._arrived.set()
        return await role

    def left(self, connection_id: UUID, edits: int) -> None:
        """A connection that was admitted has ended, after so many edits."""
        self._leaves[connection_id] = edits
        self._left.set()

    async def run(self) -> None:
        """Write for ever."""
        async with asyncio.TaskGroup() as work:
            work.create_task(self._admit())
            work.create_task(self._write_leaves())

    async def empty(self) -> None:
        """Write the leaves that are not written yet."""
        leaves, self._leaves = self._leaves, {}
        if not leaves:
            return
        try:
            await self._sessions.left_many(leaves)
        except TRANSIENT as error:
            self._log.warning("leaves not written", error=f"{type(error).__name__}: {error}")
            self._leaves = leaves | self._leaves

    async def _admit(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            arrivals, self._arrivals = self._arrivals, []
            waiting = [(arrival, role) for arrival, role in arrivals if not role.cancelled()]
            try:
                roles = await self._sessions.admit([arrival for arrival, _ in waiting])
            except TRANSIENT as error:
                for _, role in waiting:
                    if not role.done():
                        role.set_exception(ConnectionError(f"{type(error).__name__}: {error}"))
                continue
            for arrival, role in waiting:
                if not role.cancelled():
                    role.set_result(roles.get(arrival.connection_id))

    async def _write_leaves(self) -> None:
        while True:
            await self._left.wait()
            await asyncio.sleep(LEAVES_SECONDS)
            self._left.clear()
            await self.empty()
            if self._leaves:
                self._left.set()
                await asyncio.sleep(RETRY_SECONDS)
