"""What must be true after any fault: nothing acknowledged is lost, and everybody and the journal hold one document."""

from itertools import chain
from typing import Any, Final, NamedTuple
from uuid import UUID

from pycrdt import Doc

from collab_server.gate.inspection import Inspection
from collab_server.gate.limits import Limits
from collab_server.gate.update import inspect
from collab_server.gate.vector import inspect_vector
from persistence.body import decode
from persistence.journal import Journal
from studio.blank import open_doc
from studio.canonical import canonical
from tests.collab_server.peer import until
from tests.collab_server.world import World
from tests.faults.musician import Musician

TRUSTED: Final = Limits(clients_max=1_000_000, structs_max=1 << 30, delete_ranges_max=1 << 30, update_bytes_max=1 << 30)
SEQS = "select distinct seq from document_changes where project_id = $1 order by seq"
HEAD = "select head from documents where project_id = $1"
AGREE_SECONDS = 30.0


class Room(NamedTuple):
    """A project and who plays in it."""

    project: UUID
    musicians: list[Musician]


async def agree(world: World, room: Room, fresh: Musician) -> None:
    """All of a room's musicians, a newcomer and the journal hold the same document, with nothing lost."""
    everybody = [*room.musicians, fresh]
    assert not [m.refused for m in everybody if m.refused]
    await until(lambda: all(m.settled for m in everybody), "everybody connected and saved", AGREE_SECONDS)
    await until(lambda: all(m.json() == fresh.json() for m in everybody), "everybody equal", AGREE_SECONDS)
    doc = await stored_document(world.journal, room.project)
    acknowledged = list(chain.from_iterable(m.acknowledged for m in everybody))
    assert not lost(doc, acknowledged)
    before = canonical(doc)
    for update in acknowledged:
        doc.apply_update(update)
    assert canonical(doc) == before == fresh.json()
    numbers = [row["seq"] for row in await world.pool.fetch(SEQS, room.project)]
    assert numbers == list(range(1, await world.pool.fetchval(HEAD, room.project) + 1))


async def stored_document(journal: Journal, project: UUID) -> "Doc[Any]":
    """The document as a server that starts now would load it; `load` itself refuses a gap in the numbers."""
    loaded = await journal.load(project)
    doc = open_doc()
    if loaded.state is not None:
        doc.apply_update(loaded.state)
    for row in loaded.tail:
        for entry in decode(row.body):
            doc.apply_update(entry.update)
    return doc


def lost(doc: "Doc[Any]", acknowledged: list[bytes]) -> list[bytes]:
    """The updates of which the document lacks a struct or a deletion."""
    known = inspect_vector(doc.get_state(), TRUSTED)
    gone: dict[int, list[tuple[int, int]]] = {}
    for client, clock, length in _inspected(doc.get_update(b"\x00")).deletes:
        gone.setdefault(client, []).append((clock, clock + length))

    def deleted(client: int, clock: int, end: int) -> bool:
        return any(first <= clock and end <= last for first, last in gone.get(client, ()))

    def there(found: Inspection) -> bool:
        return all(end <= known.get(client, 0) for client, _, end in found.ranges) and all(
            deleted(client, clock, clock + length) for client, clock, length in found.deletes
        )

    return [update for update in acknowledged if not there(_inspected(update))]


def _inspected(update: bytes) -> Inspection:
    return inspect(update, TRUSTED)
