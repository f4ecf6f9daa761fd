"""`restore`: the live document goes to an earlier state by going forward, as by the HTTP app.

One ordinary edit, after an automatic snapshot of what is there: nobody is disconnected, and it can be undone.
"""

import hashlib
import time
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pycrdt import Doc

from collab_server.admission import NOBODY
from collab_server.operate import say
from collab_server.operate.errors import OperatorError
from collab_server.operate.past import of_state, rebuilt
from collab_server.operate.store import Store
from persistence.editing import edit_on
from persistence.projections import project
from persistence.snapshots import INSERT, NAME_MAX, Snapshots
from presence.events import Grew
from studio.canonical import canonical
from studio.canonical_json import written
from studio.edits import restore

BY: Final = str(NOBODY)
"""Whom the document names as having deleted what was made since: the server."""


async def restore_to_snapshot(store: Store, project_id: UUID, snapshot_id: UUID, *, yes: bool) -> int:
    """Bring the live document to a snapshot."""
    found = await Snapshots(store.pool).get(project_id, snapshot_id)
    if found is None:
        raise OperatorError(f"project {project_id} has no snapshot {snapshot_id}")
    if found.kind == "draft":
        raise OperatorError("this snapshot is somebody's unsent work, no state of the document")
    target = found.canonical if found.canonical is not None else canonical(of_state(project_id, found.state))
    shown = f"snapshot {say.plain(found.name)!r} of {say.moment(found.created_at)}"
    return await _go(store, project_id, target, shown, snapshot_id, yes)


async def restore_to_moment(store: Store, project_id: UUID, at: int | datetime, *, yes: bool) -> int:
    """Bring the live document to a row of the journal, or to a time."""
    past = await rebuilt(store, project_id, at)
    return await _go(store, project_id, canonical(past.doc), f"row {past.seq}", None, yes)


async def _go(
    store: Store, project_id: UUID, target: dict[str, Any], shown: str, parent: UUID | None, yes: bool
) -> int:
    say.confirm(
        f"this brings project {project_id} to {shown}, by one edit for everybody; what is there becomes a snapshot",
        yes=yes,
    )

    def change(doc: "Doc[Any]") -> "tuple[Doc[Any], bytes, str, int]":
        before = doc.get_update(), written(canonical(doc))
        return doc, *before, restore(doc, target, BY, time.time_ns() // 1_000_000)

    async with store.pool.acquire() as connection, connection.transaction():
        done = await edit_on(connection, project_id, None, "restore", change)
        doc, state, content, changes = done.result
        seq = done.seq - 1 if done.body else done.seq
        name = f"Before restoring {shown}"[:NAME_MAX]
        columns = ("automatic", "before_restore", name, None, parent, done.epoch, seq, state, content)
        before = await connection.fetchval(INSERT, project_id, *columns, hashlib.sha256(state).digest())
        now = canonical(doc)
        await project(connection, project_id, now["markers"], now["notes"], done.seq)
    if done.body and not await store.tell([Grew(project_id, done.epoch, done.seq, done.body)]):
        say.note("nobody could be told over the bus: open rooms find it with their next commit")
    say.line(f"restored: {changes} changes in row {done.seq}; what was there is snapshot {before}")
    return 0
