"""A client of the control socket: it estimates the clock, remembers what it was told, and computes positions."""

import asyncio
import json
import time
from contextlib import suppress
from itertools import count
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from studio.clock import Clock, Sample, sample
from studio.tempo import Point, Signature, TempoMap
from studio.transport import Transport, from_json, position
from tests.collab_server.peer import until


def local() -> float:
    """This process's clock, ms."""
    return time.perf_counter() * 1000


class Musician:
    """One control socket."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = Clock()
        self.samples: list[Sample] = []
        self.server_ms: list[float] = []
        """For every answer, what the server says lay between reading and answering."""
        self.states: list[Transport] = []
        self.tempo: TempoMap | None = None
        self.tempo_rev = ""
        self.answers: dict[str, dict[str, Any]] = {}
        self.hello: dict[str, Any] | None = None
        self.roles: list[str] = []
        self.may = False
        """Whether it may command the room, as told last."""
        self.voices: list[list[str]] = []
        """Who was in the voice room, each time it was told."""
        self.closed: tuple[int, str] | None = None
        self._ids = count(1)
        self._socket: ClientConnection | None = None
        self._task: asyncio.Task[None] | None = None

    async def connect(self) -> "Musician":
        """Open the socket; returns at once."""
        self.hello, self.closed = None, None
        self._socket = await connect(self.url, ping_interval=None, compression=None)
        self._task = asyncio.create_task(self._hear(self._socket))
        return self

    async def join(self) -> "Musician":
        """Connect and wait until the state is known."""
        await self.connect()
        await until(lambda: (self.hello and self.states) or self.closed, "told where things are")
        assert self.closed is None, self.closed
        return self

    async def tune(self, pings: int = 20) -> "Musician":
        """A burst of pings."""
        for n in range(pings):
            heard = len(self.samples)
            await self.ping(n)
            await until(lambda heard=heard: len(self.samples) > heard, "a pong")  # type: ignore[misc]
        return self

    async def ping(self, n: int = 0, **more: object) -> None:
        """Ask for the time."""
        await self.say({"t": "ping", "n": n, "c": local(), **more})

    async def say(self, message: object) -> None:
        """Send a message as JSON, or text as it is."""
        assert self._socket is not None
        await self._socket.send(message if isinstance(message, str) else json.dumps(message))

    async def command(self, kind: str, *, name: str = "", **fields: object) -> str:
        """Send a command; returns its id."""
        name = name or f"c{next(self._ids)}-{id(self)}"
        await self.say({"t": kind, "id": name, **fields})
        return name

    async def ask(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        return await self.answer(await self.command(kind, **fields))

    async def answer(self, name: str, seconds: float = 15.0) -> dict[str, Any]:
        """Wait for the answer to a command."""
        await until(lambda: name in self.answers or self.closed, f"answer to {name}", seconds)
        return self.answers[name]

    @property
    def state(self) -> Transport:
        """What was told last."""
        return self.states[-1]

    def now(self) -> float:
        """The server's time, as estimated."""
        return self.clock.now(local())

    def position(self, now: float) -> float:
        """Where the room is at a moment of the server's clock."""
        assert self.tempo is not None
        assert self.tempo_rev == self.state.tempo_rev
        return position(self.state, self.tempo, now)

    async def leave(self) -> None:
        """Close as a client does."""
        if self._task is not None:
            self._task.cancel()
        if self._socket is not None:
            await self._socket.close()

    async def _hear(self, socket: ClientConnection) -> None:
        try:
            while True:
                message = await socket.recv()
                arrived = local()
                assert isinstance(message, str)
                self._heard(json.loads(message), arrived)
        except ConnectionClosed as closed:
            self.closed = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
            with suppress(ConnectionClosed):
                await socket.close()

    def _heard(self, told: dict[str, Any], arrived: float) -> None:
        match told["t"]:
            case "pong":
                found = sample(told["c"], told["r"], told["s"], arrived)
                self.samples.append(found)
                self.server_ms.append(told["s"] - told["r"])
                self.clock.hear(found)
            case "hello":
                self.hello, self.may = told, told["may"]
            case "role":
                self.roles.append(told["role"])
                self.may = told["may"]
            case "voice":
                self.voices.append(told["users"])
            case "tempo":
                self.tempo_rev, self.tempo = told["rev"], tempo_of(told)
            case "transport":
                self.states.append(from_json(told))
            case "ack" | "nack":
                assert told["id"] not in self.answers, "answered twice"
                self.answers[told["id"]] = told


def tempo_of(told: dict[str, Any]) -> TempoMap:
    """The tempo map of a message. Bars are not numbered: positions do not need that."""
    return TempoMap([Point(*row) for row in told["points"]], [Signature(t, n, d, 1) for t, n, d in told["signatures"]])
