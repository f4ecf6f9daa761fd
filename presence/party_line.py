"""One end of the bus shared by several listeners of one process.

A bus has one handler per project; rooms and the shared transport both want to hear, each from when it begins to when
it ends. Every `line()` is a Bus of its own.
"""

import asyncio
from functools import partial
from uuid import UUID

from presence.bus import Bus
from presence.dispatch import Gap, Handler, call
from presence.events import Event


class PartyLine:
    """Subscribes at the bus when the first line does, and leaves when the last one has."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self._handlers: dict[UUID, dict[Line, Handler]] = {}
        self._turns: dict[UUID, asyncio.Lock] = {}
        """One change of a subscription at a time; kept while the project has handlers or somebody waits."""
        self._subscribed: set[UUID] = set()

    def line(self) -> "Line":
        """Another end."""
        return Line(self)

    async def add(self, project_id: UUID, line: "Line", handler: Handler) -> None:
        self._handlers.setdefault(project_id, {})[line] = handler
        await self._settle(project_id)

    async def remove(self, project_id: UUID, line: "Line") -> None:
        handlers = self._handlers.get(project_id, {})
        handlers.pop(line, None)
        if not handlers:
            self._handlers.pop(project_id, None)
        await self._settle(project_id)

    async def _settle(self, project_id: UUID) -> None:
        """Bring the bus up to what is wanted by now, which may be another thing than when the call was made."""
        turn = self._turns.setdefault(project_id, asyncio.Lock())
        async with turn:
            wanted = project_id in self._handlers
            if wanted and project_id not in self._subscribed:
                self._subscribed.add(project_id)
                await self.bus.subscribe(project_id, partial(self._deliver, project_id))
            elif not wanted and project_id in self._subscribed:
                self._subscribed.discard(project_id)
                await self.bus.unsubscribe(project_id)
        if project_id not in self._handlers and not turn.locked():
            self._turns.pop(project_id, None)

    def _deliver(self, project_id: UUID, event: Event) -> None:
        for handler in list(self._handlers.get(project_id, {}).values()):
            call(partial(handler, event))


class Line:
    """See `presence.bus.Bus`."""

    def __init__(self, party: PartyLine) -> None:
        self._party = party

    @property
    def healthy(self) -> bool:
        return self._party.bus.healthy

    @property
    def queued(self) -> int:
        return self._party.bus.queued

    @property
    def dropped(self) -> int:
        return self._party.bus.dropped

    def publish(self, event: Event) -> None:
        self._party.bus.publish(event)

    async def subscribe(self, project_id: UUID, handler: Handler) -> None:
        await self._party.add(project_id, self, handler)

    async def unsubscribe(self, project_id: UUID) -> None:
        await self._party.remove(project_id, self)

    def on_gap(self, callback: Gap) -> None:
        self._party.bus.on_gap(callback)
