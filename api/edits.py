"""Edits of a document in the request's transaction, announced to open studios after the commit."""

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import Any, TypeVar

from pycrdt import Doc

from api.access import Standing, still
from api.services import Work
from persistence.editing import Edited, edit_on, lock_document
from persistence.projections import project
from presence.events import Grew
from studio.canonical import canonical
from studio.ids import PREFIXES, new_id

T = TypeVar("T")


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def fresh_id(root: str) -> str:
    """An id for a new entity of this root."""
    return new_id(PREFIXES[root], secrets.randbelow)


async def edited(work: Work, standing: Standing, origin: str, change: "Callable[[Doc[Any]], T]") -> Edited[T]:
    """Applies `change` for the caller; studios that have the project open see it after the commit.

    Whoever was removed or demoted while this waited for the document, or was at work on it, changes nothing.
    """
    await lock_document(work.connection, standing.project_id)
    await still(work.connection, standing)
    done = await edit_on(work.connection, standing.project_id, standing.caller.id, origin, change)
    await still(work.connection, standing)
    if done.body:
        work.announce(Grew(standing.project_id, done.epoch, done.seq, done.body))
    return done


async def annotated(work: Work, standing: Standing, origin: str, change: "Callable[[Doc[Any]], T]") -> T:
    """`edited` for markers and notes: their rows follow in the same transaction."""
    held: list[Doc[Any]] = []

    def watched(doc: "Doc[Any]") -> T:
        held.append(doc)
        return change(doc)

    done = await edited(work, standing, origin, watched)
    if done.body:
        view = await asyncio.to_thread(canonical, held[0], ("markers", "notes"))
        await project(work.connection, standing.project_id, view["markers"], view["notes"], done.seq)
    return done.result
