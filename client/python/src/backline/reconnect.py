"""Keeps one websocket connected: a ticket, an address, a conversation; and again, until it is over for good."""

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Protocol, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from backline.closing import ComeBack, Ending, Over, RenewTicket, ending, pause
from backline.errors import BacklineError, Refused, TicketRefused
from backline.tickets import Pass, Tickets

CONNECT_SECONDS: Final = 15.0
STALE_TICKETS_MAX: Final = 2
GOOD_SECONDS: Final = 10.0
"""A connection that lasted so long was a good one: the next break begins with a short pause again."""
ABNORMAL: Final = 1006

M = TypeVar("M", bytes, str)


class Conversation(Protocol):
    """What a connection is for."""

    def address(self, allowed: Pass) -> str | Refused:
        """Where to go with this pass; or why never again."""
        ...

    async def converse(self, socket: ClientConnection) -> Refused | None:
        """Talk until the socket is closed; or return why never again."""
        ...


class Line:
    """A line to the server that is laid anew whenever it breaks.

    It holds no conversation: whoever has a line would be in a cycle with it, and with them a pycrdt document.
    """

    def __init__(self, tickets: Tickets, name: str) -> None:
        """`name` is what an error calls it."""
        self.last_trouble = "no attempt was made"
        self._tickets, self._name = tickets, name
        self._failures = self._stale = 0
        self._good_at = math.inf

    async def run(self, conversation: Conversation) -> BacklineError:
        """Connect, talk, come back. Returns when the server refuses us for good: why."""
        try:
            while True:
                match await self._attempt(conversation):
                    case Over(error):
                        return error
                    case RenewTicket(reason) if not self._tickets.renewable or self._stale >= STALE_TICKETS_MAX:
                        return TicketRefused(reason, 4401)
                    case RenewTicket():
                        self._stale += 1
                        await self._rest(slow=False)
                    case ComeBack(slow):
                        await self._rest(slow)
        except Exception as error:
            failure = BacklineError(f"the {self._name} broke down: {error!r}")
            failure.__cause__ = error
            return failure

    def good(self) -> None:
        """The server took our ticket and answered."""
        self._stale, self._good_at = 0, time.monotonic()

    async def _attempt(self, conversation: Conversation) -> Ending:
        try:
            address = conversation.address(await self._tickets.fetch())
            if isinstance(address, Refused):
                return Over(address)
            async with connect(
                address, open_timeout=CONNECT_SECONDS, max_size=None, compression=None, close_timeout=2
            ) as socket:
                refusal = await conversation.converse(socket)
                return self._closed(socket) if refusal is None else Over(refusal)
        except Refused as refusal:
            return Over(refusal)
        except (OSError, InvalidHandshake, TimeoutError) as error:
            self.last_trouble = str(error) or type(error).__name__
            return ComeBack(slow=False)

    def _closed(self, socket: ClientConnection) -> Ending:
        code, reason = socket.close_code or ABNORMAL, socket.close_reason or ""
        self.last_trouble = f"{reason or 'the connection was closed'} ({code})"
        return ending(code, reason)

    async def _rest(self, slow: bool) -> None:
        if time.monotonic() - self._good_at > GOOD_SECONDS:
            self._failures = 0
        self._good_at = math.inf
        await asyncio.sleep(pause(self._failures, slow, random.random()))  # noqa: S311 - no secret
        self._failures += 1


@asynccontextmanager
async def speaking(
    socket: ClientConnection, outgoing: "asyncio.Queue[M]", beside: Coroutine[Any, Any, None]
) -> AsyncIterator[None]:
    """Send what comes into the queue, and let `beside` run, until the block ends."""
    tasks = [asyncio.create_task(_speak(socket, outgoing)), asyncio.create_task(beside)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


async def _speak(socket: ClientConnection, outgoing: "asyncio.Queue[M]") -> None:
    with suppress(ConnectionClosed):
        while True:
            await socket.send(await outgoing.get())
