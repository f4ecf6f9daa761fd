"""Snapshots: a document's full state under a name. Restoring goes forward on the live document, after an automatic
snapshot of what is there; nobody is disconnected and it can be undone. A fork is a project of a lineage of its own."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query
from pycrdt import Doc
from pydantic import Field
from starlette.responses import Response

from api import cursor as cursors
from api.access import Standing, allowed, allowed_at_once
from api.access import standing as standing_of
from api.answers import beside
from api.compared import cursor_behind, rest_of
from api.edits import now_ms
from api.errors import ApiError
from api.going_back import NAME_MAX, WholeRestored, go_back_whole
from api.kept import content_of, found
from api.past import SEQ_MAX
from api.services import Given, Unit, unit
from api.shapes import PAGE_ITEMS, Body, Cursor, Limit, Page, Person, Shape, Title
from api.studio.document import ReaderAtOnce, committed
from api.studio.projects import INSERT_PROJECT, LOCK_PROJECT, Project, require_room, shown
from persistence import snapshots as stored
from persistence.editing import SERVER_CLIENT, read
from persistence.history import past
from persistence.journal import Journal
from persistence.pool import Database
from studio.blank import blank, open_doc
from studio.canonical import canonical
from studio.canonical_json import written
from studio.compare import compare
from studio.edits import become_fork, restore
from studio.fields import shortened
from studio.roles import Action

BEFORE_RESTORE: Final = "Before restoring {name}"
FORK_OF: Final = "{name} (fork)"

LIST_SNAPSHOTS: Final = """
select s.id, s.kind, s.reason, s.name, s.parent_id, s.epoch, s.seq, s.created_at,
       a.id as author_id, a.display_name as author_name, a.color as author_color
  from studio_snapshots s
  left join profiles a on a.id = s.author_id
 where s.project_id = $1 and (s.kind <> 'draft' or s.author_id = $2) and ($3::text is null or s.kind = $3)
   and ($4::timestamptz is null or (s.created_at, s.id) < ($4, $5::uuid))
 order by s.created_at desc, s.id desc
 limit $6
"""

COUNT_NAMED: Final = "select count(*) from studio_snapshots where project_id = $1 and kind = 'named'"
DELETE_SNAPSHOT: Final = """
delete from studio_snapshots
 where project_id = $1 and id = $2
   and case kind when 'draft' then author_id = $3 when 'named' then $4 or $5 and author_id = $3 else $4 end
returning id
"""

Kind: TypeAlias = Literal["named", "automatic", "draft"]

router = APIRouter(prefix="/api/projects/{project_id}/snapshots", tags=["snapshots"])

Saver = Annotated[Standing, Depends(allowed_at_once(Action.SNAPSHOT))]
Reader = Annotated[Standing, Depends(allowed(Action.READ))]
Restorer = Annotated[Standing, Depends(allowed_at_once(Action.RESTORE))]
Forker = Annotated[Standing, Depends(allowed_at_once(Action.FORK))]


class Snapshot(Shape):
    """A saved state; `kind` named, automatic, or draft.

    A draft is work that was not merged, of another lineage or of somebody who might not write any more; its author
    alone sees it, and its content is what it would be if it were laid over the live document.
    """

    id: UUID
    kind: Kind
    reason: str
    name: str
    author: Person | None
    parent_id: UUID | None
    epoch: int
    seq: int
    created_at: datetime


class SnapshotContent(Snapshot):
    """A saved state with its document as canonical JSON."""

    document: dict[str, Any]


class NewSnapshot(Body):
    """A name that is taken gets a number behind it. `seq` names an earlier moment instead of what is there now."""

    name: Title
    seq: Annotated[int, Field(ge=1, le=SEQ_MAX)] | None = None


class Fork(Body):
    """A fork without a name is called after its project."""

    name: Title | None = None


class Difference(Shape):
    """What changed at `root/id/key` on the way; `text` says it in a musician's words."""

    change: Literal["added", "removed", "changed"]
    root: str
    id: str
    key: str
    before: Any
    after: Any
    text: str


@router.post("", status_code=201)
async def create_snapshot(body: NewSnapshot, standing: Saver, given: Given) -> Snapshot:
    """Saves what is committed now, or a moment of the history."""
    await given.heavy.spend(standing.caller.id)
    limit = given.settings.api.snapshots_per_project_max
    await _require_fewer(given.pool, standing.project_id, limit, limit)
    doc, seq, epoch = await _chosen(given, standing.project_id, body.seq)
    state, content = await asyncio.to_thread(doc.get_update), await asyncio.to_thread(_written, doc)
    async with unit(given) as work:
        saved = await stored.Snapshots(work.connection).save(
            standing.project_id,
            kind="named",
            reason="named",
            name=body.name,
            author=standing.caller.id,
            parent=None,
            epoch=epoch,
            seq=seq,
            state=state,
            canonical=content,
        )
        # The row is locked at the end: others do not wait while a document is stored.
        await work.connection.fetchval(LOCK_PROJECT, standing.project_id)
        await _require_fewer(work.connection, standing.project_id, limit + 1, limit)
    return Snapshot(**_facts(await found(given.pool, standing, saved)))


def _written(doc: "Doc[Any]") -> str:
    return written(canonical(doc))


async def _require_fewer(database: Database, project_id: UUID, count: int, limit: int) -> None:
    """Raises too_many_snapshots if there are as many as `count`; certain only while the project's row is locked."""
    if await database.fetchval(COUNT_NAMED, project_id) >= count:
        raise ApiError("too_many_snapshots", limit=limit)


async def _chosen(given: Given, project_id: UUID, seq: int | None) -> "tuple[Doc[Any], int, int]":
    """The document to save, its row and its epoch. Raises MomentGone."""
    if seq is None:
        return await read(given.pool, project_id)
    moment = await past(given.pool, project_id, seq)
    return await asyncio.to_thread(moment.open), seq, moment.loaded.epoch


@router.get("")
async def list_snapshots(
    standing: Reader, work: Unit, kind: Kind | None = None, cursor: Cursor = None, limit: Limit = PAGE_ITEMS
) -> Page[Snapshot]:
    """Saved states, the newest first; `kind` names one kind of them."""
    after = cursors.decode(cursor, cursors.moment, UUID) if cursor else (None, None)
    arguments = (standing.project_id, standing.caller.id, kind, *after, limit + 1)
    rows = await work.connection.fetch(LIST_SNAPSHOTS, *arguments)
    page, more = cursors.paged(rows, limit, lambda row: cursors.encode(row["created_at"], row["id"]))
    return Page(items=[Snapshot(**_facts(dict(row))) for row in page], next_cursor=more)


@router.get("/{snapshot_id}", response_model=SnapshotContent)
async def show_snapshot(snapshot_id: UUID, standing: ReaderAtOnce, given: Given) -> Response:
    """One saved state with its document. A draft is read when it is asked for, and not too many at once."""
    row = await found(given.pool, standing, snapshot_id)
    content = await content_of(given, standing, row)
    return await beside(Snapshot(**_facts(row)).model_dump(mode="json"), content)


@router.get("/{snapshot_id}/compare")
async def compare_snapshot(
    snapshot_id: UUID,
    standing: ReaderAtOnce,
    given: Given,
    other: Annotated[UUID | Literal["live"], Query(alias="with")] = "live",
    cursor: Cursor = None,
    limit: Limit = PAGE_ITEMS,
) -> Page[Difference]:
    """What leads from this snapshot to another one, or to the live document."""
    before = await content_of(given, standing, await found(given.pool, standing, snapshot_id))
    if other == "live":
        after = await committed(given.pool, standing)
    else:
        after = await content_of(given, standing, await found(given.pool, standing, other))
    rest = rest_of(await asyncio.to_thread(compare, before, after), cursor)
    page, more = cursors.paged(rest, limit, cursor_behind)
    return Page(items=[_difference(one) for _, one in page], next_cursor=more)


@router.delete("/{snapshot_id}", status_code=204)
async def delete_snapshot(snapshot_id: UUID, standing: Reader, work: Unit) -> None:
    """Deletes it for good: the owner any that they see, an editor the named ones of their own, anybody their drafts."""
    arguments = (standing.project_id, snapshot_id, standing.caller.id)
    owns, saves = standing.allows(Action.MANAGE), standing.allows(Action.SNAPSHOT)
    if await work.connection.fetchval(DELETE_SNAPSHOT, *arguments, owns, saves) is None:
        await found(work.connection, standing, snapshot_id)
        raise ApiError("forbidden", role=standing.role.value, action=Action.MANAGE.value)


@router.post("/{snapshot_id}/restore")
async def restore_snapshot(snapshot_id: UUID, standing: Restorer, given: Given) -> WholeRestored:
    """Brings the live document to this state, by one ordinary edit.

    Tracks that somebody else holds are left as they are, and told in `locked`; the owner's restore does not mind.
    """
    await given.heavy.spend(standing.caller.id)
    row = await found(given.pool, standing, snapshot_id)
    target = await content_of(given, standing, row)
    async with unit(given) as work:
        now = await standing_of(work.connection, standing.project_id, standing.caller)
        now.require(Action.RESTORE)
        return await go_back_whole(work, now, BEFORE_RESTORE.format(name=row["name"]), snapshot_id, target)


@router.post("/{snapshot_id}/fork", status_code=201)
async def fork_snapshot(snapshot_id: UUID, standing: Forker, given: Given, body: Fork | None = None) -> Project:
    """A new project of the caller's with this content; nothing connects it to the old one but `meta.parent`."""
    await given.heavy.spend(standing.caller.id)
    row = await found(given.pool, standing, snapshot_id)
    content = await content_of(given, standing, row)
    name, caller, project_id = (body and body.name) or _fork_of(standing.project_name), standing.caller, uuid4()
    parent = f"{standing.project_id}/{snapshot_id}"
    seed = await asyncio.to_thread(forked, content, project_id, name, parent, str(caller.id))
    async with unit(given) as work:
        now = await standing_of(work.connection, standing.project_id, caller)
        now.require(Action.FORK)
        await require_room(given, work.connection, caller)
        place = (standing.project_id, snapshot_id)
        await work.connection.execute(INSERT_PROJECT, project_id, caller.id, name, *place)
        await Journal.create(work.connection, project_id, seed, caller.id, "fork")
        return await shown(work, project_id, caller)


def _fork_of(name: str) -> str:
    """What a fork is called that nobody named: a project's name is measured in UTF-16 units."""
    return FORK_OF.format(name=shortened(name, NAME_MAX - len(FORK_OF.format(name=""))))


def forked(content: dict[str, Any], project_id: UUID, name: str, parent: str, by: str) -> bytes:
    """The seed of a fork: a blank document that was restored to `content`, all by the reserved client."""
    now = now_ms()
    doc = open_doc(SERVER_CLIENT)
    doc.apply_update(blank(str(project_id), name, by, now, SERVER_CLIENT))
    restore(doc, content, by, now)
    become_fork(doc, project_id=str(project_id), name=name, parent=parent, created_by=by, now_ms=now)
    return doc.get_update()


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    author = None
    if row["author_id"] is not None:
        author = Person(id=row["author_id"], name=row["author_name"], color=row["author_color"])
    wanted = Snapshot.model_fields.keys() - {"author"}
    return {"author": author, **{name: row[name] for name in wanted}}


def _difference(one: object) -> Difference:
    return Difference.model_validate(one, from_attributes=True)
