"""Edits that bring back what was: what is there becomes an automatic snapshot first, so they can be taken back too.

A track that somebody else holds stays as it is, unless the caller may break locks: who goes back as a whole is told
which were left; who wants one thing back that lies on such a track is refused.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from pycrdt import Doc

from api.access import Standing
from api.edits import edited, now_ms
from api.services import Work
from api.shapes import Shape, TrackLock
from persistence import snapshots as stored
from persistence.projections import project
from studio.canonical import canonical
from studio.canonical_json import written
from studio.courtesy import others_locks, respecting, restore_around
from studio.edits import restore
from studio.fields import shortened
from studio.roles import Action, may

NAME_MAX: Final = 120

T = TypeVar("T")


class Restored(Shape):
    """`changes` keys and entries were written; `before` is the automatic snapshot of what was there."""

    changes: int
    seq: int
    before: UUID


class WholeRestored(Restored):
    """`locked`: the tracks that would have changed too, but somebody else holds them: they were left as they are."""

    locked: Sequence[TrackLock]


@dataclass(frozen=True, slots=True)
class Gone(Generic[T]):
    """What the change returned, the row it became (or the head, if it wrote nothing), and the snapshot before it."""

    result: T
    seq: int
    before: UUID
    wrote: bool


async def go_back(
    work: Work, standing: Standing, name: str, parent: UUID | None, change: "Callable[[Doc[Any]], T]"
) -> Gone[T]:
    """One ordinary edit for everybody; markers' and notes' rows follow. `name` and `parent` are the snapshot's."""

    def kept(doc: "Doc[Any]") -> "tuple[Doc[Any], bytes, str, T]":
        before = doc.get_update(), written(canonical(doc))
        return doc, *before, change(doc)

    done = await edited(work, standing, "restore", kept)
    doc, state, content, result = done.result
    author, place = standing.caller.id, (done.epoch, done.seq - 1 if done.body else done.seq)
    columns = ("automatic", "before_restore", shortened(name, NAME_MAX), author, parent, *place, state, content)
    digest = hashlib.sha256(state).digest()
    before: UUID = await work.connection.fetchval(stored.INSERT, standing.project_id, *columns, digest)
    await work.connection.execute(stored.TRIM, standing.project_id, stored.RESTORES_KEPT)
    if done.body:
        now = await asyncio.to_thread(canonical, doc, ("markers", "notes"))
        await project(work.connection, standing.project_id, now["markers"], now["notes"], done.seq)
    return Gone(result, done.seq, before, bool(done.body))


async def go_back_whole(
    work: Work, standing: Standing, name: str, parent: UUID | None, target: Mapping[str, Any]
) -> WholeRestored:
    """Brings the whole document to the canonical state `target`, as far as nobody else holds tracks."""
    by = str(standing.caller.id)

    def change(doc: "Doc[Any]") -> tuple[int, list[TrackLock]]:
        now = now_ms()
        locks = {} if _breaks_locks(standing) else others_locks(doc, by, now)
        if not locks:
            return restore(doc, target, by, now), []
        written, left = restore_around(doc, target, by, now, locks)
        return written, [TrackLock(track=track, user=locks[track].user, until=locks[track].until) for track in left]

    done = await go_back(work, standing, name, parent, change)
    changes, locked = done.result
    return WholeRestored(changes=changes, seq=done.seq, before=done.before, locked=locked)


def courteous(standing: Standing, change: "Callable[[Doc[Any]], T]") -> "Callable[[Doc[Any]], T]":
    """The change, which raises Locked when it touches a track that somebody else holds and the caller cannot break."""
    if _breaks_locks(standing):
        return change
    return lambda doc: respecting(doc, str(standing.caller.id), now_ms(), change)


def _breaks_locks(standing: Standing) -> bool:
    return may(standing.role, Action.LOCK_BREAK)
