"""Memory that is free is the system's, and whoever leaves does not wait for the garbage collector: collecting ten
thousand rooms' worth of cycles would hold the event loop for as long as that takes."""

import gc
from collections.abc import Iterator
from pathlib import Path
from weakref import ref

import pytest
from websockets.asyncio.client import connect

from collab_server.admission import Admission
from collab_server.live_document import LiveDocument
from collab_server.memory import give_back
from collab_server.room import Room
from collab_server.sockets import Socket, serve
from tests.collab_server.peer import until
from tests.collab_server.rooms import Hands, Person, open_room
from tests.collab_server.songs import song

ROOMS = 200


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_what_documents_held_is_given_back_when_they_are_put_away() -> None:
    """Most of what the rooms had taken goes, although the rooms stay."""
    updates = song(tracks=8, clips=60)
    give_back()
    before = resident()
    rooms = [open_room(updates) for _ in range(ROOMS)]
    taken = resident() - before
    for room in rooms:
        room.rest(1)
        room.rest(1)
    give_back()
    assert resident() - before < taken / 2


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Nobody collects garbage meanwhile."""
    gc.disable()
    yield
    gc.enable()


def alive() -> int:
    """How many rooms there are, with what each is made of."""
    return sum(type(thing) in (Room, LiveDocument, Admission) for thing in gc.get_objects())


@pytest.mark.usefixtures("uncollected")
def test_a_closed_room_is_freed_at_once() -> None:
    """With its document, whatever was done in it."""

    def used() -> None:
        ada, bob = Person(11), Person(12)
        hands = Hands(open_room(song(tracks=2, clips=4)))
        hands.join(ada, bob)
        hands.edit(ada, ada.track("t_new"))
        hands.edit(ada, *(ada.field("tracks", "t_new", "gain_db", -step) for step in range(5)))
        hands.do(hands.room.leave(bob.member))
        hands.commit()
        room = hands.room
        room.close()
        assert alive() > before  # so that it is seen to count

    before = alive()
    used()
    assert alive() == before


class Guest:
    """A sockets.Handler."""

    def __init__(self) -> None:
        self.socket: Socket | None = None
        self.is_gone = False

    def opened(self, socket: Socket) -> None:
        self.socket = socket

    def received(self, message: bytes) -> None:
        assert self.socket is not None
        self.socket.write(b"\x82\x02" + message)

    def writing_paused(self) -> None: ...

    def writing_resumed(self) -> None: ...

    def closed(self) -> None:
        self.is_gone = True


@pytest.mark.usefixtures("uncollected")
async def test_a_closed_socket_is_freed_at_once() -> None:
    """Although its handler still knows it; and it may be asked for anything, to no effect."""
    guest = Guest()
    server = await serve(
        lambda path, authorization: guest,
        host="127.0.0.1",
        port=0,
        message_bytes_max=1000,
        outbox_bytes=1000,
        handshake_seconds=5.0,
    )
    async with server, connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}") as peer:
        await peer.send(b"hi")
        assert await peer.recv() == b"hi"
        await peer.close()
        await until(lambda: guest.is_gone)
        assert guest.socket is not None
        guest.socket.pause_reading()
        guest.socket.resume_reading()
        assert guest.socket.buffered() == 0
        seen = ref(guest.socket)
        guest.socket = None
        await until(lambda: seen() is None)
