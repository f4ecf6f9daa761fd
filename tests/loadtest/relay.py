"""A small y-websocket or Hocuspocus server at the edge of the tests: honest or forgetful."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pycrdt import Doc
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from loadtest.lib0 import read_varuint, varstring
from loadtest.wire import Dialect, Kind, messages


@dataclass(slots=True)
class Shelf:
    """A room: its document and who is in it."""

    doc: "Doc[Any]" = field(default_factory=Doc)
    people: set[ServerConnection] = field(default_factory=set)


@dataclass(slots=True)
class Relay:
    """Each `forgets`-th update is acknowledged and then thrown away (0: none); `deaf` ones reach all but one member."""

    dialect: Dialect
    forgets: int = 0
    deaf: bool = False
    rooms: dict[str, Shelf] = field(default_factory=dict)
    updates: int = 0

    async def serve(self, connection: ServerConnection) -> None:
        """One member, from beginning to end."""
        request = connection.request
        room = urlsplit(request.path).path.lstrip("/") if request is not None else ""
        shelf: Shelf | None = None
        try:
            async for frame in connection:
                assert isinstance(frame, bytes)
                name = self._name(frame) or room
                shelf = self.rooms.setdefault(name, Shelf())
                if connection not in shelf.people:
                    shelf.people.add(connection)
                    await self._say(connection, name, b"\x00\x00" + varstring(shelf.doc.get_state()))
                for kind, start, end in messages(self.dialect, frame, 0, len(frame)):
                    await self._answer(connection, shelf, name, kind, frame[start:end])
        except ConnectionClosed:
            pass
        finally:
            if shelf is not None:
                shelf.people.discard(connection)

    def _name(self, frame: bytes) -> str:
        if self.dialect is not Dialect.HOCUSPOCUS:
            return ""
        size, at = read_varuint(frame, 0)
        return frame[at : at + size].decode()

    async def _answer(self, connection: ServerConnection, shelf: Shelf, name: str, kind: Kind, body: bytes) -> None:
        if kind is Kind.STEP1:
            await self._say(connection, name, b"\x00\x01" + varstring(shelf.doc.get_update(body)))
        elif kind in (Kind.STEP2, Kind.UPDATE):
            await self._update(connection, shelf, name, body)
        elif kind is Kind.AWARENESS:
            for member in list(shelf.people):
                await self._say(member, name, b"\x01" + varstring(body))

    async def _update(self, author: ServerConnection, shelf: Shelf, name: str, body: bytes) -> None:
        self.updates += body != b"\x00\x00"
        message = b"\x00\x02" + varstring(body)
        forgotten = self.forgets and self.updates % self.forgets == 0
        if not forgotten:
            shelf.doc.apply_update(body)
        others = [] if forgotten else [member for member in shelf.people if member is not author]
        for member in others[1:] if self.deaf else others:
            await self._say(member, name, message)
        await self._say(author, name, b"\x08\x01" if self.dialect is Dialect.HOCUSPOCUS else message)

    async def _say(self, member: ServerConnection, name: str, message: bytes) -> None:
        prefix = varstring(name.encode()) if self.dialect is Dialect.HOCUSPOCUS else b""
        with suppress(ConnectionClosed):
            await member.send(prefix + message)


@asynccontextmanager
async def relaying(relay: Relay) -> AsyncIterator[str]:
    """The relay on an unused port; its address."""
    server: Server
    async with serve(relay.serve, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        port: int = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"
