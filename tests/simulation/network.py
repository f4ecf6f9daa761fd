"""A line between a client and a node: the product's real Socket on a transport that delays, stalls and dies.

Bytes keep their order in each direction. What was written but not taken is lost with the line, or with the node.
"""

import random
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any, Protocol, cast

from picows import WSMsgType

from collab_server.sockets import Handler, Socket
from tests.simulation.loop import Host, Loop

CHUNK_SECONDS = 0.0003


class Listener(Protocol):
    """The client's end."""

    def heard(self, line: "Line", data: bytes) -> None:
        """The server has written this."""

    def lost(self, line: "Line") -> None:
        """The connection is gone."""


class Frame:
    """A websocket frame as picows hands it on."""

    rsv1 = rsv2 = rsv3 = False
    fin = True

    def __init__(self, msg_type: WSMsgType, payload: bytes) -> None:
        self.msg_type = msg_type
        self._payload = payload
        self.payload_size = len(payload)

    def get_payload_as_bytes(self) -> bytes:
        return self._payload


class Line:
    """One connection. It is a picows transport and, as `underlying_transport`, what that stands on."""

    def __init__(self, loop: Loop, node: Host, client: Listener, seed: str) -> None:
        self.loop = loop
        self.node = node
        self.client = client
        self.rng = random.Random(seed)
        self.latency = (0.0005, 0.006)
        self.is_disconnected = False
        self.silent = False
        """Half open: nothing arrives any more, and neither end knows."""
        self.stalled = False
        """The client reads nothing for now."""
        self.over = False
        """The client has hung up, or knows that the server is gone."""
        self.underlying_transport = self
        self._socket: Socket | None = None
        self.told_at = 0.0
        """When the server wrote what the client is hearing."""
        self._down: deque[tuple[float, bytes]] = deque()
        self._buffered = 0
        self._pumping = False
        self._full = False
        self._high = self._low = 1 << 30
        self._up: deque[Frame] = deque()
        self._reading = True
        self._down_at = self._up_at = 0.0

    # ------------------------------------------------------------------ the client's side

    def accept(self, handler: Handler, message_bytes_max: int, outbox_bytes: int) -> None:
        """The handshake is done; runs in the node's process."""
        self._socket = Socket(handler, self.loop, message_bytes_max, outbox_bytes, deflates=False)
        self._socket.on_ws_connected(cast(Any, self))

    def send(self, payload: bytes, kind: WSMsgType = WSMsgType.BINARY) -> None:
        """A frame sets off for the server."""
        if not self.silent and not self.over:
            self._up_at = max(self._up_at + 1e-6, self.loop.time() + self.rng.uniform(*self.latency))
            self.node.at(self._up_at, self._arrive, Frame(kind, payload))

    def hang_up(self) -> None:
        """The client is gone. A half-open line tells nobody."""
        self.over = True
        if not self.silent:
            self._up_at = max(self._up_at + 1e-6, self.loop.time() + self.rng.uniform(*self.latency))
            self.node.at(self._up_at, self._disconnected)

    def reset(self) -> None:
        """The machine on the other end is gone and its address says so."""
        self._outside(self._lost)

    def stall(self, seconds: float) -> None:
        """The client's machine is busy: it reads nothing for a while."""
        self.stalled = True
        self._outside(self._go_on, seconds)

    def _go_on(self) -> None:
        self.stalled = False
        self.node.soon(self._pump)

    def _lost(self) -> None:
        if not self.over:
            self.over = True
            self.client.lost(self)

    def _heard(self, told_at: float, data: bytes) -> None:
        if not self.over and not self.silent:
            self.told_at = told_at
            self.client.heard(self, data)

    # ------------------------------------------------------------------ picows' side

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        self._high, self._low = high, low

    def get_write_buffer_size(self) -> int:
        return self._buffered

    def write(self, data: bytes) -> None:
        if self.is_disconnected:
            return
        self._down.append((self.loop.time(), data))
        self._buffered += len(data)
        if not self._pumping:
            self._pumping = True
            self.loop.call_later(CHUNK_SECONDS, self._pump_on)
        if self._buffered > self._high and not self._full and self._socket is not None:
            self._full = True
            self._socket.pause_writing()

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        self.loop.call_soon(self._read)

    def disconnect(self, graceful: bool = True) -> None:
        self.loop.call_soon(self._disconnected)

    # ------------------------------------------------------------------ inside, in the node's process

    def _arrive(self, frame: Frame) -> None:
        self._up.append(frame)
        self._read()

    def _read(self) -> None:
        while self._up and self._reading and not self.is_disconnected and self._socket is not None:
            self._socket.on_ws_frame(cast(Any, self), cast(Any, self._up.popleft()))

    def _pump_on(self) -> None:
        self._pumping = False
        self._pump()

    def _pump(self) -> None:
        while self._down and not self.stalled and not self.silent:
            told_at, data = self._down.popleft()
            self._buffered -= len(data)
            self._down_at = max(self._down_at + 1e-6, self.loop.time() + self.rng.uniform(*self.latency))
            self._outside(self._heard, self._down_at - self.loop.time(), told_at, data)
        if self._full and self._buffered <= self._low and not self.is_disconnected and self._socket is not None:
            self._full = False
            self._socket.resume_writing()

    def _disconnected(self) -> None:
        if self.is_disconnected:
            return
        self.is_disconnected = True
        self._up.clear()
        if not self.stalled:
            self._pump()
        if self._socket is not None:
            self._socket.on_ws_disconnected(cast(Any, self))
        if not self.silent:
            self._outside(self._lost, max(self._down_at - self.loop.time(), 0.0) + 0.002)

    def _outside(self, callback: Callable[..., object], seconds: float = 0.0, *args: object) -> None:
        """In nobody's process."""
        self.loop.call_at(self.loop.time() + seconds, callback, *args, context=Context())
