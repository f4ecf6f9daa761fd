"""The document's markers and notes as rows, for lists, search and joins.

The document is the truth; rows are rewritten from its canonical form. An older view never overwrites a newer one,
and a value the schema would not allow is left out of the rows rather than failing the whole projection.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from persistence.pool import Connection

ID_MAX = 120
BIGINT_MAX = 2**63 - 1

# The row is locked until the transaction ends: two projections of one project follow each other.
CLAIM = """
insert into studio_projections as p (project_id, epoch, seq)
select d.project_id, d.epoch, $2 from documents d where d.project_id = $1
    on conflict (project_id) do update set epoch = excluded.epoch, seq = excluded.seq, updated_at = now()
 where (p.epoch, p.seq) < (excluded.epoch, excluded.seq)
returning project_id
"""
PUT_MARKERS = """
with wanted as (
    select * from unnest($3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::uuid[])
               as w (id, tick, end_tick, label, color, kind, author_id)
), gone as (
    delete from studio_markers m where m.project_id = $1 and m.id <> all ($3)
)
insert into studio_markers as m (project_id, id, tick, end_tick, label, color, kind, author_id, seq)
select $1, w.id, w.tick, w.end_tick, w.label, w.color, w.kind, w.author_id, $2 from wanted w
    on conflict (project_id, id) do update
   set tick = excluded.tick, end_tick = excluded.end_tick, label = excluded.label, color = excluded.color,
       kind = excluded.kind, author_id = excluded.author_id, seq = excluded.seq, updated_at = now()
 where (m.tick, m.end_tick, m.label, m.color, m.kind, m.author_id) is distinct from
       (excluded.tick, excluded.end_tick, excluded.label, excluded.color, excluded.kind, excluded.author_id)
"""
PUT_NOTES = """
with wanted as (
    select * from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::uuid[],
                         $10::timestamptz[]) as w (id, anchor, track_id, parent_id, body, author_id, resolved_by, at)
), gone as (
    delete from studio_notes n where n.project_id = $1 and n.id <> all ($3)
)
insert into studio_notes as n (project_id, id, anchor, track_id, parent_id, body, author_id, resolved_by, at, seq)
select $1, w.id, w.anchor::jsonb, w.track_id, w.parent_id, w.body, w.author_id, w.resolved_by, w.at, $2 from wanted w
    on conflict (project_id, id) do update
   set anchor = excluded.anchor, track_id = excluded.track_id, parent_id = excluded.parent_id, body = excluded.body,
       author_id = excluded.author_id, resolved_by = excluded.resolved_by, at = excluded.at,
       seq = excluded.seq, updated_at = now()
 where (n.anchor, n.track_id, n.parent_id, n.body, n.author_id, n.resolved_by, n.at) is distinct from
       (excluded.anchor, excluded.track_id, excluded.parent_id, excluded.body, excluded.author_id,
        excluded.resolved_by, excluded.at)
"""


async def project(
    connection: Connection,
    project_id: UUID,
    markers: Mapping[str, Any],
    notes: Mapping[str, Any],
    seq: int,
) -> bool:
    """Makes the rows equal to the canonical roots `markers` and `notes` as of journal position `seq`.

    Returns False, and changes nothing, when a view as new is there already or the project is gone. Opens its own
    (nested) transaction.
    """
    async with connection.transaction():
        if await connection.fetchval(CLAIM, project_id, seq) is None:
            return False
        await connection.execute(PUT_MARKERS, project_id, seq, *_columns(marker_rows(markers), 7))
        await connection.execute(PUT_NOTES, project_id, seq, *_columns(note_rows(notes), 8))
    return True


def marker_rows(markers: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """id, tick, end_tick, label, color, kind, author_id of every marker that is not deleted."""
    return [_marker(item) for item in _alive(markers)]


def note_rows(notes: Mapping[str, Any]) -> list[tuple[object, ...]]:
    """id, anchor as JSON, track_id, parent_id, body, author_id, resolved_by, at of every note that is not deleted."""
    return [_note(item) for item in _alive(notes)]


def _alive(root: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (key, fields)
        for key, fields in root.items()
        if isinstance(fields, dict) and fields.get("deleted") is None and len(key) <= ID_MAX and "\0" not in key
    ]


def _columns(rows: list[tuple[object, ...]], width: int) -> list[list[object]]:
    return [[row[column] for row in rows] for column in range(width)]


def _marker(item: tuple[str, dict[str, Any]]) -> tuple[object, ...]:
    key, fields = item
    return (
        key,
        _int(fields.get("tick")) or 0,
        _int(fields.get("end")),
        _text(fields.get("label")) or "",
        _text(fields.get("color")),
        _text(fields.get("kind")) or "cue",
        _uuid(fields.get("by")),
    )


def _note(item: tuple[str, dict[str, Any]]) -> tuple[object, ...]:
    key, fields = item
    resolved = fields.get("resolved")
    return (
        key,
        _anchor(fields.get("anchor")),
        _text(fields.get("track")),
        _text(fields.get("parent")),
        _text(fields.get("body")) or "",
        _uuid(fields.get("author")),
        _uuid(resolved[0]) if isinstance(resolved, list) and resolved else None,
        _moment(fields.get("at")),
    )


def _anchor(value: object) -> str:
    """JSON of a short list of texts and numbers; anything else reads as the start of the timeline."""
    if not isinstance(value, list) or len(value) > 3:
        return json.dumps(["t", 0, None])
    return json.dumps([_text(part) if isinstance(part, str) else _int(part) for part in value])


def _int(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -BIGINT_MAX <= value <= BIGINT_MAX:
        return None
    return min(int(value), BIGINT_MAX)


def _text(value: object) -> str | None:
    return value.replace("\0", "") if isinstance(value, str) else None


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _moment(value: object) -> datetime | None:
    """Milliseconds since 1970 in UTC, if a calendar can show them."""
    ms = _int(value)
    return datetime.fromtimestamp(ms / 1000, UTC) if ms is not None and 0 <= ms < 10**14 else None
