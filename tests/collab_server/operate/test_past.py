"""`replay`: every moment that is still kept, and a clear word about those that are not."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pycrdt import Doc, Map

from collab_server.operate.errors import NotKept, OperatorError
from collab_server.operate.past import rebuilt
from collab_server.operate.store import Store
from studio.canonical import canonical
from tests.collab_server.operate.conftest import Operate
from tests.collab_server.operate.songs import compact, mark, snapshot
from tests.collab_server.world import User, World

AT = "select created_at from document_changes where project_id = $1 and seq = $2"


@pytest.fixture
async def past(world: World, ada: User) -> UUID:
    """Rows 1 to 6 in the history and in the state of row 6, row 4 as a snapshot, rows 7 to 9 in the journal."""
    project = await world.project(ada)
    for row in range(2, 10):
        await mark(world, project, ada, f"m_{row}")
        if row == 4:
            await snapshot(world, project)
        if row == 6:
            await compact(world, project)
    return project


@pytest.fixture
async def pruned(world: World, past: UUID) -> UUID:
    """The same without its history: rows 1 to 3 and 5 are gone."""
    await world.pool.execute("delete from document_history where project_id = $1", past)
    return past


def markers(doc: "Doc[Any]") -> list[str]:
    """The ids of the markers of a document."""
    return list(canonical(doc)["markers"])


async def test_every_row_since_the_state_is_rebuilt_exactly(store: Store, past: UUID) -> None:
    """The state itself, and each row after it: with the markers up to that row."""
    for row in (6, 7, 8, 9):
        found = await rebuilt(store, past, row)
        assert found.seq == row
        assert markers(found.doc) == [f"m_{number}" for number in range(2, row + 1)]


async def test_a_row_below_the_state_comes_from_the_history(store: Store, past: UUID) -> None:
    """Exactly, whether a state stands nearer or not."""
    for row, source in (
        (3, "the rows 1 to 3"),
        (4, "the state of row 4"),
        (5, "the state of row 4 and the rows up to 5"),
    ):
        found = await rebuilt(store, past, row)
        assert markers(found.doc) == [f"m_{number}" for number in range(2, row + 1)]
        assert found.source == source


async def test_a_row_below_the_history_comes_from_its_snapshot(store: Store, pruned: UUID, world: World) -> None:
    """The row that a snapshot shows is there; its source names the snapshot."""
    await world.pool.execute("update studio_snapshots set reason = 'interval' where project_id = $1", pruned)
    found = await rebuilt(store, pruned, 4)
    assert markers(found.doc) == ["m_2", "m_3", "m_4"]
    assert "'V1'" in found.source


async def test_a_row_nobody_kept_is_refused_with_what_is_left(store: Store, pruned: UUID) -> None:
    """Before and after it stand the nearest moments; --nearest takes the one before, never a later one."""
    with pytest.raises(NotKept) as refused:
        await rebuilt(store, pruned, 5)
    assert "the snapshot of row 4 (--nearest takes it)" in str(refused.value)
    assert "after it row 6" in str(refused.value)
    assert (await rebuilt(store, pruned, 5, nearest=True)).seq == 4
    with pytest.raises(NotKept) as refused:
        await rebuilt(store, pruned, 2, nearest=True)
    assert "before it nothing is kept, after it row 4" in str(refused.value)


async def test_a_time_is_the_last_row_written_by_then(store: Store, world: World, past: UUID) -> None:
    """The very moment of a row includes it; a moment earlier does not."""
    at = await world.pool.fetchval(AT, past, 8)
    assert (await rebuilt(store, past, at)).seq == 8
    assert (await rebuilt(store, past, at - timedelta(microseconds=1))).seq == 7
    first = await world.pool.fetchval(AT, past, 1)
    with pytest.raises(OperatorError, match="did not exist yet"):
        await rebuilt(store, past, first - timedelta(seconds=1))


@pytest.mark.parametrize("row", [0, 10])
async def test_rows_that_never_were_are_refused(store: Store, past: UUID, row: int) -> None:
    """Below the first and beyond the head."""
    with pytest.raises(OperatorError, match="has the rows 1 to 9"):
        await rebuilt(store, past, row)


async def test_it_writes_json_or_an_update(operate: Operate, past: UUID, tmp_path: Path) -> None:
    """Canonical JSON on standard output, a raw update in a new file; an existing file is left alone."""
    said = await operate("replay", past, "--at", 7)
    assert said.status == 0
    assert list(said.json["markers"]) == [f"m_{row}" for row in range(2, 8)]
    assert "the state of row 6 and the rows up to 7" in said.err
    file = tmp_path / "song.update"
    said = await operate("replay", past, "--at", 7, "--format", "update", "-o", file)
    assert said.status == 0
    doc: Doc[Any] = Doc()
    doc.apply_update(file.read_bytes())
    assert len(doc.get("markers", type=Map)) == 6
    again = await operate("replay", past, "--at", 8, "-o", file)
    assert again == (2, b"", f"backline collab server: {file} exists already\n")
    late = await operate("replay", past, "--at", "2001-01-01T00:00:00Z")
    assert late.status == 2
    assert late.err.count("\n") == 1
