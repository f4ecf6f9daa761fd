"""Tests of Hocuspocus sockets by hand: what comes before a token, and what is none of a client's business."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

from collab_server import wire
from collab_server.dialects import hocuspocus
from launch.app import App
from tests.collab_server.author import Author
from tests.collab_server.conftest import MakePeer
from tests.collab_server.peer import until
from tests.collab_server.servers import own_server
from tests.collab_server.world import User, World

AUTHENTICATED = bytes((hocuspocus.AUTH, hocuspocus.AUTHENTICATED))
REFUSED = bytes((hocuspocus.AUTH, hocuspocus.PERMISSION_DENIED))
SAVED = bytes((hocuspocus.SYNC_STATUS, 1))


@pytest.fixture
async def strict(app_environment: dict[str, str], scratch: Path, free_ports: Callable[[], int]) -> AsyncIterator[App]:
    """A collab server that waits half a second for a token."""
    impatient = {"COLLAB__LIMITS__HANDSHAKE_SECONDS_MAX": "0.5"}
    async with own_server(app_environment, free_ports(), scratch, **impatient) as app:
        yield app


class Line:
    """One socket, spoken by hand."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, address: object, body: bytes) -> None:
        """A message of a document."""
        await self._socket.send(wire.write_varstring(str(address)) + body)

    async def token(self, address: object, token: str) -> None:
        """A document's token."""
        await self.send(address, bytes((hocuspocus.AUTH, 0)) + wire.write_varstring(token))

    async def raw(self, frame: bytes | str) -> None:
        """A frame as it is."""
        await self._socket.send(frame)

    async def hear(self, address: object, start: bytes) -> bytes:
        """The next message of the document that begins so; others are passed over."""
        wanted = wire.write_varstring(str(address)) + start
        async with asyncio.timeout(10):
            while True:
                frame = await self._socket.recv()
                assert isinstance(frame, bytes)
                if frame.startswith(wanted):
                    return frame[len(wanted) :]

    async def closed(self) -> int | None:
        """The code with which the server ends the socket."""
        async with asyncio.timeout(10):
            with suppress(ConnectionClosedError):
                async for _ in self._socket:
                    pass
        return self._socket.close_code


async def dial(app: App) -> Line:
    """A socket without any document."""
    return Line(await connect(f"{app.ws}/hocuspocus", ping_interval=None, compression=None))


def marker(author: Author, id: str) -> bytes:
    """An edit as a message."""
    return wire.encode_update(author.marker(id, 1, "x"))


async def test_s9_what_comes_before_the_token_waits_for_it(
    world: World, project: UUID, ada: User, collab: App, make_peer: MakePeer
) -> None:
    """It is not applied before, and it is not lost."""
    a = await make_peer(project, ada).join()
    author, line = Author(4321), await dial(collab)
    await line.send(project, marker(author, "m_early"))
    a.marker("m_a", 1, "a")
    await a.saved()
    assert "m_early" not in (await world.stored(project))["markers"]  # type: ignore[operator]
    await line.token(project, world.ticket(project, ada))
    await line.hear(project, AUTHENTICATED)
    await line.hear(project, SAVED)
    await until(lambda: "m_early" in a.json()["markers"])


async def test_s9_a_socket_without_a_token_is_closed(strict: App) -> None:
    """Nobody may stay without saying who it is."""
    assert await (await dial(strict)).closed() == 4408


async def test_s9_a_document_without_a_token_is_not_kept_waiting(world: World, ada: User, strict: App) -> None:
    """One token opens one document: what is sent for another one must have its own in time."""
    mine, other, line = await world.project(ada), await world.project(ada), await dial(strict)
    await line.token(mine, world.ticket(mine, ada))
    await line.hear(mine, AUTHENTICATED)
    await line.send(other, wire.encode_step1(b"\x00"))
    assert await line.closed() == 4408


@pytest.mark.parametrize(("messages", "documents", "size"), [(300, 1, 10), (101, 101, 10), (5, 1, 60_000)])
async def test_s9_what_waits_for_a_token_is_bounded(messages: int, documents: int, size: int, collab: App) -> None:
    """Too many messages, documents or bytes end the socket."""
    line = await dial(collab)
    for number in range(messages):
        await line.send(f"document {number % documents}", b"\x00\x02" + bytes(size))
    assert await line.closed() == 4408


async def test_a_wrong_token_is_refused_and_the_others_stay(world: World, ada: User, collab: App) -> None:
    """Permission is denied for one document; what is sent for it afterwards is not heard."""
    mine, other, line = await world.project(ada), await world.project(ada), await dial(collab)
    await line.token(mine, world.ticket(mine, ada))
    await line.hear(mine, AUTHENTICATED)
    for token in ("", "junk", world.ticket(mine, ada), world.ticket(other, ada, now=1_000_000)):
        await line.token(other, token)
        await line.hear(other, REFUSED)
    await line.token("no project", world.ticket(mine, ada))
    await line.hear("no project", REFUSED)
    await line.send(mine, marker(Author(77), "m_1"))
    await line.hear(mine, SAVED)


async def test_s11_a_removed_member_loses_one_document(world: World, ada: User, collab: App) -> None:
    """The provider is told to leave it; its other documents go on."""
    bob, line = await world.user(name="Bob"), await dial(collab)
    projects = [await world.project(ada) for _ in range(2)]
    for project in projects:
        await world.pool.execute(
            "insert into project_members (project_id, user_id, role) values ($1, $2, 'editor')", project, bob.id
        )
        await line.token(project, world.ticket(project, bob))
        await line.hear(project, AUTHENTICATED)
    gone, kept = projects
    await world.pool.execute("delete from project_members where project_id = $1 and user_id = $2", gone, bob.id)
    await line.hear(gone, bytes((hocuspocus.CLOSE,)))
    await line.send(kept, marker(Author(78), "m_1"))
    await line.hear(kept, SAVED)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"", 4400),
        (b"\xff\xff\xff\xff\xff", 4400),
        (b"\x7f", 4400),
        (b"\x81\x02" + b"a" * 257 + b"\x00", 4400),
        (b"\x01a\x02\x07", 4400),
        ("text", 1003),
    ],
)
async def test_s4_junk_ends_the_socket(frame: bytes | str, code: int, collab: App) -> None:
    """A frame that is no message is answered with a close code."""
    line = await dial(collab)
    await line.raw(frame)
    assert await line.closed() == code


async def test_a_client_may_not_broadcast_and_say_too_much(world: World, ada: User, collab: App) -> None:
    """Both end the socket."""
    project = await world.project(ada)
    for body, code in ((b"\x06\x01x", 4403), (b"\x05" + wire.write_varstring("x" * 4097), 4400)):
        line = await dial(collab)
        await line.token(project, world.ticket(project, ada))
        await line.hear(project, AUTHENTICATED)
        await line.send(project, body)
        assert await line.closed() == code


async def test_an_answer_to_a_ping_and_an_unknown_message_are_harmless(world: World, ada: User, collab: App) -> None:
    """The socket goes on, and so it does after a document was left and entered again."""
    project, line = await world.project(ada), await dial(collab)
    for _ in range(2):
        await line.token(project, world.ticket(project, ada))
        await line.hear(project, AUTHENTICATED)
        await line.raw(hocuspocus.PONG)
        await line.send(project, b"\x63junk")
        await line.send(project, marker(Author(79), "m_1"))
        await line.hear(project, SAVED)
        await line.send(project, bytes((hocuspocus.CLOSE,)))
