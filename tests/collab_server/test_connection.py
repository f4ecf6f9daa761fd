"""Tests of one websocket's way through the real server: what it may say, and what it is told when nothing happens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from websockets.asyncio.client import ClientConnection, connect

from collab_server import wire
from collab_server.closing import CloseCode
from collab_server.connection import Connection
from collab_server.dialects.yws import YWebsocket
from collab_server.gate.awareness import Entry, decode, encode
from collab_server.gate.limits import Limits as GateLimits
from collab_server.settings import CollabSettings, Limits
from collab_server.wire import Kind
from launch.app import App
from tests.collab_server.author import Author
from tests.collab_server.lobby import Lobby, Wire
from tests.collab_server.peer import until
from tests.collab_server.rooms import PROJECT, SEED, Person, messages
from tests.collab_server.servers import own_server
from tests.collab_server.world import User, World

NO_PROJECTIONS = "lock table studio_markers in access exclusive mode"


@pytest.fixture
async def raw(world: World, project: UUID, ada: User, collab: App) -> AsyncIterator[ClientConnection]:
    """A websocket in the project that says nothing by itself."""
    async with connect(world.url(collab, project, ada), ping_interval=None, compression=None) as made:
        yield made


async def hears(socket: ClientConnection, wanted: Kind, seconds: float = 10.0) -> bytes:
    """The payload of the next message of this kind."""
    async with asyncio.timeout(seconds):
        while True:
            message = await socket.recv()
            assert isinstance(message, bytes)
            kind, payload, _ = wire.read_message(message)
            if kind is wanted:
                return payload


async def code(socket: ClientConnection) -> int | None:
    """The code with which the server closes."""
    async with asyncio.timeout(10):
        await socket.wait_closed()
    return socket.close_code


async def test_the_server_asks_first(raw: ClientConnection) -> None:
    """The first message is Step1."""
    message = await raw.recv()
    assert isinstance(message, bytes)
    assert wire.read_message(message)[0] is Kind.STEP1


async def test_several_messages_in_one_frame(raw: ClientConnection) -> None:
    """A frame of a newer client holds an edit, a question and presence: each is heard."""
    update = Author(77).track("t_1")
    presence = wire.encode_awareness(encode([Entry(77, 1, '{"cursor":1}')]))
    await raw.send(wire.encode_update(update) + wire.encode_step1(b"\x00") + presence)
    assert await hears(raw, Kind.STEP2)
    assert await hears(raw, Kind.UPDATE) == update
    await raw.send(wire.encode_query_awareness())
    assert b"cursor" in await hears(raw, Kind.AWARENESS)


async def test_unknown_messages_are_ignored(raw: ClientConnection) -> None:
    """Types of other servers, and an auth message of an old client, harm nobody."""
    for message in (b"\x64\x01\x02", b"\x05hello", b"\x0a", wire.encode_denied("no"), b""):
        await raw.send(message)
    await raw.send(wire.encode_step1(b"\x00"))
    assert len(await hears(raw, Kind.STEP2)) >= len(SEED) - 80


async def test_a_fragmented_message_is_one_message(raw: ClientConnection) -> None:
    """RFC 6455 fragments are put together."""
    update = Author(78).track("t_1")
    message = wire.encode_update(update)
    await raw.send([message[:3], message[3:10], message[10:]])
    assert await hears(raw, Kind.UPDATE) == update


async def test_text_is_not_spoken_here(raw: ClientConnection) -> None:
    """1003, as RFC 6455 has it."""
    await raw.send("hello")
    assert await code(raw) == 1003


async def test_a_flood_is_slowed_down_and_not_lost(
    world: World, project: UUID, ada: User, collab: App, raw: ClientConnection
) -> None:
    """Thousands of edits as fast as the wire takes them are all heard, in order, and all acknowledged."""
    author = Author(79)
    updates = [author.track("t_1"), *(author.field("tracks", "t_1", "gain_db", -(n % 60)) for n in range(5_000))]

    async def send() -> None:
        for update in updates:
            await raw.send(wire.encode_update(update))

    sending = asyncio.create_task(send())
    for update in updates:
        assert await hears(raw, Kind.UPDATE, 30) == update
    await sending
    tracks = (await world.stored(project))["tracks"]
    assert isinstance(tracks, dict)
    assert tracks["t_1"]["gain_db"] == -(4_999 % 60)


async def test_a_welcome_that_fills_the_outbox_is_the_last_that_is_written() -> None:
    """Who does not read falls behind from the first byte on, be it the presence of those who are here."""
    lobby = Lobby(CollabSettings(limits=Limits(outbox_bytes_max=10_000)))
    for client in range(4):
        here = Person(client + 10)
        lobby.hosted.perform(lobby.hosted.room.join(here.member))
        state = encode([Entry(client + 10, 1, '{"x":"%s"}' % ("x" * 4000))])
        lobby.hosted.perform(lobby.hosted.room.attendance.hear(here.member, state, 1.0))
    connection = Connection(uuid4(), lobby, YWebsocket(), lobby.person(), PROJECT, None, None, lobby.loop)
    socket = Wire(connection, 10_000)
    welcome = socket.buffered()
    assert welcome > 10_000
    connection.received(wire.encode_step1(b"\x00"))
    assert socket.buffered() == welcome
    socket.drain()
    assert [kind for kind, _ in messages(socket.drain())] == [Kind.STEP2]


async def test_presence_alone_in_its_frame_is_heard_like_any_other() -> None:
    """With or without a message behind it, of whatever size, and whether or not more waits."""
    lobby = Lobby()
    told = []
    for behind in (b"", wire.encode_query_awareness()):
        connection = Connection(uuid4(), lobby, YWebsocket(), lobby.person(), PROJECT, None, None, lobby.loop)
        Wire(connection, 1 << 20)
        client = 100 + len(behind)
        for clock, size in enumerate((0, 100, 200, 4000), start=1):
            entry = Entry(client, clock, '{"x":"%s"}' % ("x" * size))
            connection.received(wire.encode_awareness(encode([entry])) + behind)
        entries = decode(lobby.hosted.room.roster.snapshot(), GateLimits(presence_state_bytes_max=8192))
        told.append([len(state or "") for known, _, state in entries if known == client])
    assert lobby.metrics.presence_messages == 8
    assert told[0] == told[1]
    assert told[0][0] > 4000


@pytest.mark.parametrize("cut", [b"\x01", b"\x01\x80", b"\x01\x05\x00", b"\x01\x80\x00", b"\x01\x02\x01\x01"])
async def test_s8_broken_presence_ends_the_connection(cut: bytes) -> None:
    """A length that is missing, cut, too large or not the shortest, and entries that are cut, are malformed."""
    lobby = Lobby()
    connection = Connection(uuid4(), lobby, YWebsocket(), lobby.person(), PROJECT, None, None, lobby.loop)
    Wire(connection, 1 << 20)
    connection.received(cut)
    assert [code for code, _ in lobby.expelled.values()] == [CloseCode.MALFORMED]
    assert len(lobby.hosted.room.roster) == 0


async def test_presence_that_has_waited_for_long_is_paid_for_and_the_rate_filled_up_again() -> None:
    """It came while the room was being opened, and the rate was full again before it was heard."""
    lobby = Lobby(CollabSettings(limits=Limits(messages_per_second_max=1, messages_burst_max=1)))
    lobby.closed_door = True
    connection = Connection(uuid4(), lobby, YWebsocket(), lobby.person(), PROJECT, None, None, lobby.loop)
    Wire(connection, 1 << 20)
    connection.received(wire.encode_awareness(encode([Entry(10, 1, '{"x":1}')])))
    spending = [connection.spending]
    connection.refill()
    spending.append(connection.spending)
    lobby.let_in(connection)
    spending.append(connection.spending)
    assert len(lobby.hosted.room.roster) == 1
    assert spending == [True, False, True]


async def test_s8_a_flood_of_presence_uses_up_the_turn() -> None:
    """Presence is paid for by its time: the others have their turn long before a thousand messages were heard."""
    lobby = Lobby()
    connection = Connection(uuid4(), lobby, YWebsocket(), lobby.person(), PROJECT, None, None, lobby.loop)
    Wire(connection, 1 << 20)
    state = '{"x":"%s"}' % ("x" * 2000)
    flood = [wire.encode_awareness(encode([Entry(10, clock, state)])) for clock in range(1, 1001)]
    for message in flood:
        connection.received(message)
    assert 0 < lobby.metrics.presence_messages < 1000
    await until(lambda: lobby.metrics.presence_messages == 1000)


@pytest.fixture
async def hasty(app_environment: dict[str, str], scratch: Path, free_ports: Callable[[], int]) -> AsyncIterator[App]:
    """A server whose patience is short."""
    patience = {"COLLAB__PRESENCE_EXPIRY_SECONDS": "2"}
    async with own_server(app_environment, free_ports(), scratch, **patience) as app:
        yield app


async def test_the_silent_fade(world: World, project: UUID, ada: User, hasty: App) -> None:
    """Presence that is not renewed ends, although the table of markers can't be written meanwhile."""
    listener, ghost = world.peer(hasty, project, ada), world.peer(hasty, project, ada)
    for peer in (listener, ghost):
        await peer.join()
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute(NO_PROJECTIONS)
        listener.track("t_1")
        await listener.saved()
        ghost.show(cursor=1)
        await until(lambda: listener.seen(ghost.client))
        await until(lambda: listener.seen(ghost.client) is None)
    for peer in (listener, ghost):
        await peer.leave()
