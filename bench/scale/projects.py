"""Projects written in bulk, straight into the tables: what years of use would have left in the database."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID, uuid4

import asyncpg

from bench.ours import COLOR, INSERT_PROFILES, INSERT_USERS
from bench.scale.songs import Stored

PORTION = 5_000  # projects in one COPY
ANALYZE = "analyze"
IN_BULK = "set session_replication_role = replica; set synchronous_commit = off"  # no row's references are checked


@dataclass(slots=True, frozen=True)
class Catalogue:
    """What was written: projects, each of which all of `people` may edit."""

    projects: Sequence[UUID]
    people: Sequence[UUID]


async def fill(dsn: str, number: int, people: int, songs: Sequence[Stored]) -> Catalogue:
    """`number` projects, each with the next of `songs`; people are owner (the first) and editors of each."""
    connection = await asyncpg.connect(dsn)
    try:
        persons = [uuid4() for _ in range(people)]
        await connection.execute(IN_BULK)
        await connection.execute(INSERT_USERS, persons)
        await connection.execute(INSERT_PROFILES, persons, COLOR)
        projects = [uuid4() for _ in range(number)]
        for begin in range(0, number, PORTION):
            async with connection.transaction():
                await _copy(connection, projects[begin : begin + PORTION], persons, songs)
        await connection.execute(ANALYZE)
    finally:
        await connection.close()
    return Catalogue(projects, persons)


async def _copy(
    connection: "asyncpg.Connection[asyncpg.Record]",
    projects: Sequence[UUID],
    people: Sequence[UUID],
    songs: Sequence[Stored],
) -> None:
    owner = people[0]
    chosen = [(project, songs[index % len(songs)]) for index, project in enumerate(projects)]
    tables: Iterable[tuple[str, tuple[str, ...], Iterator[tuple[object, ...]]]] = (
        ("projects", ("id", "owner_id", "name"), ((p, owner, "Song") for p in projects)),
        (
            "project_members",
            ("project_id", "user_id", "role"),
            ((p, u, "editor" if u != owner else "owner") for p in projects for u in people),
        ),
        ("documents", ("project_id", "head"), ((p, song.head) for p, song in chosen)),
        (
            "document_states",
            ("project_id", "epoch", "seq", "state", "sha256"),
            ((p, 1, song.seq, song.state, sha256(song.state).digest()) for p, song in chosen),
        ),
        (
            "document_updates",
            ("project_id", "seq", "body", "edits"),
            ((p, song.seq + n, body, 1) for p, song in chosen for n, body in enumerate(song.bodies, 1)),
        ),
        (
            "document_changes",
            ("project_id", "seq", "author_id", "origin", "edits", "paths"),
            ((p, seq, owner, "edit", 1, ["clips/c_000000000000/pos"]) for p, song in chosen for seq in song.history),
        ),
        (
            "document_clients",
            ("project_id", "client_id", "user_id"),
            ((p, client, owner) for p, song in chosen for client in song.clients),
        ),
    )
    for table, columns, records in tables:
        await connection.copy_records_to_table(table, columns=columns, records=records)
