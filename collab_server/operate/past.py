"""`replay`: a document as it was at a row or a time, as far as what is kept reaches.

Below what the history holds only snapshots show how things were.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pycrdt import Doc

from collab_server.operate import say
from collab_server.operate.errors import NotKept, OperatorError
from collab_server.operate.export import encoded
from collab_server.operate.store import Store, opened
from persistence import history
from persistence.archive import Kept, kept, seq_at
from persistence.errors import CorruptState, MomentGone
from persistence.pool import Connection
from persistence.snapshots import Listed, Snapshots
from studio.blank import open_doc

SNAPSHOTS_READ = 10_000
WHOLE_KINDS = ("named", "automatic")
"""Drafts are somebody's unsent work, no state of the document."""


@dataclass(frozen=True, slots=True)
class Past:
    """A document as it was after row `seq`; `source` says what it was rebuilt from."""

    doc: "Doc[Any]"
    seq: int
    source: str


async def replay(store: Store, project_id: UUID, at: int | datetime, *, nearest: bool, form: str, target: str) -> int:
    """Write the document of that moment to a file, or to standard output."""
    past = await rebuilt(store, project_id, at, nearest=nearest)
    say.deliver(encoded(past.doc, form), target)
    say.note(f"project {project_id} at row {past.seq}, from {past.source}")
    return 0


async def rebuilt(store: Store, project_id: UUID, at: int | datetime, *, nearest: bool = False) -> Past:
    """The document after row `at`, or after the last row written by the time `at`.

    `nearest`: when that is no longer kept, the newest snapshot before it will do. Raises NotFound, NotKept.
    """
    async with store.moment() as connection:
        found = await kept(connection, project_id)
        seq = at if isinstance(at, int) else await seq_at(connection, project_id, at)
        before = await _history(connection, project_id, seq) if seq is not None and 1 <= seq < found.floor else None
    if seq is None:
        raise OperatorError(f"project {project_id} did not exist yet at {say.moment(found.created_at)}")
    if not 1 <= seq <= found.head:
        raise OperatorError(f"project {project_id} has the rows 1 to {found.head}, but no row {seq}")
    if seq >= found.floor:
        return Past(opened(found, found.until(seq)), seq, _rows(found.floor, seq))
    if before is not None:
        return Past(await asyncio.to_thread(before.open), seq, _rows(before.base, seq))
    return await _from_snapshot(store, found, seq, nearest)


async def _history(connection: Connection, project_id: UUID, seq: int) -> history.Past | None:
    try:
        return await history.past(connection, project_id, seq)
    except MomentGone:
        return None


def _rows(base: int, seq: int) -> str:
    if not base:
        return f"the rows 1 to {seq}"
    return f"the state of row {base}" + (f" and the rows up to {seq}" if seq > base else "")


async def _from_snapshot(store: Store, found: Kept, seq: int, nearest: bool) -> Past:
    snapshots = Snapshots(store.pool)
    listed = await snapshots.list(found.project_id, limit=SNAPSHOTS_READ, kinds=WHOLE_KINDS)
    chosen = chosen_snapshot(listed, seq, nearest)
    if chosen is None:
        since = await history.kept_since(store.pool, found.project_id) or found.floor
        raise NotKept(found.project_id, seq, _what_is_left(since, listed, seq))
    whole = await snapshots.get(found.project_id, chosen.id)
    if whole is None:
        raise NotKept(found.project_id, seq, "its snapshot has just been deleted")
    named = f"snapshot {chosen.id} ({chosen.kind}, {say.plain(chosen.name)!r}, {say.moment(chosen.created_at)})"
    return Past(of_state(found.project_id, whole.state), chosen.seq, named)


def chosen_snapshot(listed: list[Listed], seq: int, nearest: bool) -> Listed | None:
    """The snapshot of that very row, or (`nearest`) the newest before it."""
    fitting = [one for one in listed if one.seq == seq or (nearest and one.seq < seq)]
    return max(fitting, key=lambda one: (one.seq, one.created_at), default=None)


def _what_is_left(since: int, listed: list[Listed], seq: int) -> str:
    before = chosen_snapshot(listed, seq, nearest=True)
    below = f"the snapshot of row {before.seq} (--nearest takes it)" if before is not None else "nothing"
    after = min([one.seq for one in listed if one.seq > seq] + [since])
    return f"before it {below} is kept, after it row {after}"


def of_state(project_id: UUID, state: bytes) -> "Doc[Any]":
    """The document of a snapshot. Raises CorruptState."""
    doc = open_doc()
    try:
        doc.apply_update(state)
    except BaseException as error:  # yrs panics are BaseExceptions
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise CorruptState(project_id, f"the snapshot cannot be read: {error}") from error
    return doc
