"""Tests of Hocuspocus sockets without a network: what one document costs the socket, and the socket the server."""

import time

from collab_server import wire
from collab_server.connection import STATELESS_WORK, Connection
from collab_server.dialects import hocuspocus
from collab_server.seats import Seats
from collab_server.settings import CollabSettings, Limits
from tests.collab_server.lobby import Lobby
from tests.collab_server.peer import until
from tests.collab_server.rooms import PROJECT, Person, frames

AUTHENTICATED = bytes((hocuspocus.AUTH, hocuspocus.AUTHENTICATED))
STEP1 = wire.encode_step1(b"\x00")


def say(seats: Seats, address: str, body: bytes) -> None:
    """A message of a document."""
    seats.received(wire.write_varstring(address) + body)


def sit(lobby: Lobby, seats: Seats, address: str = str(PROJECT)) -> Connection:
    """A token for a document, and the connection that it gives."""
    say(seats, address, bytes((hocuspocus.AUTH, 0)) + wire.write_varstring("token"))
    return list(lobby.connections.values())[-1]


def enlarge(lobby: Lobby) -> None:
    """The document has 300 KB of notes."""
    ada = Person(10)
    lobby.hosted.perform(lobby.hosted.room.join(ada.member))
    for number in range(300):
        lobby.hosted.perform(lobby.hosted.room.edit(ada.member, ada.note(f"n_{number}", "z" * 1000)))
    lobby.hosted.flush_now()
    lobby.hosted.leave(ada.member)


async def test_a_seat_on_a_socket_that_is_full_falls_behind_at_once() -> None:
    """Nothing more is written for it than for the others, however often it asks; drained, it gets all it asked for."""
    lobby = Lobby()
    enlarge(lobby)
    seats, socket = lobby.seats()
    one, two = str(PROJECT), f"{PROJECT}{hocuspocus.SESSION}two"
    sit(lobby, seats, one)
    for _ in range(5):
        say(seats, one, STEP1)
    await until(lambda: socket.full)
    full = socket.buffered()
    second = sit(lobby, seats, two)
    for _ in range(50):
        say(seats, two, STEP1)
    await until(lambda: second.member is not None and second.member.late_ask)
    assert socket.buffered() == full
    socket.drain()
    prefix = wire.write_varstring(two)
    heard = [frame.removeprefix(prefix) for frame in frames(socket.drain()) if frame.startswith(prefix)]
    assert heard[0].startswith(AUTHENTICATED)
    answers = [frame for frame in heard if frame[:2] == b"\x00\x01"]
    assert answers == [wire.encode_step2(lobby.hosted.room.state())]


async def test_stateless_messages_have_their_turn_and_their_price() -> None:
    """A flood of them is heard as slowly as the rate allows, in order and none lost; other nodes hear no faster."""
    lobby = Lobby(CollabSettings(limits=Limits(messages_burst_max=2_000, messages_per_second_max=1_000)))
    seats, _ = lobby.seats()
    connection = sit(lobby, seats)
    said = [f"message {number}" for number in range(60)]
    for payload in said:
        say(seats, str(PROJECT), bytes((hocuspocus.STATELESS,)) + wire.write_varstring(payload))
    assert len(lobby.told) <= 2_000 // STATELESS_WORK

    def all_heard() -> bool:
        connection.refill()  # as after a second
        return len(lobby.told) == len(said)

    await until(all_heard)
    assert lobby.told == said


async def passed(seconds: float) -> None:
    """So long a time, and whatever was due in it."""
    due = time.monotonic() + seconds
    await until(lambda: time.monotonic() > due)


async def test_a_socket_that_has_lost_its_last_document_needs_a_new_one_in_time() -> None:
    """Without a document it is not counted and not pinged: it may not stay, however often it was in one."""
    lobby = Lobby(CollabSettings(limits=Limits(handshake_seconds_max=0.2)))
    seats, socket = lobby.seats()
    sit(lobby, seats)
    other, kept = lobby.seats()
    sit(lobby, other)
    await passed(0.3)
    for one in (seats, other):
        say(one, str(PROJECT), bytes((hocuspocus.CLOSE,)))
    sit(lobby, other)
    await until(lambda: socket.closed)
    assert socket.closed == (4408, "no token came in time")
    await passed(0.3)
    assert kept.closed is None


async def test_a_document_that_waits_does_not_end_the_one_beside_it() -> None:
    """While so much waits for a document that the socket is not read, no sign of life can come for the others."""
    lobby = Lobby()
    seats, socket = lobby.seats()
    open_one = sit(lobby, seats)
    other = f"{PROJECT}{hocuspocus.SESSION}two"
    lobby.closed_door = True
    say(seats, other, bytes((hocuspocus.AUTH, 0)) + wire.write_varstring("token"))
    while not socket.paused:
        say(seats, other, STEP1)
    for second in range(1000, 1200):
        assert open_one.feel_pulse(float(second)) is not None
        socket.drain()
