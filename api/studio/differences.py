"""What differs between a moment and another state, in a musician's words, and who is behind it."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field

from api import cursor as cursors
from api.access import Standing
from api.compared import cursor_behind, rest_of
from api.kept import content_of, found
from api.past import CREDITED_ROWS, SEQ_MAX, Seq, content_at, persons
from api.services import Given, Services
from api.shapes import PAGE_ITEMS, Cursor, Limit, Page, Person
from api.studio import snapshots
from api.studio.document import ReaderAtOnce
from persistence.editing import read
from persistence.lookback import last_changes
from studio.canonical import canonical
from studio.compare import Difference, compare
from studio.moments.credits import Credit, credit, paths
from studio.moments.places import Ownership, Place

router = APIRouter(prefix="/api/projects/{project_id}/moments", tags=["time travel"])


class Differing(snapshots.Difference):
    """A difference and who is behind it: the last who wrote what differs, when and in which row.

    Null: nobody knows, or it was more than 100,000 rows before the later of the two.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "change": "changed",
                "root": "clips",
                "id": "c_4kTz81LmQx0b",
                "key": "pos",
                "before": 30720,
                "after": 38400,
                "text": "clip “Vocals” moved from bar 9 to bar 11 by Ada",
                "by": {"id": "6f1c8a52-6f0e-4c5c-9a53-0b4a7a6f2d11", "name": "Ada", "color": "#4a8fd9"},
                "at": "2026-03-01T20:15:40Z",
                "seq": 214,
            }
        }
    )

    by: Person | None
    at: datetime | None
    seq: int | None


@router.get("/{seq}/compare")
async def compare_moment(
    seq: Seq,
    standing: ReaderAtOnce,
    given: Given,
    other: Annotated[
        Literal["live"] | Annotated[int, Field(ge=1, le=SEQ_MAX)] | UUID,
        Query(alias="with", description="`live`, a row of the journal, or a snapshot."),
    ] = "live",
    person: UUID | None = None,
    track: Annotated[str | None, Query(max_length=160)] = None,
    cursor: Cursor = None,
    limit: Limit = PAGE_ITEMS,
) -> Page[Differing]:
    """What leads from this moment to another one, a snapshot or the live document, and who did it."""
    before = await content_at(given.pool, standing.project_id, seq)
    until, after = await _other(given, standing, other)
    rest = rest_of(await asyncio.to_thread(_differences, before, after, track), cursor)
    if person is None:
        rest = rest[: limit + 1]  # nobody asks who did the others
    async with given.pool.acquire() as connection:
        # Nobody wrote the way back into the past: there are no rows behind `seq` then.
        since, wanted = max(seq, until - CREDITED_ROWS), [paths(one) for _, one in rest]
        credits = await last_changes(connection, standing.project_id, since, until, wanted)
        people = await persons(connection, {one.author for one in credits.values()})
    chosen = [entry for entry in rest if person is None or _author(entry[1], credits) == person]
    page, more = cursors.paged(chosen, limit, cursor_behind)
    return Page(items=[_differing(one, credit(one, credits), people) for _, one in page], next_cursor=more)


def _author(found: Difference, credits: Mapping[str, Credit]) -> UUID | None:
    last = credit(found, credits)
    return None if last is None else last.author


async def _other(given: Services, standing: Standing, other: int | UUID | str) -> tuple[int, dict[str, Any]]:
    """The row a state shows, and the state. Raises not_found, MomentGone."""
    match other:
        case int():
            return other, await content_at(given.pool, standing.project_id, other)
        case UUID():
            row = await found(given.pool, standing, other)
            return row["seq"], await content_of(given, standing, row)
    doc, seq, _ = await read(given.pool, standing.project_id)
    return seq, await asyncio.to_thread(canonical, doc)


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], track: str | None) -> list[Difference]:
    differing = compare(before, after)
    if track is None:
        return differing
    owned = Ownership.of(before, after)
    return [one for one in differing if owned.belongs(Place(one.root, one.id, one.key), track)]


def _differing(found: Difference, last: Credit | None, people: Mapping[UUID, Person]) -> Differing:
    by = people.get(last.author) if last is not None and last.author is not None else None
    names = ("change", "root", "id", "key", "before", "after")
    return Differing(
        **{name: getattr(found, name) for name in names},
        text=f"{found.text} by {by.name}" if by is not None else found.text,
        by=by,
        at=last.at if last is not None else None,
        seq=last.seq if last is not None else None,
    )
