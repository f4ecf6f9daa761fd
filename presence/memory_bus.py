"""The bus inside one process: for unit tests, and for a single node that is told `memory://`."""

import asyncio
from uuid import UUID

from presence.dispatch import Dispatch, Gap, Handler
from presence.events import Event, decode, encode


class MemoryBroker:
    """What joins the buses of one process; each `bus()` is one node."""

    def __init__(self) -> None:
        self._nodes: list[Dispatch] = []

    def bus(self) -> "MemoryBus":
        node = Dispatch()
        self._nodes.append(node)
        return MemoryBus(self, node)

    def spread(self, data: bytes) -> None:
        event = decode(data)
        for node in self._nodes:
            node.deliver(event)

    def leave(self, node: Dispatch) -> None:
        if node in self._nodes:
            self._nodes.remove(node)


class MemoryBus:
    """One node's end. Events go through their bytes and arrive in a later turn of the loop, as by a network."""

    dropped = 0
    queued = 0
    healthy = True

    def __init__(self, broker: MemoryBroker, node: Dispatch) -> None:
        self._broker = broker
        self._node = node

    def publish(self, event: Event) -> None:
        asyncio.get_running_loop().call_soon(self._broker.spread, encode(event))

    async def subscribe(self, project_id: UUID, handler: Handler) -> None:
        self._node.add(project_id, handler)

    async def unsubscribe(self, project_id: UUID) -> None:
        self._node.remove(project_id)

    def on_gap(self, callback: Gap) -> None:
        self._node.on_gap(callback)

    def close(self) -> None:
        self._broker.leave(self._node)
