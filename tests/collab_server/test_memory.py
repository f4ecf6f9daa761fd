"""Memory that is free is the system's."""

from pathlib import Path

from collab_server.memory import give_back
from tests.collab_server.rooms import open_room
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
