"""Real Yjs clients for tests, of every provider: a Node process holds them, driven over JSON lines (see peer.mjs)."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from tests.node import async_program
from tests.node import install as install_packages

FOLDER = Path(__file__).parent

Change = Sequence[object]


class JavaScriptError(Exception):
    """What JavaScript threw."""


class State(NamedTuple):
    """What a provider knows of itself."""

    synced: bool
    connected: bool
    closed: dict[str, Any] | None
    warnings: list[str]
    people: dict[str, dict[str, Any] | None]
    client: int
    unsynced: int | None
    """What a Hocuspocus provider has not been told to be saved."""
    heard: list[str]
    """Stateless messages."""
    scope: str | None


class Clients:
    """The Node process; `open` gives one client of it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._names = count()
        self._turn = asyncio.Lock()

    async def open(
        self,
        url: str,
        room: str,
        params: dict[str, str],
        client: int | None = None,
        *,
        kind: str = "y-websocket-3",
        **options: object,
    ) -> "Client":
        """A fresh document and a provider that connects at once; for `options` see peer.mjs."""
        made = Client(self, str(next(self._names)))
        await self.ask("open", made.name, kind=kind, url=url, room=room, params=params, client=client, **options)
        return made

    async def ask(self, op: str, name: str, **rest: object) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        async with self._turn:
            self._process.stdin.write(json.dumps({"op": op, "name": name, **rest}).encode() + b"\n")
            await self._process.stdin.drain()
            answer: dict[str, Any] = json.loads(await self._process.stdout.readline())
        if "error" in answer:
            raise JavaScriptError(answer["error"])
        return answer


class Client:
    """One Y.Doc with its provider."""

    def __init__(self, clients: Clients, name: str) -> None:
        self.name = name
        self._clients = clients

    async def edit(self, *changes: Change) -> int | None:
        """One transaction; what a Hocuspocus provider then counts as unsynced."""
        unsynced: int | None = (await self._clients.ask("edit", self.name, changes=list(changes)))["unsynced"]
        return unsynced

    async def undo(self) -> None:
        await self._clients.ask("undo", self.name)

    async def show(self, **state: object) -> None:
        """The local awareness state."""
        await self._clients.ask("show", self.name, state=state)

    async def say(self, payload: str) -> None:
        """A stateless message."""
        await self._clients.ask("say", self.name, payload=payload)

    async def state(self) -> State:
        return State(**await self._clients.ask("state", self.name))

    async def json(self) -> dict[str, Any]:
        """Every root as toJSON gives it."""
        found: dict[str, Any] = (await self._clients.ask("json", self.name))["json"]
        return found

    async def disconnect(self) -> None:
        await self._clients.ask("disconnect", self.name)

    async def connect(self, **params: str) -> None:
        """Connect again, with other parameters if any are given."""
        await self._clients.ask("connect", self.name, params=params or None)

    async def close(self) -> None:
        await self._clients.ask("close", self.name)


def install() -> None:
    """The pinned packages, once."""
    install_packages(FOLDER, "hocuspocus-4")


@asynccontextmanager
async def running() -> AsyncIterator[Clients]:
    """A Node process with the clients in it."""
    install()
    async with async_program(FOLDER, "peer.mjs") as process:
        yield Clients(process)
