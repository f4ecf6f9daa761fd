"""The journal of every document: append, load, tail, compact. PostgreSQL is the truth.

Sequence numbers are contiguous per document because they are taken from `documents.head` under that row's lock,
never from a sequence: a reader at "seq > last" would skip rows that commit late.
"""

import asyncio
import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import asyncpg

from persistence.body import Entry, encode
from persistence.errors import CorruptState, NotFound, Quarantined, TailGone
from persistence.journal_sql import APPEND, CLIENTS, COMPACT, CREATE, FREE, LEASE, LOAD, MOVED, QUARANTINE, TAIL
from persistence.pool import Connection, Database, Kept, Pool

log = logging.getLogger(__name__)

PATH_SEPARATOR = "\x1f"
HASH_IN_THREAD_BYTES = 1 << 20


class Head(NamedTuple):
    """How far a document is, and whether it is set aside."""

    epoch: int
    head: int
    set_aside: bool


Known = tuple[UUID, int, int]
"""How far somebody believes a document to be: project, epoch, head."""


class Asked(NamedTuple):
    """Many that are known, written out as three array literals: the driver would encode each of them every time."""

    projects: str
    epochs: str
    heads: str

    @classmethod
    def about(cls, known: Iterable[Known]) -> "Asked":
        """In the order of `known`."""
        columns = zip(*known, strict=True)
        return cls(*("{" + ",".join(map(str, column)) + "}" for column in columns))


class Change(NamedTuple):
    """What one author did in a batch, for the history. `paths` are "root/id/key"."""

    author_id: UUID | None
    origin: str
    edits: int
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """One document's share of a commit. `clients`: client ids seen for the first time, each with its user."""

    project_id: UUID
    epoch: int
    body: bytes
    edits: int
    changes: tuple[Change, ...]
    clients: tuple[tuple[int, UUID], ...] = ()


class Refused(StrEnum):
    """Why a batch was not committed; the other batches of the same append were."""

    MISSING = "missing"
    EPOCH = "epoch"
    QUARANTINED = "quarantined"
    CLIENT_TAKEN = "client_taken"


class Row(NamedTuple):
    """One committed batch: its number and its body (persistence.body)."""

    seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Loaded:
    """A document as stored: the state (None before the first compaction), then the rows after it, up to `head`."""

    epoch: int
    head: int
    state: bytes | None
    tail: list[Row]
    clients: dict[int, UUID]
    projected: int = 0
    """The row up to which markers and notes are projected."""


class Journal:
    """The journal on one pool. Errors of the driver come through; `errors.TRANSIENT` may be tried again."""

    def __init__(self, pool: Pool, appending: Kept | None = None) -> None:
        """`appending`: the connection for `append`, for whoever does that all the time, and never twice at once."""
        self._pool = pool
        self._appending = appending or pool

    async def append(self, batches: Sequence[Batch]) -> dict[UUID, int | Refused]:
        """Commits one batch per document, all in one statement; answers each document's new head or its refusal.

        A document whose rows the database will not take is quarantined with the database's words, alone.
        Appending again what may have been committed already is harmless: the updates are idempotent.
        """
        try:
            return await append_on(self._appending, batches)
        except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError) as error:
            return await self._isolate(batches, error)

    async def _isolate(self, batches: Sequence[Batch], error: asyncpg.PostgresError) -> dict[UUID, int | Refused]:
        if len(batches) == 1:
            project_id = batches[0].project_id
            log.error("journal refused a document", extra={"project_id": str(project_id), "error": str(error)})
            await self.quarantine(project_id, f"append: {error}")
            return {project_id: Refused.QUARANTINED}
        answers: dict[UUID, int | Refused] = {}
        for batch in batches:
            answers |= await self.append([batch])
        return answers

    async def load(self, project_id: UUID) -> Loaded:
        """Everything needed to open the document, as of one moment.

        Raises NotFound, Quarantined, CorruptState; whatever is stored stays as it is.
        """
        return await loaded(project_id, await self._pool.fetchrow(LOAD, project_id))

    async def tail(self, project_id: UUID, after: int) -> list[Row]:
        """The rows `after + 1 ...` in order. Raises NotFound, or TailGone when compaction has taken some of them."""
        record = await self._pool.fetchrow(TAIL, project_id, after)
        if record is None:
            raise NotFound(project_id)
        rows = _rows(record)
        if record["head"] > after and (not rows or rows[0].seq != after + 1):
            raise TailGone(project_id, after, rows[0].seq if rows else None)
        return rows

    async def moved(self, asked: Asked) -> dict[UUID, Head | None]:
        """Of these projects those that are not as they are known: how far they are, None if they are gone."""
        rows = await self._pool.fetch(MOVED, *asked)
        return {
            row["project_id"]: None if row["epoch"] is None else Head(row["epoch"], row["head"], row["set_aside"])
            for row in rows
        }

    async def clients(self, project_id: UUID) -> dict[int, UUID]:
        """Whose client ids are whose, as of now."""
        rows = await self._pool.fetch(CLIENTS, project_id)
        return {row["client_id"]: row["user_id"] for row in rows}

    async def lease(self, project_id: UUID) -> int | None:
        """A repairer's client id that nobody uses, for the caller alone until it is freed; None if there is none.

        What its last user committed is read by a `load` that comes after.
        """
        client: int | None = await self._pool.fetchval(LEASE, project_id)
        return client

    async def free(self, project_id: UUID, client_id: int) -> None:
        """The next room may repair under this client id: everything that was ever told under it is committed."""
        await self._pool.execute(FREE, project_id, client_id)

    async def compact(self, project_id: UUID, epoch: int, seq: int, state: bytes) -> None:
        """Stores the state up to and including `seq`; the rows it covers go on to the history, in one transaction.

        A state older than the stored one, of another epoch or beyond the head changes nothing.
        """
        sha256 = await _sha256(state)
        await self._pool.execute(COMPACT, project_id, epoch, seq, state, sha256)

    async def quarantine(self, project_id: UUID, reason: str) -> None:
        """Sets the document aside: appends are refused and loads raise until an operator clears it."""
        await self._pool.execute(QUARANTINE, project_id, _storable(reason)[:2000])

    @staticmethod
    async def create(
        connection: Connection, project_id: UUID, seed: bytes, author: UUID | None, origin: str = "seed"
    ) -> None:
        """The document of a new project with `seed` as its first row, inside the caller's transaction."""
        body = encode([Entry(author, seed)])
        await connection.execute(CREATE, project_id, body, author, origin)


async def append_on(database: "Database | Kept", batches: Sequence[Batch]) -> dict[UUID, int | Refused]:
    """`Journal.append` on a pool or inside the caller's transaction; what the database will not take is raised."""
    rows = await database.fetch(APPEND, *_arguments(batches))
    return {row[0]: row[1] if row[2] is None else Refused(row[2]) for row in rows}


async def loaded(project_id: UUID, record: asyncpg.Record | None) -> Loaded:
    """What the row of LOAD says. Raises NotFound, Quarantined, CorruptState."""
    if record is None:
        raise NotFound(project_id)
    if record["quarantined_at"] is not None:
        raise Quarantined(project_id, record["quarantine_reason"] or "")
    state: bytes | None = record["state"]
    if state is not None:
        await _check_state(project_id, record, state)
    tail = _rows(record)
    first = (record["state_seq"] or 0) + 1
    if [row.seq for row in tail] != list(range(first, record["head"] + 1)) or record["head"] == 0:
        raise CorruptState(project_id, f"rows {first} to {record['head']} are not all there")
    clients: Mapping[int, UUID] = dict(zip(record["client_ids"], record["client_users"], strict=True))
    return Loaded(record["epoch"], record["head"], state, tail, dict(clients), record["projected"])


async def _check_state(project_id: UUID, record: asyncpg.Record, state: bytes) -> None:
    if record["state_epoch"] != record["epoch"]:
        raise CorruptState(project_id, f"state is of epoch {record['state_epoch']}, document of {record['epoch']}")
    if record["state_seq"] > record["head"]:
        raise CorruptState(project_id, f"state is at {record['state_seq']}, beyond the head {record['head']}")
    if await _sha256(state) != record["sha256"]:
        raise CorruptState(project_id, "the state's sha256 does not match")


async def _sha256(data: bytes) -> bytes:
    if len(data) < HASH_IN_THREAD_BYTES:
        return hashlib.sha256(data).digest()
    return (await asyncio.to_thread(hashlib.sha256, data)).digest()


def _rows(record: asyncpg.Record) -> list[Row]:
    return list(map(Row, record["seqs"], record["bodies"]))


def _arguments(batches: Sequence[Batch]) -> tuple[list[object], ...]:
    """The columns of APPEND. Many short lists cost less than records of a composite type."""
    projects: list[object] = [batch.project_id for batch in batches]
    if len(set(projects)) != len(projects):
        raise ValueError("one batch per document and append")
    changed: list[object] = []
    authors: list[object] = []
    origins: list[object] = []
    edits: list[object] = []
    paths: list[object] = []
    claimed: list[object] = []
    clients: list[object] = []
    users: list[object] = []
    for batch in batches:
        for author, origin, count, touched in batch.changes:
            changed.append(batch.project_id)
            authors.append(author)
            origins.append(origin)
            edits.append(count)
            paths.append(_storable(PATH_SEPARATOR.join(touched)))
        for client, user in batch.clients:
            claimed.append(batch.project_id)
            clients.append(client)
            users.append(user)
    return (
        projects,
        [batch.epoch for batch in batches],
        [batch.body for batch in batches],
        [batch.edits for batch in batches],
        changed,
        authors,
        origins,
        edits,
        paths,
        claimed,
        clients,
        users,
    )


def _storable(text: str) -> str:
    """PostgreSQL's text holds every character but U+0000, which a key chosen by a client may contain."""
    return text.replace("\0", "�") if "\0" in text else text
