"""Every moment of a document can be rebuilt, whatever was compacted and deleted since, until retention lets it go."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pycrdt import Doc, Map

from persistence.editing import edit, read
from persistence.errors import CorruptState, MomentGone, NotFound
from persistence.history import past, prune_history, rebuilt, unpacked
from persistence.journal import Journal
from persistence.pool import Pool
from persistence.snapshots import Snapshots
from studio.canonical import canonical

PACKS = "select first, last from document_history where project_id = $1 order by last"
STATES = "select seq from document_checkpoints where project_id = $1 order by seq"
AGE_PACKS = "update document_history set ended_at = ended_at - $2::interval where project_id = $1"
AGE_STATES = "update document_checkpoints set made_at = made_at - $2::interval where project_id = $1 and seq < $3"
AGE_STATE = "update document_states set created_at = created_at - $2::interval where project_id = $1"
YEAR = timedelta(days=365)
LONG = "x" * 3000


async def marked(pool: Pool, project: UUID, *markers: int, label: str = "") -> None:
    """One row for each marker, of which the one before the last is removed for good."""

    def change(doc: "Doc[Any]", number: int) -> None:
        held: Map[Any] = doc.get("markers", type=Map)
        held[f"m_{number}"] = Map({"tick": float(number), "label": label})
        held.pop(f"m_{number - 2}", None)

    for number in markers:
        await edit(pool, project, None, "edit", lambda doc, number=number: change(doc, number))  # type: ignore[misc]


async def compacted(pool: Pool, project: UUID) -> int:
    """All rows so far become the state; which row it shows."""
    doc, seq, epoch = await read(pool, project)
    await Journal(pool).compact(project, epoch, seq, doc.get_update())
    return seq


async def at(pool: Pool, project: UUID, seq: int) -> dict[str, Any]:
    return canonical(await rebuilt(pool, project, seq))


async def numbers(pool: Pool, sql: str, project: UUID) -> list[tuple[int, ...]]:
    return [tuple(row) for row in await pool.fetch(sql, project)]


async def test_every_moment_is_what_it_was(pool: Pool, project: UUID) -> None:
    """Row by row, over several compactions, with what was removed since: exactly what a load showed then."""
    then = {1: canonical((await read(pool, project))[0])}
    for number in range(2, 14):
        await marked(pool, project, number)
        then[number] = canonical((await read(pool, project))[0])
        if number in {4, 5, 9}:
            assert await compacted(pool, project) == number
    assert await numbers(pool, PACKS, project) == [(1, 4), (5, 5), (6, 9)]
    for seq, content in then.items():
        assert await at(pool, project, seq) == content
    assert sorted(then[7]["markers"]) == ["m_6", "m_7"]


@pytest.mark.parametrize("seq", [-1, 0, 4])
async def test_what_never_was_is_no_moment(pool: Pool, project: UUID, seq: int) -> None:
    """Before the first row, after the last, and of no project."""
    await marked(pool, project, 2, 3)
    with pytest.raises(MomentGone) as gone:
        await rebuilt(pool, project, seq)
    assert gone.value.since == 1
    with pytest.raises(NotFound):
        await rebuilt(pool, uuid4(), 1)


async def test_it_starts_from_the_nearest_older_state(pool: Pool, project: UUID) -> None:
    """A replaced state is kept once the rows behind the last one weigh as much; snapshots of the journal serve too."""
    for first in range(2, 62, 20):
        await marked(pool, project, *range(first, first + 20), label=LONG)
        await compacted(pool, project)
    assert await numbers(pool, STATES, project) == [(41,)]  # at row 21 there were 60 KB, at row 41 twice that
    await marked(pool, project, 62, 63)
    bases = {seq: (await past(pool, project, seq)).base for seq in (20, 40, 41, 60, 61, 63)}
    assert bases == {20: 0, 40: 0, 41: 41, 60: 41, 61: 61, 63: 61}
    doc = await rebuilt(pool, project, 30)
    names = {"name": "V1", "author": None, "parent": None, "epoch": 1, "state": doc.get_update(), "canonical": None}
    await Snapshots(pool).save(project, kind="automatic", reason="interval", seq=30, **names)  # type: ignore[arg-type]
    assert (await past(pool, project, 35)).base == 0  # a live room's may be a moment ahead
    await Snapshots(pool).save(project, kind="named", reason="named", seq=30, **names)  # type: ignore[arg-type]
    assert (await past(pool, project, 35)).base == 30
    assert sorted((await at(pool, project, 35))["markers"]) == ["m_34", "m_35"]


async def test_a_document_from_before_there_was_a_history(pool: Pool, project: UUID) -> None:
    """What compaction deleted then is gone; from its state on every moment is there, and the error says from where."""
    await marked(pool, project, 2, 3, 4)
    await compacted(pool, project)
    await pool.execute("delete from document_history where project_id = $1", project)
    await marked(pool, project, 5, 6)
    await compacted(pool, project)
    assert [sorted((await at(pool, project, seq))["markers"]) for seq in (4, 5)] == [["m_3", "m_4"], ["m_4", "m_5"]]
    with pytest.raises(MomentGone) as gone:
        await rebuilt(pool, project, 3)
    assert gone.value.since == 4


async def test_compactions_beside_each_other_lose_no_row(pool: Pool, project: UUID) -> None:
    """Two processes compact while a third appends: the packs and the journal hold every row once."""
    done = asyncio.Event()

    async def writer() -> None:
        await marked(pool, project, *range(2, 60))
        done.set()

    async def compactor() -> None:
        while not done.is_set():
            await compacted(pool, project)

    await asyncio.gather(writer(), compactor(), compactor())
    packs = await numbers(pool, PACKS, project)
    assert [first for first, _ in packs] == [1, *(last + 1 for _, last in packs[:-1])]
    for seq in range(3, 60):
        assert sorted((await at(pool, project, seq))["markers"]) == sorted({f"m_{seq}", f"m_{max(2, seq - 1)}"})


async def test_retention_takes_what_only_old_moments_need(pool: Pool, project: UUID) -> None:
    """Rows and states below the newest state that is old enough go; every moment after it can still be rebuilt."""
    for first in range(2, 102, 20):
        await marked(pool, project, *range(first, first + 20), label=LONG)
        await compacted(pool, project)
    assert await numbers(pool, STATES, project) == [(41,), (81,)]
    await pool.execute(AGE_PACKS, project, YEAR)
    await pool.execute(AGE_STATES, project, YEAR, 81)
    assert await prune_history(pool, timedelta(days=90)) == 2
    assert await numbers(pool, PACKS, project) == [(42, 61), (62, 81), (82, 101)]
    assert sorted((await at(pool, project, 50))["markers"]) == ["m_49", "m_50"]
    with pytest.raises(MomentGone) as gone:
        await rebuilt(pool, project, 40)
    assert gone.value.since == 41
    await pool.execute(AGE_STATES, project, YEAR, 999)
    await pool.execute(AGE_STATE, project, YEAR)
    assert await prune_history(pool, timedelta(days=90)) == 5  # nobody has been here for a year
    await marked(pool, project, 102)
    await compacted(pool, project)
    assert [sorted((await at(pool, project, seq))["markers"]) for seq in (101, 102)] == [
        ["m_100", "m_101"],
        ["m_101", "m_102"],
    ]


async def test_damage_is_told_and_nothing_is_made_up(pool: Pool, project: UUID) -> None:
    """A pack that is cut, and a state that is not what was stored."""
    await marked(pool, project, *range(2, 32), label=LONG)
    await compacted(pool, project)
    await marked(pool, project, 32)
    await compacted(pool, project)
    await pool.execute("update document_checkpoints set state = state || '\\x00' where project_id = $1", project)
    with pytest.raises(CorruptState, match="sha256 of its state at row 31"):
        await rebuilt(pool, project, 31)
    await pool.execute("update document_history set rows = substr(rows, 1, 90) where project_id = $1", project)
    with pytest.raises(CorruptState, match="rows 1 to 31"):
        await rebuilt(pool, project, 30)


def test_a_pack_is_lengths_and_bodies() -> None:
    """As PostgreSQL builds it; an empty body is one, a cut one is none."""
    assert list(unpacked(b"\0\0\0\2ab\0\0\0\0\0\0\0\1c")) == [b"ab", b"", b"c"]
    assert list(unpacked(b"\0\0\0\2ab\0\0\0\2c")) == [b"ab"]
    assert list(unpacked(b"\0\0\0")) == []
