"""Opening a room: the stored document becomes a Room, or the room is refused. A blank one is never made up."""

import asyncio
import secrets
from collections.abc import Iterable, Iterator
from uuid import UUID

from collab_server.admission import NOBODY
from collab_server.gate.limits import TRUSTED
from collab_server.gate.shape import Shape
from collab_server.gate.slices import slices
from collab_server.gate.update import inspect
from collab_server.room import Room
from collab_server.settings import Limits
from persistence.body import decode
from persistence.errors import CorruptState
from persistence.journal import Journal, Loaded
from studio.blank import open_doc
from studio.schema import ROOT_NAMES

SLICE_BYTES = 128 * 1024
"""What yrs is given at once: it holds the interpreter's lock, and with it the event loop, for some 2 ms."""

SMALL_BYTES = 24 * 1024
"""Of everything stored: 4 ms on the event loop, less than a thread would keep it waiting by passing the lock around."""

CLIENT_ID_BITS = 32
"""Yjs clients draw 32 bits; so does the server for its repairs."""


async def open_room(journal: Journal, project_id: UUID, limits: Limits) -> tuple[Room, Loaded]:
    """Load and build. Raises NotFound, Quarantined, CorruptState; the stored rows stay as they are."""
    loaded = await journal.load(project_id)
    client = None
    if NOBODY in loaded.clients.values():
        client = await journal.lease(project_id)
    if client is not None:
        loaded = await journal.load(project_id)  # its last user may have written since
    client = client or _fresh_client(loaded.clients)
    if _small(loaded):
        return build(project_id, loaded, client, limits), loaded
    # In a thread that yields to the event loop every few ms: yrs holds it only for a slice at a time.
    return await asyncio.to_thread(build, project_id, loaded, client, limits), loaded


def build(project_id: UUID, loaded: Loaded, server_client: int, limits: Limits, *, whole: bool = False) -> Room:
    """The room of a loaded document; `whole`: with everything read that a small one is first asked for by a writer.

    Raises CorruptState when yrs can't make a document of the rows, or the gate can't read what it is given of them.
    """
    doc = open_doc(server_client)
    shape = Shape(TRUSTED)
    size = 0
    try:
        for parts in _batches(_parts(loaded, shape, whole=whole)):
            with doc.transaction():
                for part in parts:
                    doc.apply_update(part)
                    size += len(part)
        if not ROOT_NAMES.issuperset(doc.keys()) or "schema" not in doc["meta"]:
            raise CorruptState(project_id, "this is no studio document")
        room = Room(project_id, loaded.epoch, loaded.head, doc, shape, loaded.clients, limits, size)
        if loaded.state is not None and not room.pending:  # what was mended is in neither
            room.join_state.prime(loaded.state, (entry.update for row in loaded.tail for entry in decode(row.body)))
        return room
    except CorruptState:
        raise
    except BaseException as error:  # yrs panics are BaseExceptions
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise CorruptState(project_id, f"{type(error).__name__}: {error}") from error


def _small(loaded: Loaded) -> bool:
    return len(loaded.state or b"") + sum(len(row.body) for row in loaded.tail) <= SMALL_BYTES


def _parts(loaded: Loaded, shape: Shape, *, whole: bool) -> Iterator[bytes]:
    """The updates, large ones in slices, learned before they are applied; a small document when somebody writes."""
    if not whole and _small(loaded):
        for update in _updates(loaded):
            shape.read_later(update)
            yield update
        return
    for update in _updates(loaded):
        found = inspect(update, TRUSTED, offsets=len(update) > SLICE_BYTES)
        shape.learn(shape.plan(found))
        yield from slices(update, found, SLICE_BYTES)


def _batches(updates: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The updates in order, in lists of about SLICE_BYTES."""
    batch: list[bytes] = []
    size = 0
    for update in updates:
        batch.append(update)
        size += len(update)
        if size >= SLICE_BYTES:
            yield batch
            batch, size = [], 0
    yield batch


def _updates(loaded: Loaded) -> Iterator[bytes]:
    if loaded.state is not None:
        yield loaded.state
    for row in loaded.tail:
        for entry in decode(row.body):
            yield entry.update


def _fresh_client(taken: dict[int, UUID]) -> int:
    while True:
        client = secrets.randbits(CLIENT_ID_BITS)
        if client > 1 and client not in taken:
            return client
