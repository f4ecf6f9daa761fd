"""Time travel: the timeline of who did what, any moment of a document that is kept, and the way back.

A moment is a row of the journal: the document as it was when that row was the last. Going back goes forward: one edit
for everybody, nobody is disconnected.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pycrdt import Doc
from pydantic import AfterValidator, AwareDatetime, ConfigDict
from starlette.responses import Response

from api import cursor as cursors
from api.access import Standing, allowed_at_once
from api.access import standing as standing_of
from api.answers import beside
from api.edits import now_ms
from api.going_back import WholeRestored, courteous, go_back, go_back_whole
from api.past import Seq, content_at, persons, time_of
from api.services import Given, Work, unit
from api.shapes import PAGE_ITEMS, Body, Cursor, Limit, Page, Person, Reference, Shape
from api.studio.document import ReaderAtOnce
from persistence.editing import read
from persistence.history import kept_since
from persistence.pool import Connection
from studio.canonical import canonical
from studio.edits import restore_track
from studio.moments.bursts import Burst, Bursts, Step
from studio.moments.places import Ownership, Place
from studio.moments.words import summary
from studio.roles import Action

STEPS_AT_ONCE: Final = 500
STEPS_MAX: Final = 10_000
"""How far one page looks for moments that fit: behind it, its cursor goes on."""
BEFORE_GOING: Final = "Before going back to {at:%Y-%m-%d %H:%M}"

ROWS_AT_ONCE: Final = 50_000
"""How many changes one page looks at for a person or a time: behind them, its cursor goes on."""

# A person's changes are looked for among the next $7 of all, so that a stranger's cost no more than anybody's.
LIST_STEPS: Final = """
select c.id, c.seq, c.created_at, c.author_id, c.origin, c.edits, c.paths
  from (select n.* from document_changes n
         where n.project_id = $1 and n.id < coalesce($2::bigint, 9223372036854775807)
         order by n.id desc
         limit $7) c
 where c.origin <> 'repair'
   and ($3::uuid is null or c.author_id = $3)
   and ($4::timestamptz is null or c.created_at >= $4)
   and ($5::timestamptz is null or c.created_at < $5)
 order by c.id desc
 limit $6
"""
LAST_LOOKED_AT: Final = """
select id, created_at from document_changes
 where project_id = $1 and id < coalesce($2::bigint, 9223372036854775807)
 order by id desc
offset $3::int - 1
 limit 1
"""
# The first change a minute after $2, found by halving the rows: transactions may note their times in another order.
FIRST_AFTER: Final = """
with recursive halves (low, high) as (
    select 0::bigint, d.head from documents d where d.project_id = $1
    union all
    select case when m.early then m.middle else h.low end, case when m.early then h.high else m.middle - 1 end
      from halves h
     cross join lateral (
           select (h.low + h.high + 1) / 2 as middle,
                  coalesce((select c.created_at < $2::timestamptz + interval '1 minute'
                              from document_changes c
                             where c.project_id = $1 and c.seq <= (h.low + h.high + 1) / 2
                             order by c.seq desc limit 1), true) as early) m
     where h.low < h.high
)
select c.id from document_changes c
 where c.project_id = $1 and c.seq > (select h.low from halves h where h.low = h.high)
 order by c.seq
 limit 1
"""
router = APIRouter(prefix="/api/projects/{project_id}/moments", tags=["time travel"])

RestorerAtOnce = Annotated[Standing, Depends(allowed_at_once(Action.RESTORE))]


def _of_our_time(at: datetime) -> datetime:
    if not 1970 <= at.year <= 9000:
        raise ValueError("a time between 1970 and 9000")
    return at


Time = Annotated[AwareDatetime, AfterValidator(_of_our_time)]


class Moment(Shape):
    """What one person did in one go, without a pause of more than a minute; the document after it is moment `seq`.

    `text` says what was touched, `kept` whether the moment can still be rebuilt. No author: the server.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "seq": 214,
                "first_seq": 187,
                "began_at": "2026-03-01T20:14:03Z",
                "at": "2026-03-01T20:15:40Z",
                "author": {"id": "6f1c8a52-6f0e-4c5c-9a53-0b4a7a6f2d11", "name": "Ada", "color": "#4a8fd9"},
                "origin": "edit",
                "edits": 41,
                "text": "2 clips: position; 1 track: gain",
                "kept": True,
            }
        }
    )

    seq: int
    first_seq: int
    began_at: datetime
    at: datetime
    author: Person | None
    origin: str
    edits: int
    text: str
    kept: bool


class MomentContent(Shape):
    """The document as it was after row `seq`, written at `at`."""

    seq: int
    at: datetime
    document: dict[str, Any]


class WhatToRestore(Body):
    """Without `track`: everything."""

    model_config = ConfigDict(json_schema_extra={"example": {"track": "t_Kk29sQe0RtYx"}})

    track: Reference | None = None


class Filter(Shape):
    """Whose moments are asked for, on which track, since when and until when."""

    person: UUID | None
    track: str | None
    since: datetime | None
    until: datetime | None


def _filter(
    person: UUID | None = None,
    track: Annotated[str | None, Query(max_length=160, description="What is on this track, or was last.")] = None,
    since: Annotated[Time | None, Query(alias="from")] = None,
    until: Annotated[Time | None, Query(alias="to", description="Earlier than this.")] = None,
) -> Filter:
    return Filter(person=person, track=track, since=since, until=until)


@router.get("")
async def list_moments(
    standing: ReaderAtOnce,
    given: Given,
    asked: Annotated[Filter, Depends(_filter)],
    cursor: Cursor = None,
    limit: Limit = PAGE_ITEMS,
) -> Page[Moment]:
    """The timeline, the newest first. A page may be short, or empty, and still have a next one."""
    before = cursors.decode(cursor, cursors.whole)[0] if cursor else None
    owned = None
    if asked.track is not None:
        doc, _, _ = await read(given.pool, standing.project_id)
        owned = Ownership.of(await asyncio.to_thread(canonical, doc))
    async with given.pool.acquire() as connection:
        bursts, position = await _bursts(connection, standing.project_id, asked, owned, before, limit)
        people = await persons(connection, {burst.author for burst in bursts})
        since = await kept_since(connection, standing.project_id)
    items = [_moment(burst, people, since) for burst in bursts]
    return Page(items=items, next_cursor=None if position is None else cursors.encode(position))


async def _bursts(
    connection: Connection,
    project_id: UUID,
    asked: Filter,
    owned: Ownership | None,
    before: object,
    limit: int,
) -> tuple[list[Burst], int | None]:
    """A page of bursts, and the last change it covers, None if there are no more."""
    bursts, position, seen = Bursts(limit), before, 0
    if before is None and asked.until is not None:
        position = await connection.fetchval(FIRST_AFTER, project_id, asked.until)
    while seen < STEPS_MAX:
        narrowed = (asked.person, asked.since, asked.until)
        rows = await connection.fetch(LIST_STEPS, project_id, position, *narrowed, STEPS_AT_ONCE, ROWS_AT_ONCE)
        start = position
        for step in map(Step._make, rows):
            if _concerns(step, asked.track, owned) and not bursts.take(step):
                return bursts.found, _number(position)
            position = step.id
        seen += len(rows)
        if len(rows) < STEPS_AT_ONCE:
            return bursts.found, await _further(connection, project_id, start, asked.since)
    return bursts.found, _number(position)


async def _further(connection: Connection, project_id: UUID, start: object, since: datetime | None) -> int | None:
    """The last change that was looked at behind `start`; None if nothing that is asked for can be behind it."""
    row = await connection.fetchrow(LAST_LOOKED_AT, project_id, start, ROWS_AT_ONCE)
    if row is None or (since is not None and row["created_at"] < since):
        return None
    return _number(row["id"])


def _number(position: object) -> int:
    assert isinstance(position, int)
    return position


def _concerns(step: Step, track: str | None, owned: Ownership | None) -> bool:
    if track is None or owned is None:
        return True
    return any(owned.belongs(Place.of(path), track) for path in step.paths)


@router.get("/{seq}", response_model=MomentContent)
async def show_moment(seq: Seq, standing: ReaderAtOnce, given: Given) -> Response:
    """The document as it was."""
    document = await content_at(given.pool, standing.project_id, seq)
    at = await time_of(given.pool, standing.project_id, seq)
    return await beside({"seq": seq, "at": at.isoformat()}, document)


@router.post("/{seq}/restore")
async def restore_moment(
    seq: Seq, standing: RestorerAtOnce, given: Given, body: WhatToRestore | None = None
) -> WholeRestored:
    """Brings the live document, or one track of it, to this moment by one ordinary edit.

    Tracks that somebody else holds are left as they are, and told in `locked`; for one track: 409 `track_locked`, if
    that, or what would come to it or leave it, is held. The owner's restore does not mind.
    """
    await given.heavy.spend(standing.caller.id)
    target = await content_at(given.pool, standing.project_id, seq)
    at = await time_of(given.pool, standing.project_id, seq)
    name, track = BEFORE_GOING.format(at=at.astimezone(UTC)), body.track if body else None
    async with unit(given) as work:
        now = await standing_of(work.connection, standing.project_id, standing.caller)
        now.require(Action.RESTORE)
        if track is None:
            return await go_back_whole(work, now, name, None, target)
        return await _restore_track(work, now, name, target, track)


async def _restore_track(
    work: Work, standing: Standing, name: str, target: Mapping[str, Any], track: str
) -> WholeRestored:
    def change(doc: "Doc[Any]") -> int:
        return restore_track(doc, target, track, str(standing.caller.id), now_ms())

    done = await go_back(work, standing, name, None, courteous(standing, change))
    return WholeRestored(changes=done.result, seq=done.seq, before=done.before, locked=[])


def _moment(burst: Burst, people: Mapping[UUID, Person], since: int | None) -> Moment:
    return Moment(
        seq=burst.last,
        first_seq=burst.first,
        began_at=burst.began,
        at=burst.ended,
        author=people.get(burst.author) if burst.author is not None else None,
        origin=burst.origin,
        edits=burst.edits,
        text=summary(burst.paths),
        kept=since is not None and burst.last >= since,
    )
