"""One websocket of one person: frames out, whole messages in, and why it ended."""

import asyncio
from typing import Protocol

import picows
from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from loadtest.errors import Refused

CONNECT_SECONDS = 15.0
ABNORMAL = 1006
FRAME_BYTES_MAX = 64 * 2**20


class Owner(Protocol):
    """Whose websocket it is."""

    def opened(self, link: "Link") -> None:
        """The handshake is done."""

    def heard(self, frame: bytes) -> None:
        """A binary message came."""

    def ended(self, link: "Link", code: int, reason: str) -> None:
        """The connection is gone; 1006 if nobody said why."""


class Link(WSListener):
    """A connection from its handshake to its end."""

    def __init__(self, owner: Owner) -> None:
        self._owner, self._parts = owner, bytearray()
        self._transport: WSTransport | None = None
        self._code, self._reason = ABNORMAL, ""

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Ready to be used."""
        self._transport = transport
        self._owner.opened(self)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Messages are put together from their fragments."""
        if frame.msg_type is WSMsgType.CLOSE:
            self._code = _number(frame.get_close_code())
            self._reason = (frame.get_close_message() or b"").decode(errors="replace")
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif frame.msg_type in (WSMsgType.BINARY, WSMsgType.CONTINUATION):
            self._parts += frame.get_payload_as_bytes()
            if frame.fin:
                whole = bytes(self._parts)
                self._parts.clear()
                self._owner.heard(whole)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Gone."""
        self._transport = None
        self._owner.ended(self, self._code, self._reason)

    def send(self, message: bytes) -> None:
        """A binary message; nothing happens on a link that is gone."""
        if self._transport is not None:
            self._transport.send(WSMsgType.BINARY, message)

    def leave(self) -> None:
        """Say 1000 and go."""
        if self._transport is not None:
            self._transport.send_close()
            self._transport.disconnect()

    def cut(self) -> None:
        """Go without a word, as a phone in a tunnel does."""
        if self._transport is not None:
            self._transport.disconnect(graceful=False)


async def connect(address: str, owner: Owner) -> Link:
    """An open link. Raises Refused."""
    link = Link(owner)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await picows.ws_connect(
                lambda: link, address, websocket_handshake_timeout=CONNECT_SECONDS, max_frame_size=FRAME_BYTES_MAX
            )
    except TimeoutError:
        raise Refused(0, f"no websocket in {CONNECT_SECONDS:.0f} s") from None
    except picows.WSError as error:
        response = getattr(error, "response", None)
        raise Refused(int(response.status) if response else 0, _first_line(error)) from None
    except OSError as error:
        reason = "connection refused" if isinstance(error, ConnectionRefusedError) else error.strerror
        raise Refused(0, reason or type(error).__name__) from None
    return link


def _number(code: object) -> int:
    """A close code as a number; picows has an enum for those it knows. 1005 where there was none."""
    value = code.value if isinstance(code, WSCloseCode) else code
    return value if isinstance(value, int) and value else 1005


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:80]
