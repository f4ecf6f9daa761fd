"""`verify`: is what a node serves, or would serve, exactly what is stored? Reads only.

The document is built twice, in ways that share nothing but yrs: as a room opens it (gate, shape, every update in one
transaction, repair), and as one update that all stored ones were merged into. A node that has the project open is asked
for its own document too.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from pycrdt import Doc, merge_updates

from collab_server.gate.limits import TRUSTED
from collab_server.gate.limits import Limits as GateLimits
from collab_server.gate.update import inspect
from collab_server.gate.vector import inspect_vector
from collab_server.opening import build
from collab_server.operate.errors import OperatorError
from collab_server.operate.node import BUSY, CLOSED, Live, Node
from collab_server.operate.store import Store
from collab_server.settings import Limits
from persistence import history
from persistence.archive import Kept, kept
from persistence.body import MalformedBody, decode
from persistence.errors import CorruptState, MomentGone
from persistence.journal import Loaded
from persistence.projections import marker_rows, note_rows
from persistence.upkeep import damaged_snapshots, projected_rows
from studio.blank import open_doc
from studio.canonical import canonical

SETTLE_SECONDS: Final = 15.0
"""Rows of markers and notes follow an open document within some seconds; so long is waited for them."""
POLL_SECONDS: Final = 0.25
VECTOR: Final = GateLimits(vector_clients_max=1_000_000)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was checked of one document, in order: (what, "" or what is wrong)."""

    project_id: UUID
    epoch: int
    head: int
    checks: list[tuple[str, str]] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Nothing is wrong."""
        return not any(problem for _, problem in self.checks)

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        checks = [{"check": what, "ok": not problem, "problem": problem} for what, problem in self.checks]
        return {
            "project": str(self.project_id),
            "epoch": self.epoch,
            "head": self.head,
            "ok": self.sound,
            "checks": checks,
        }


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored, as of one moment."""

    found: Kept
    shown: int | None
    markers: list[tuple[object, ...]]
    notes: list[tuple[object, ...]]
    damaged: list[UUID]


async def verify(store: Store, project_id: UUID, nodes: list[Node]) -> Verdict:
    """Check everything about one document; `nodes` are asked for theirs. Raises NotFound, NodeUnreachable."""
    stored = await _stored(store, project_id)
    found = stored.found
    verdict = Verdict(project_id, found.epoch, found.head)
    records = list(_records(found))
    quarantine = f"quarantined: {found.quarantine_reason}" if found.quarantined_at is not None else ""
    verdict.checks.extend([("not set aside", quarantine), *records, ("snapshots are undamaged", _damaged(stored))])
    if any(problem for _, problem in records):
        return verdict
    verdict.checks.append(("its history leads to it", await _history(store, found)))
    content, checks = _rebuilt(found)
    verdict.checks.extend(checks)
    if content is not None:
        verdict.checks.append(("rows of markers and notes", await _projection(store, stored, content)))
    for node in nodes:
        verdict.checks.extend(await _served(store, found, node))
    return verdict


async def _stored(store: Store, project_id: UUID) -> Stored:
    async with store.moment() as connection:
        found = await kept(connection, project_id)
        projected = await projected_rows(connection, project_id)
        return Stored(found, *projected, await damaged_snapshots(connection, project_id))


def _records(found: Kept) -> Iterator[tuple[str, str]]:
    yield "state is whole", found.state_problem()
    yield "rows have no gap", found.rows_problem()
    yield "rows are readable", _unreadable(found)


def _damaged(stored: Stored) -> str:
    return f"damaged: {', '.join(map(str, stored.damaged))}" if stored.damaged else ""


def _unreadable(found: Kept) -> str:
    for row in found.rows:
        try:
            decode(row.body)
        except MalformedBody as error:
            return f"row {row.seq}: {error}"
    return ""


# ---------------------------------------------------------------------- built twice


def _rebuilt(found: Kept) -> tuple[dict[str, Any] | None, list[tuple[str, str]]]:
    """The content as a room would serve it (None when none opens), and what comparing the builds has shown."""
    loaded = found.until(found.head)
    try:
        room = build(found.project_id, loaded, _unused(found), Limits(), whole=True)
    except CorruptState as error:
        return None, [("a room opens", error.reason)]
    try:
        content = canonical(room.doc)
        if room.pending:
            return content, [("a room opens", ""), ("nothing to repair", "a node repairs this when it opens it")]
        try:
            problem = difference(room.doc, merged(loaded))
        except OperatorError as error:
            problem = str(error)
        return content, [("a room opens", ""), ("nothing to repair", ""), ("built again, it is the same", problem)]
    finally:
        room.close()


def merged(loaded: Loaded) -> "Doc[Any]":
    """The document of all updates merged into one. Raises OperatorError when yrs will not."""
    updates = [loaded.state] if loaded.state is not None else []
    updates += [entry.update for row in loaded.tail for entry in decode(row.body)]
    return applied(updates)


def applied(updates: list[bytes]) -> "Doc[Any]":
    """A document of these updates, merged first. Raises OperatorError when yrs will not."""
    doc = open_doc()
    try:
        doc.apply_update(merge_updates(*updates))
    except BaseException as error:  # yrs panics are BaseExceptions
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise OperatorError(f"the updates cannot be merged: {type(error).__name__}: {error}") from error
    return doc


def difference(one: "Doc[Any]", other: "Doc[Any]") -> str:
    """In what two documents differ, "" if in nothing that anybody could ever see."""
    if inspect_vector(one.get_state(), VECTOR) != inspect_vector(other.get_state(), VECTOR):
        return "the clocks differ"
    if inspect(one.get_update(), TRUSTED).deletes != inspect(other.get_update(), TRUSTED).deletes:
        return "the deletions differ"
    mine, theirs = canonical(one), canonical(other)
    roots = [root for root in mine if mine[root] != theirs[root]]
    return f"the content differs in {', '.join(roots)}" if roots else ""


def _unused(found: Kept) -> int:
    """A client id for our throw-away room."""
    return next(client for client in range(2, len(found.clients) + 3) if client not in found.clients)


async def _history(store: Store, found: Kept) -> str:
    """Whether the rows of the history make the compacted state, from the nearest older state that is kept."""
    since = await history.kept_since(store.pool, found.project_id)
    if found.state is None or since is None or since >= found.floor:
        return ""
    try:
        before = await history.past(store.pool, found.project_id, found.floor, found.floor - 1)
        doc = await asyncio.to_thread(before.open)
        return difference(doc, applied([found.state.data]))
    except MomentGone:
        return f"there are rows missing between {since} and {found.floor}"
    except (CorruptState, OperatorError) as error:
        return str(error)


# ---------------------------------------------------------------------- what follows the document


async def _projection(store: Store, stored: Stored, content: dict[str, Any]) -> str:
    """What is wrong with studio_markers and studio_notes; those of an open document may need a moment."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while problem := _projected(stored, content):
        fresh = (
            stored.shown or 0
        ) < stored.found.head and time.time() - stored.found.updated_at.timestamp() < SETTLE_SECONDS
        if not fresh or time.monotonic() > deadline:
            return problem
        await asyncio.sleep(POLL_SECONDS)
        stored = await _stored(store, stored.found.project_id)
        content = canonical(merged(stored.found.until(stored.found.head)))
    return ""


def _projected(stored: Stored, content: dict[str, Any]) -> str:
    head, shown = stored.found.head, stored.shown
    if shown is not None and shown > head:
        return f"they show row {shown}, beyond the head {head}"
    wanted = sorted(marker_rows(content["markers"]), key=_first), sorted(note_rows(content["notes"]), key=_first)
    notes = [(row[0], json.loads(str(row[1])), *row[2:]) for row in wanted[1]]
    if wanted[0] == sorted(stored.markers, key=_first) and notes == sorted(stored.notes, key=_first):
        return ""
    behind = f", they show row {shown} of {head}" if shown != head else ""
    return f"they are not those of the document{behind}"


def _first(row: tuple[object, ...]) -> str:
    return str(row[0])


# ---------------------------------------------------------------------- what a node serves


async def _served(store: Store, before: Kept, node: Node) -> list[tuple[str, str]]:
    """Whether the node's open document is the journal at its head; no check when it is not open there."""
    what = f"served by {node.url}"
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        live = await node.live(before.project_id)
        if live is CLOSED:
            return []
        waits = "it is never without unsaved edits" if live is BUSY else ""
        if live is not BUSY:
            now = await store.kept(before.project_id)
            waits = _on_its_way(live, before, now)
            if not waits:
                return [(what, _compared(live, now))]
        if time.monotonic() > deadline:
            return [(what, waits)]
        await asyncio.sleep(POLL_SECONDS)


def _on_its_way(live: Live, before: Kept, now: Kept) -> str:
    """What a moment of patience may mend, "" for nothing."""
    if live.epoch < now.epoch:
        return f"it is of epoch {live.epoch}, the journal of {now.epoch}"
    if live.head < before.head:
        return f"it is at row {live.head}, the journal was at {before.head}"
    return "the journal is compacted again and again" if live.head < now.floor else ""


def _compared(live: Live, now: Kept) -> str:
    if live.epoch > now.epoch:
        return f"it is of epoch {live.epoch}, beyond the journal's {now.epoch}"
    if live.head > now.head:
        return f"it is at row {live.head}, beyond the journal's {now.head}"
    try:
        return difference(applied([live.state]), merged(now.until(live.head)))
    except OperatorError as error:
        return str(error)
