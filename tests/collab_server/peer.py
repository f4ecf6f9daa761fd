"""A pycrdt peer over a real websocket: it speaks as y-websocket does and remembers what it was told."""

import asyncio
import inspect
import json
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from collab_server import wire
from collab_server.gate.awareness import Entry, decode, encode
from collab_server.gate.limits import Limits
from collab_server.wire import EMPTY_UPDATE, Kind
from tests.collab_server.author import Author, Change

DEADLINE = 15.0
"""Seconds after which a condition is held to be false for ever."""


async def until(condition: Callable[[], object], what: str = "", seconds: float = DEADLINE) -> float:
    """Poll a condition, plain or async; returns the seconds it took, fails after `seconds`."""
    started = time.monotonic()
    while True:
        found = condition()
        if inspect.isawaitable(found):
            found = await found
        took = time.monotonic() - started
        if found:
            return took
        assert took < seconds, f"not within {seconds} s: {what or inspect.getsource(condition).strip()}"
        await asyncio.sleep(0.005)


class Peer(Author):
    """One client. Edits made while it is not connected are told when it is."""

    def __init__(self, client: int, url: str) -> None:
        super().__init__(client)
        self.client = client
        self.url = url
        self.synced = False
        self.unsaved: deque[bytes] = deque()
        """Sent and not yet acknowledged."""
        self.acknowledged = 0
        self.muted = False
        """Edits made now are lost on their way."""
        self.heard: list[Kind] = []
        self.denied: list[str] = []
        self.people: dict[int, tuple[int, dict[str, Any] | None]] = {}
        self.closed: tuple[int, str] | None = None
        self._early: list[bytes] = []
        self._clock = 0
        self._shown: dict[str, object] | None = None
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue()

    async def connect(self) -> "Peer":
        """Open the socket and ask for everything; returns at once."""
        self.synced, self.closed = False, None
        self._early.clear()
        self.unsaved.clear()
        self._outgoing = asyncio.Queue()
        self._socket = await connect(self.url, max_size=None, ping_interval=None, compression=None)
        self.send(wire.encode_step1(self.doc.get_state()))
        self._tasks = [asyncio.create_task(self._hear(self._socket)), asyncio.create_task(self._speak(self._socket))]
        return self

    async def join(self) -> "Peer":
        """Connect and wait until everything is here."""
        await self.connect()
        await until(lambda: self.synced or self.closed, "synced")
        assert self.synced, self.closed
        return self

    def send(self, message: bytes) -> None:
        """Send a whole message."""
        self._outgoing.put_nowait(message)

    def edit(self, change: Change) -> bytes:
        """Edit, and tell it while connected."""
        update = super().edit(change)
        if self._socket is not None and not self.muted:
            self.unsaved.append(update)
            self.send(wire.encode_update(update))
        return update

    def show(self, **state: object) -> None:
        """Show something of oneself."""
        self._clock += 1
        self._shown = state
        self.say_presence([Entry(self.client, self._clock, json.dumps(state))])

    def say_presence(self, entries: list[Entry]) -> None:
        """Send an awareness message."""
        self.send(wire.encode_awareness(encode(entries)))

    def seen(self, client: int) -> dict[str, Any] | None:
        """What somebody shows, as heard here."""
        return self.people.get(client, (0, None))[1]

    async def saved(self) -> float:
        """Wait until everything sent is acknowledged; returns the seconds it took."""
        return await until(lambda: not self.unsaved or self.closed, "saved")

    async def same(self, *others: Author) -> None:
        """Wait until all documents are equal."""
        await until(lambda: all(self.json() == other.json() for other in others), "documents equal")

    def drop(self) -> None:
        """Lose the connection, as when a cable is pulled."""
        if self._socket is not None:
            self._socket.transport.abort()
        self._end()

    async def leave(self) -> None:
        """Close as a client does."""
        socket = self._socket
        self._end()
        if socket is not None:
            await socket.close()

    def _end(self) -> None:
        self._socket = None
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    async def _speak(self, socket: ClientConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                await socket.send(await self._outgoing.get())

    async def _hear(self, socket: ClientConnection) -> None:
        try:
            while True:
                message = await socket.recv()
                assert isinstance(message, bytes)
                kind, payload, end = wire.read_message(message)
                assert end == len(message)
                self._heard(kind, payload)
        except ConnectionClosed as closed:
            received = closed.rcvd
            self.closed = (received.code, received.reason) if received else (1006, "")
            self._socket = None

    def _heard(self, kind: Kind, payload: bytes) -> None:
        self.heard.append(kind)
        match kind:
            case Kind.STEP1:
                self._answer(payload)
            case Kind.STEP2:
                self.synced = True
                for update in (payload, *self._early):
                    self._apply(update)
                self._early.clear()
            case Kind.UPDATE:
                if payload in self.unsaved:
                    self._acknowledge(payload)
                else:
                    self._apply(payload)
            case Kind.AWARENESS:
                self._saw(payload)
            case Kind.AUTH:
                self.denied.append(payload.decode())

    def _acknowledge(self, update: bytes) -> None:
        """Acknowledgements come in order: whatever was sent before this one was asked for again, and sent with it."""
        while self.unsaved.popleft() != update:
            pass
        self.acknowledged += 1

    def _answer(self, vector: bytes) -> None:
        missing = self.doc.get_update(vector)
        if missing != EMPTY_UPDATE:
            self.unsaved.append(missing)
        self.send(wire.encode_step2(missing))

    def _apply(self, update: bytes) -> None:
        """Updates before the first Step2 may lean on what is not here yet; yrs, unlike Yjs, never quite forgets it."""
        if not self.synced:
            self._early.append(update)
        else:
            self.doc.apply_update(update)

    def _saw(self, payload: bytes) -> None:
        for client, clock, state in decode(payload, Limits(presence_state_bytes_max=1 << 20)):
            if client == self.client and state is None and self._shown is not None and clock >= self._clock:
                self._clock = clock
                self.show(**self._shown)  # as y-protocols does when it is told to be gone
                continue
            known, before = self.people.get(client, (-1, None))
            if clock > known or (clock == known and state is None and before is not None):
                self.people[client] = clock, None if state is None else json.loads(state)
