"""Taking back what one person did in a stretch of the history, where it still stands; the work of others stays."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pycrdt import Doc
from pydantic import ConfigDict, Field

from api.access import Standing, allowed_at_once
from api.access import standing as standing_of
from api.edits import now_ms
from api.errors import ApiError
from api.going_back import Restored, courteous, go_back
from api.past import SEQ_MAX, persons
from api.services import Given, unit
from api.shapes import Body, Person, Shape
from persistence.lookback import last_changes
from persistence.pool import Connection
from persistence.replay import written_by
from studio.canonical import canonical
from studio.edits import take_back
from studio.edits.take_back import Skipped, TakenBack
from studio.moments.credits import Credit
from studio.moments.places import Place
from studio.moments.words import named
from studio.moments.written import Written
from studio.roles import Action

ROWS_MAX: Final = 20_000
BEFORE_UNDOING: Final = "Before taking back what {name} did"

STEPS_OF: Final = """
select seq, paths from document_changes
 where project_id = $1 and author_id = $2 and seq between $3 and $4 and origin not in ('repair', 'seed', 'fork')
 order by id
"""

router = APIRouter(prefix="/api/projects/{project_id}/changes", tags=["time travel"])

RestorerAtOnce = Annotated[Standing, Depends(allowed_at_once(Action.RESTORE))]
Row = Annotated[int, Field(ge=1, le=SEQ_MAX)]


class Undoing(Body):
    """What `person` did in the rows `from_seq` to `to_seq`, as a moment of the timeline names them."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"person": "6f1c8a52-6f0e-4c5c-9a53-0b4a7a6f2d11", "from_seq": 187, "to_seq": 214}
        }
    )

    person: Annotated[UUID, Field(strict=False)]
    from_seq: Row
    to_seq: Row


class Left(Shape):
    """What was not taken back. `reason`: somebody changed it since (`by`), it is gone, somebody's work lies on it, or
    the server alone writes it."""

    root: str
    id: str
    key: str
    text: str
    reason: Literal["changed_since", "gone", "in_use", "server_only"]
    by: Person | None


class Undone(Restored):
    """What was written, the snapshot before it, and what was left as it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "changes": 3,
                "seq": 231,
                "before": "0d9f5b1e-7f4e-4a43-9d5e-0a3f6f1c2b4d",
                "skipped": [
                    {
                        "root": "tracks",
                        "id": "t_Kk29sQe0RtYx",
                        "key": "gain_db",
                        "text": "track “Bass”: gain",
                        "reason": "changed_since",
                        "by": {"id": "8a1d2c3e-0b5f-4d6a-8c7e-1f2a3b4c5d6e", "name": "Ben", "color": "#7fb54a"},
                    }
                ],
            }
        }
    )

    skipped: Sequence[Left]


@router.post("/undo")
async def undo_changes(body: Undoing, standing: RestorerAtOnce, given: Given) -> Undone:
    """Brings back what stood before, wherever the person's value still stands, by one ordinary edit.

    409 `track_locked`, and nothing is taken back, if that would touch a track that somebody else holds.
    """
    project_id, by = standing.project_id, str(standing.caller.id)
    await given.heavy.spend(standing.caller.id)
    written = await _written(given, project_id, body)

    async with unit(given) as work:
        standing = await standing_of(work.connection, project_id, standing.caller)
        standing.require(Action.RESTORE)
        paths = {(path,) for one in written for path in one.paths()}
        last = await last_changes(work.connection, project_id, body.from_seq - 1, SEQ_MAX, paths)
        others = _overwritten(written, last, body.person)
        people = await persons(work.connection, {body.person, *(one.author for one in others.values())})
        name = BEFORE_UNDOING.format(name=people[body.person].name if body.person in people else "somebody")

        def change(doc: "Doc[Any]") -> tuple[TakenBack, list[str]]:
            done = take_back(doc, written, by, now_ms(), others.keys())
            now = canonical(doc)
            return done, [named(one.place, now) for one in done.skipped]

        done = await go_back(work, standing, name, None, courteous(standing, change))
    taken, texts = done.result
    skipped = [_left(one, text, others, people) for one, text in zip(taken.skipped, texts, strict=True)]
    return Undone(changes=taken.changes, seq=done.seq, before=done.before, skipped=skipped)


async def _written(given: Given, project_id: UUID, asked: Undoing) -> list[Written]:
    """What the person wrote there. Raises invalid, MomentGone, CorruptState."""
    if not 0 <= asked.to_seq - asked.from_seq < ROWS_MAX:
        reason = f"the rows from_seq to to_seq, at most {ROWS_MAX}"
        raise ApiError("invalid", fields=[{"field": "to_seq", "reason": reason}])
    async with given.pool.acquire() as connection:
        steps = await _steps(connection, project_id, asked)
    if not steps:
        return []
    return await written_by(given.pool, project_id, asked.person, min(steps), max(steps), steps)


async def _steps(connection: Connection, project_id: UUID, asked: Undoing) -> dict[int, list[str]]:
    steps: dict[int, list[str]] = {}
    for row in await connection.fetch(STEPS_OF, project_id, asked.person, asked.from_seq, asked.to_seq):
        steps.setdefault(row["seq"], []).extend(row["paths"])
    return steps


def _overwritten(written: Sequence[Written], last: Mapping[str, Credit], person: UUID) -> dict[Place, Credit]:
    """Where somebody else wrote last, and who."""
    found = {}
    for one in written:
        credits = [last[path] for path in one.paths() if path in last and last[path].author != person]
        if credits:
            found[one.place] = max(credits, key=lambda credit: credit.seq)
    return found


def _left(one: Skipped, text: str, others: Mapping[Place, Credit], people: Mapping[UUID, Person]) -> Left:
    last = others.get(one.place)
    by = people.get(last.author) if last is not None and last.author is not None else None
    root, entity, key = one.place
    return Left(root=root, id=entity, key=key, text=text, reason=one.reason.value, by=by)
