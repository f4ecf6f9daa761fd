"""Editing a document from the server: load, change, repair and append under the document's row lock.

The row lock makes this the only writer with the reserved client id at that moment, and the document it loads is the
whole committed journal, so that id's clock never forks. Documents are built and changed in a thread: a large one takes
seconds.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from pycrdt import Doc

from persistence.body import Entry, MalformedBody, decode, encode
from persistence.errors import CorruptState, NotFound, Quarantined
from persistence.journal import Batch, Change, Journal, Loaded, Refused, append_on, loaded
from persistence.journal_sql import LOAD, LOCK
from persistence.pool import Connection, Pool
from studio.blank import open_doc
from studio.repair import Firsts, repair
from studio.watch import Touched, watch

SERVER_CLIENT: Final = 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Edited(Generic[T]):
    """What `change` returned and the row it became; an edit that changed nothing has an empty body and the old head."""

    result: T
    epoch: int
    seq: int
    body: bytes


async def edit(
    pool: Pool,
    project_id: UUID,
    author: UUID | None,
    origin: str,
    change: "Callable[[Doc[Any]], T]",
    *,
    client_id: int = SERVER_CLIENT,
) -> Edited[T]:
    """Applies `change` to the committed document and commits what it did; the caller then publishes `Grew`.

    `change` runs once, in a thread of its own, on a Doc with every root; what it raises rolls everything back.
    Raises NotFound, Quarantined, CorruptState.
    """
    async with pool.acquire() as connection, connection.transaction():
        return await edit_on(connection, project_id, author, origin, change, client_id=client_id)


async def edit_on(
    connection: Connection,
    project_id: UUID,
    author: UUID | None,
    origin: str,
    change: "Callable[[Doc[Any]], T]",
    *,
    client_id: int = SERVER_CLIENT,
) -> Edited[T]:
    """`edit` inside the caller's transaction: the row stays locked until that ends."""
    await lock_document(connection, project_id)
    stored = await loaded(project_id, await connection.fetchrow(LOAD, project_id))
    result, work = await asyncio.to_thread(_edit, project_id, stored, client_id, author, origin, change)
    if not work.entries:
        return Edited(result, stored.epoch, stored.head, b"")
    body = encode(work.entries)
    batch = Batch(project_id, stored.epoch, body, len(work.entries), tuple(work.changes))
    answer = (await append_on(connection, [batch]))[project_id]
    if isinstance(answer, Refused):  # cannot be: the row is locked and was sound a moment ago
        raise Quarantined(project_id, answer.value)
    return Edited(result, stored.epoch, answer, body)


async def lock_document(connection: Connection, project_id: UUID) -> None:
    """Waits for the document's row and keeps it until the transaction ends. Raises NotFound."""
    if await connection.fetchrow(LOCK, project_id) is None:
        raise NotFound(project_id)


async def read(pool: Pool, project_id: UUID) -> "tuple[Doc[Any], int, int]":
    """The committed document, the journal position it shows and its epoch.

    Raises NotFound, Quarantined, CorruptState.
    """
    stored = await Journal(pool).load(project_id)
    return await asyncio.to_thread(open_stored, project_id, stored), stored.head, stored.epoch


def open_stored(project_id: UUID, stored: Loaded, client_id: int | None = None) -> "Doc[Any]":
    """The Doc of what was loaded, every update applied in one transaction. Raises CorruptState."""
    doc = open_doc(client_id)
    with sound(project_id):
        updates = [stored.state] if stored.state is not None else []
        updates += [entry.update for row in stored.tail for entry in decode(row.body)]
        with doc.transaction():
            for update in updates:
                doc.apply_update(update)
    return doc


@contextmanager
def sound(project_id: UUID) -> Iterator[None]:
    """Whatever is wrong with stored rows, and whatever yrs says to them, raises CorruptState."""
    try:
        yield
    except MalformedBody as error:
        raise CorruptState(project_id, f"a journal row cannot be read: {error}") from error
    except BaseException as error:
        if not _of_the_library(error):
            raise
        raise CorruptState(project_id, f"an update cannot be applied: {error}") from error


def _edit(
    project_id: UUID,
    stored: Loaded,
    client_id: int,
    author: UUID | None,
    origin: str,
    change: "Callable[[Doc[Any]], T]",
) -> tuple[T, "_Work"]:
    return _work(open_stored(project_id, stored, client_id), author, origin, change)


def _of_the_library(error: BaseException) -> bool:
    """pycrdt reports bytes it cannot read as ValueError, or as a Rust panic, which is no Exception."""
    return isinstance(error, ValueError) or type(error).__name__ == "PanicException"


@dataclass(frozen=True, slots=True)
class _Work:
    entries: list[Entry]
    changes: list[Change]


def _work(doc: "Doc[Any]", author: UUID | None, origin: str, change: "Callable[[Doc[Any]], T]") -> tuple[T, _Work]:
    """Runs the change and then the repair it needs; each update and path goes to whoever caused it."""
    firsts = Firsts.of(doc)
    touched: list[Touched] = []
    updates: list[bytes] = []
    work = _Work([], [])
    subscription = doc.observe(lambda event: updates.append(event.update))
    try:
        with watch(doc, touched.append):
            result = change(doc)
            _note(work, author, origin, updates, touched)
            seen = touched.copy()
            updates.clear()
            touched.clear()
            firsts.accept(doc, seen)
            repair(doc, seen, firsts)
            _note(work, None, "repair", updates, touched)
    finally:
        doc.unobserve(subscription)
    return result, work


def _note(work: _Work, author: UUID | None, origin: str, updates: list[bytes], touched: Iterable[Touched]) -> None:
    if not updates:
        return
    work.entries.extend(Entry(author, update) for update in updates)
    paths = tuple(sorted({path for note in touched for path in note.paths()}))
    work.changes.append(Change(author, origin, len(updates), paths))
