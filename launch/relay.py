"""One client's connection, passed on to a node: bytes in both directions, and the end of one is the end of both."""

import asyncio
from collections.abc import Callable
from typing import cast

REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
FAREWELL_SECONDS = 5.0
"""How long a peer may take to read what was written before the other end went away."""


class End(asyncio.Protocol):
    """One of the two ends; what it hears is written to `other`."""

    def __init__(self, ended: Callable[[], None], began: "Callable[[End], None] | None" = None) -> None:
        self._ended = ended
        self._began = began
        self._refused = False
        self._said_all = False
        self._early: list[bytes] = []
        self.other: End | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open; a client now needs a node."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass of it
        if self._began is not None:
            self._began(self)

    def join(self, node: "End") -> None:
        """From now on what this client and the node say is passed on."""
        self.other, node.other = node, self
        if self.transport is None or self.transport.is_closing():
            node.close()
            return
        for data in self._early:
            self.data_received(data)
        self._early.clear()
        self.transport.resume_reading()

    def refuse(self) -> None:
        """There is no node: a 503 as soon as the client has asked for something."""
        self._refused = True
        if self._early:
            self.data_received(b"")
        elif self.transport is not None:
            asyncio.get_running_loop().call_later(FAREWELL_SECONDS, self.transport.abort)

    def close(self) -> None:
        """End it when the peer has read what was written, or has had enough time for that."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()
            asyncio.get_running_loop().call_later(FAREWELL_SECONDS, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        """Pass it on. Until there is a node, what was read waits here, and the rest in the system."""
        if self.other is not None:
            if self.other.transport is not None:
                self.other.transport.write(data)
        elif self.transport is not None and self._refused:
            self.transport.write(REFUSAL)
            self.close()
        elif self.transport is not None:
            self._early.append(data)
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        """It will say no more, but may still listen; false when it can be closed."""
        self._said_all = True
        other = self.other
        if other is None or other.transport is None or other.transport.is_closing():
            return False
        if other._said_all:
            other.close()
            return False
        other.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        """It reads too slowly: the other one is not heard meanwhile."""
        if self.other is not None and self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """It has read."""
        if self.other is not None and self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end of one is the end of both."""
        if self.other is not None:
            self.other.close()
        self._ended()
