"""Marker and note rows follow the document, never backwards, whatever a client wrote into it."""

from typing import Any
from uuid import UUID, uuid4

from persistence.journal import Batch, Journal
from persistence.pool import Pool
from persistence.projections import project as project_rows

MARKERS = """
select id, tick, end_tick, label, color, kind, author_id, seq
  from studio_markers where project_id = $1 order by id
"""
NOTES = """
select id, anchor, track_id, parent_id, body, author_id, resolved_by, extract(epoch from at)::float8 as at
  from studio_notes where project_id = $1 order by id
"""


async def put(pool: Pool, project: UUID, markers: dict[str, Any], notes: dict[str, Any], seq: int) -> bool:
    async with pool.acquire() as connection:
        return await project_rows(connection, project, markers, notes, seq)


async def test_rows_are_added_changed_and_deleted(pool: Pool, project: UUID, user: UUID) -> None:
    """The rows equal the living entries of the newest view; an unchanged row keeps the position it came with."""
    cue = {
        "tick": 960,
        "end": None,
        "label": "Drop",
        "color": "#ff0000",
        "kind": "drop",
        "by": str(user),
        "deleted": None,
    }
    verse = {"tick": 0, "end": 3840, "label": "Verse", "kind": "section", "by": str(user)}
    note = {
        "anchor": ["c", "c_1", 12], "track": "t_1", "parent": None, "body": "louder", "author": str(user),
        "at": 1_700_000_000_500, "resolved": [str(user), 1],
    }  # fmt: skip
    assert await put(pool, project, {"m_1": cue, "m_2": verse}, {"n_1": note}, 5)
    assert await put(
        pool, project, {"m_1": cue | {"deleted": [str(user), 1]}, "m_2": verse, "m_3": cue}, {"n_1": note}, 6
    )
    rows = [tuple(row) for row in await pool.fetch(MARKERS, project)]
    assert rows == [
        ("m_2", 0, 3840, "Verse", None, "section", user, 5),
        ("m_3", 960, None, "Drop", "#ff0000", "drop", user, 6),
    ]
    notes = [tuple(row) for row in await pool.fetch(NOTES, project)]
    assert notes == [("n_1", ["c", "c_1", 12], "t_1", None, "louder", user, user, 1_700_000_000.5)]
    assert await put(pool, project, {}, {}, 7)
    assert await pool.fetch(MARKERS, project) == []
    assert await pool.fetch(NOTES, project) == []


async def test_an_older_view_changes_nothing(pool: Pool, project: UUID) -> None:
    """A view of the same or an earlier position is refused, also when the newer one had deleted everything."""
    assert await put(pool, project, {}, {}, 9)
    assert not await put(pool, project, {"m_1": {"tick": 1}}, {}, 8)
    assert not await put(pool, project, {"m_1": {"tick": 1}}, {}, 9)
    assert await pool.fetch(MARKERS, project) == []


async def test_a_project_that_is_gone_is_no_error(pool: Pool) -> None:
    """A late projection of a project whose rows were deleted does nothing."""
    assert not await put(pool, uuid4(), {"m_1": {"tick": 1}}, {}, 1)


async def test_what_a_client_may_have_written_never_stops_the_projection(pool: Pool, project: UUID) -> None:
    """Wrong types, huge numbers, U+0000, forged authors and over-long ids become defaults or are left out."""
    markers = {
        "m_1": {"tick": 1e300, "end": "x", "label": "a\0b", "kind": 7, "color": None, "by": "Zoë"},
        "m_2": "not a map",
        "m" * 121: {"tick": 1},
        "m_\0": {"tick": 1},
    }
    notes = {
        "n_1": {"anchor": {"not": "a list"}, "body": None, "author": 5, "at": 1e30, "resolved": [None]},
        "n_2": {"anchor": ["t", True, "x\0"], "body": "ok", "at": -1, "resolved": []},
    }
    assert await put(pool, project, markers, notes, 3)
    rows = [tuple(row)[:7] for row in await pool.fetch(MARKERS, project)]
    assert rows == [("m_1", 0, None, "ab", None, "cue", None)]
    found = [tuple(row) for row in await pool.fetch(NOTES, project)]
    assert found == [
        ("n_1", ["t", 0, None], None, None, "", None, None, None),
        ("n_2", ["t", None, "x"], None, None, "ok", None, None, None),
    ]


async def test_projecting_does_not_touch_the_journal(pool: Pool, project: UUID) -> None:
    """The document's head is the journal's alone."""
    await put(pool, project, {"m_1": {"tick": 1}}, {}, 1)
    assert await Journal(pool).append([Batch(project, 1, b"x", 1, ())]) == {project: 2}
