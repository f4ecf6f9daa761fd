"""The websocket library, behind this one module: picows, whose frames reach us as callbacks.

Everything above knows only `Socket` (to write and close) and `Handler` (to hear). Frames, fragments, the close
handshake and small HTTP answers on the same port are dealt with here. Why picows: see ARCHITECTURE.md.
"""

import asyncio
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple, Protocol

from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from collab_server import frames
from collab_server.closing import CloseCode
from collab_server.deflate import EXTENSION, accepts, inflate
from collab_server.gate.errors import Malformed, TooLarge

READ_BUFFER_BYTES = 2048
"""Per connection; it grows by itself. The library's default of 16 KiB would be most of an idle connection."""

RECEIVE_BUFFER_BYTES = 64 * 1024
"""The system's, per connection: what a flood can bring at once, however small its frames."""

BINARY = WSMsgType.BINARY
"""Nearly every frame is one: its name is looked up once."""

CLOSE_GRACE_SECONDS = 2.0
"""How long a peer may take to answer a close frame before the socket is dropped."""


class HttpAnswer(NamedTuple):
    """A small plain answer to a request that is no websocket upgrade."""

    status: HTTPStatus
    content_type: str
    body: bytes


class Handler(Protocol):
    """What is told of one connection's life; none of these may block."""

    def opened(self, socket: "Socket") -> None: ...

    def received(self, message: bytes) -> None: ...

    def writing_paused(self) -> None: ...

    def writing_resumed(self) -> None: ...

    def closed(self) -> None: ...


class TextHandler(Handler, Protocol):
    """A handler whose protocol is text; for any other, a text message ends the connection."""

    def received_text(self, message: bytes) -> None: ...


Router = Callable[[str, str], Handler | HttpAnswer]
"""Path with query, and the Authorization header ("" without one) → who handles the connection, or an answer."""


class Socket(WSListener):
    """One websocket. `write` takes whole frames and never blocks."""

    def __init__(
        self,
        handler: Handler,
        loop: asyncio.AbstractEventLoop,
        message_bytes_max: int,
        outbox_bytes: int,
        *,
        deflates: bool,
    ) -> None:
        self._handler = handler
        self._loop = loop
        self._message_bytes_max = message_bytes_max
        self._outbox_bytes = outbox_bytes
        self.deflates = deflates
        """Whether permessage-deflate was negotiated: then the client may send compressed messages, and so may we."""
        self._text: Callable[[bytes], None] | None = getattr(handler, "received_text", None)
        self._parts: list[bytes] = []
        self._parts_are_text = False
        self._parts_are_deflated = False
        self._parts_bytes = 0
        self._closing = False
        self._grace: asyncio.TimerHandle | None = None
        self.full = False
        """Whether the outbox is full: from then on until it has drained."""
        self.paused = False
        """Whether nothing is read at the moment."""
        self.frames = 0
        """How many have come, of any kind: signs of life."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._wire = transport.underlying_transport
        self._wire.set_write_buffer_limits(high=self._outbox_bytes, low=self._outbox_bytes // 8)
        self.write: Callable[[bytes], object] = self._wire.write
        self._handler.opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.frames += 1
        kind = frame.msg_type
        if self._closing:
            if kind == WSMsgType.CLOSE:
                transport.disconnect()
            return
        if frame.payload_size > self._message_bytes_max:
            self.close(CloseCode.TOO_LARGE, "message too large")
            return
        if frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._compressed(frame)
            return
        if kind is BINARY and frame.fin and not self._parts:
            self._handler.received(frame.get_payload_as_bytes())
        elif kind == WSMsgType.TEXT and self._text is None:
            self.close(CloseCode.UNSUPPORTED_DATA, "binary messages only")
        elif kind == WSMsgType.TEXT and self._text is not None and frame.fin and not self._parts:
            self._text(frame.get_payload_as_bytes())
        elif kind in (WSMsgType.BINARY, WSMsgType.TEXT, WSMsgType.CONTINUATION):
            self._fragment(frame, first=kind != WSMsgType.CONTINUATION)
        elif kind == WSMsgType.CLOSE:
            self.close(CloseCode.NORMAL, "")
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._closing = True
        self.write = _nowhere
        self._handler.closed()
        if self._grace is not None:
            self._grace.cancel()
        self._text = None
        del self._handler, self._transport, self._wire  # they have us: nobody waits for the garbage collector

    def pause_writing(self) -> None:
        self.full = True
        self._handler.writing_paused()

    def resume_writing(self) -> None:
        self.full = False
        self._handler.writing_resumed()

    def pause_reading(self) -> None:
        """Let the peer feel that it sends too fast."""
        if not self._closing:
            self.paused = True
            self._wire.pause_reading()

    def resume_reading(self) -> None:
        self.paused = False
        if not self._closing:
            self._wire.resume_reading()

    def buffered(self) -> int:
        """Bytes written but not yet taken by the system."""
        return 0 if self._closing else self._wire.get_write_buffer_size()

    def close(self, code: CloseCode, reason: str) -> None:
        """Say why and hang up; frames that still arrive are ignored."""
        if self._closing:
            return
        self._closing = True
        self.write(frames.close(code, reason))
        self.write = _nowhere
        self._wire.resume_reading()  # the answer to the close frame must be heard
        self._grace = self._loop.call_later(CLOSE_GRACE_SECONDS, self._drop)

    def _drop(self) -> None:
        self._transport.disconnect(graceful=False)

    def _compressed(self, frame: WSFrame) -> None:
        first = frame.msg_type in (WSMsgType.BINARY, WSMsgType.TEXT)
        if not self.deflates or frame.rsv2 or frame.rsv3 or not first or self._parts:
            self.close(CloseCode.PROTOCOL_ERROR, "no such extension was negotiated")
        elif frame.msg_type == WSMsgType.TEXT and self._text is None:
            self.close(CloseCode.UNSUPPORTED_DATA, "binary messages only")
        elif frame.fin:
            self._inflate(frame.get_payload_as_bytes(), text=frame.msg_type == WSMsgType.TEXT)
        else:
            self._parts_are_deflated = True
            self._fragment(frame, first=True)

    def _inflate(self, payload: bytes, *, text: bool) -> None:
        try:
            message = inflate(payload, self._message_bytes_max)
        except Malformed as error:
            self.close(CloseCode.MALFORMED, error.reason)
        except TooLarge:
            self.close(CloseCode.TOO_LARGE, "message too large")
        else:
            (self._text if text and self._text else self._handler.received)(message)

    def _fragment(self, frame: WSFrame, *, first: bool) -> None:
        if first == bool(self._parts):
            self.close(CloseCode.PROTOCOL_ERROR, "fragments out of order")
            return
        if first:
            self._parts_are_text = frame.msg_type == WSMsgType.TEXT
        self._parts.append(frame.get_payload_as_bytes())
        self._parts_bytes += frame.payload_size + 64  # so that a million empty fragments count too
        if self._parts_bytes > self._message_bytes_max:
            self._parts.clear()
            self.close(CloseCode.TOO_LARGE, "message too large")
        elif frame.fin:
            message = b"".join(self._parts)
            self._parts.clear()
            self._parts_bytes = 0
            if self._parts_are_deflated:
                self._parts_are_deflated = False
                self._inflate(message, text=self._parts_are_text)
            else:
                (self._text if self._parts_are_text and self._text else self._handler.received)(message)


async def serve(
    route: Router,
    *,
    host: str,
    port: int,
    message_bytes_max: int,
    outbox_bytes: int,
    handshake_seconds: float,
) -> asyncio.Server:
    """Listen. A larger message or a handshake slower than `handshake_seconds` ends its connection."""
    loop = asyncio.get_running_loop()

    def accept(request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
        routed = route(request.path.decode("latin-1"), request.headers.get("Authorization", ""))
        if isinstance(routed, HttpAnswer):
            response = WSUpgradeResponse.create_ok_response(
                routed.body, {"Content-Type": routed.content_type, "Cache-Control": "no-store"}
            )
            response.status = routed.status
            return WSUpgradeResponseWithListener(response, None)
        if not accepts(request.headers.get("Sec-WebSocket-Extensions", "")):
            return Socket(routed, loop, message_bytes_max, outbox_bytes, deflates=False)
        return WSUpgradeResponseWithListener(
            WSUpgradeResponse.create_101_response({"Sec-WebSocket-Extensions": EXTENSION}),
            Socket(routed, loop, message_bytes_max, outbox_bytes, deflates=True),
        )

    server = await ws_create_server(
        accept,
        host,
        port,
        max_frame_size=2 * message_bytes_max,  # up to here we can answer with a code of our own
        read_buffer_init_size=READ_BUFFER_BYTES,
        websocket_handshake_timeout=handshake_seconds,
        enable_auto_ping=False,
        backlog=4096,
    )
    for listening in server.sockets:  # accepted sockets inherit it
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    return server


def _nowhere(_: bytes) -> None:
    """Writing to a closed socket goes nowhere."""
