"""Snapshots keep their content, get distinct names and leave when retention says so."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from persistence.errors import CorruptState
from persistence.pool import Pool
from persistence.settings import RetentionSettings
from persistence.snapshots import Cursor, Snapshots
from tests.persistence.conftest import MakeProject

AGE = "update studio_snapshots set created_at = now() - $2::interval where id = $1"
DAMAGE = "update studio_snapshots set state = state || '\\x00' where id = $1"


@pytest.fixture(scope="module")
def snapshots(pool: Pool) -> Snapshots:
    return Snapshots(pool)


async def save(
    snapshots: Snapshots,
    project: UUID,
    name: str = "Take",
    kind: str = "automatic",
    *,
    state: bytes = b"state",
    canonical: dict[str, Any] | None = None,
) -> UUID:
    reason = {"automatic": "interval", "named": "named", "draft": "lineage"}[kind]
    return await snapshots.save(
        project,
        kind=kind,
        reason=reason,
        name=name,
        author=None,
        parent=None,
        epoch=1,
        seq=1,
        state=state,
        canonical=canonical,
    )


async def test_the_content_comes_back(snapshots: Snapshots, project: UUID) -> None:
    """State and canonical form are what was saved, whatever characters a text holds."""
    canonical = {
        "notes": {"n_1": {"body": "zero \0 and \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")}}
    }
    saved = await save(snapshots, project, "Änderung 😀", "named", state=b"\0\1", canonical=canonical)
    found = await snapshots.get(project, saved)
    assert found is not None
    assert (found.name, found.state, found.canonical) == ("Änderung 😀", b"\0\1", canonical)
    assert await snapshots.get(uuid4(), saved) is None


async def test_N6_two_snapshots_of_one_name_at_once(snapshots: Snapshots, project: UUID) -> None:
    """Six people naming "Version 3" at the same moment end with six snapshots of six names."""
    ids = await asyncio.gather(*(save(snapshots, project, "Version 3", "named") for _ in range(6)))
    names = [(await snapshots.get(project, saved)).name for saved in ids]  # type: ignore[union-attr]
    assert len(set(ids)) == 6
    assert sorted(names) == ["Version 3", *(f"Version 3 ({number})" for number in range(2, 7))]


async def test_automatic_ones_may_share_a_name_and_long_names_fit(snapshots: Snapshots, project: UUID) -> None:
    """Only named snapshots are kept apart by name; a long one is cut so that its number fits."""
    await save(snapshots, project)
    await save(snapshots, project)
    await save(snapshots, project, "x" * 120, "named")
    second = await snapshots.get(project, await save(snapshots, project, "x" * 200, "named"))
    assert second is not None
    assert second.name == "x" * 116 + " (2)"


async def test_the_number_behind_a_long_name_of_emoji_fits_too(snapshots: Snapshots, project: UUID) -> None:
    """A name has at most 120 UTF-16 units, with its number: what is stored can be given again."""
    await save(snapshots, project, "😀" * 60, "named")
    second = await snapshots.get(project, await save(snapshots, project, "😀" * 60, "named"))
    assert second is not None
    assert second.name == "😀" * 58 + " (2)"


async def test_pages_walk_the_whole_list_once(snapshots: Snapshots, project: UUID) -> None:
    """Newest first, each exactly once, drafts not among them."""
    saved = [await save(snapshots, project) for _ in range(5)]
    draft = await save(snapshots, project, kind="draft")
    found, after = [], None
    while page := await snapshots.list(project, after, limit=2):
        found += [entry.id for entry in page]
        after = Cursor(page[-1].created_at, page[-1].id)
    assert found == saved[::-1]
    assert [entry.id for entry in await snapshots.list(project, kinds=("draft",))] == [draft]


async def test_a_damaged_snapshot_is_not_handed_out(snapshots: Snapshots, pool: Pool, project: UUID) -> None:
    """A state that no longer matches its hash raises and stays where it is."""
    saved = await save(snapshots, project)
    await pool.execute(DAMAGE, saved)
    with pytest.raises(CorruptState):
        await snapshots.get(project, saved)
    assert [entry.id for entry in await snapshots.list(project)] == [saved]


async def test_delete_tells_whether_there_was_one(snapshots: Snapshots, project: UUID) -> None:
    """Only the project's own snapshot is deleted, and once."""
    saved = await save(snapshots, project)
    assert not await snapshots.delete(uuid4(), saved)
    assert await snapshots.delete(project, saved)
    assert not await snapshots.delete(project, saved)


async def test_retention_keeps_the_newest_the_young_and_the_named(
    snapshots: Snapshots, pool: Pool, make_project: MakeProject
) -> None:
    """An automatic one goes only when it is both old and not among the newest of its project; a draft when old."""
    first, second = await make_project(), await make_project()
    settings = RetentionSettings(automatic_newest=2)
    old = timedelta(days=31)

    async def aged(project: UUID, kind: str, days: float) -> UUID:
        saved = await save(snapshots, project, f"{kind} {days}", kind)
        await pool.execute(AGE, saved, timedelta(days=days))
        return saved

    gone = [await aged(first, "automatic", 40), await aged(first, "draft", 31)]
    kept = [await aged(first, "automatic", days) for days in (32, 29, 28)][1:]
    gone.append((await snapshots.list(first))[2].id)
    kept += [await aged(first, "named", 400), await aged(first, "draft", 29)]
    kept += [await aged(second, "automatic", 90), await aged(second, "automatic", 80)]
    assert settings.automatic_age < old
    assert await snapshots.prune(settings) == 3
    for project in (first, second):
        left = {entry.id for entry in await snapshots.list(project, kinds=("named", "automatic", "draft"))}
        assert left.isdisjoint(gone)
        kept = [saved for saved in kept if saved not in left]
    assert kept == []


def test_the_defaults_are_fifty_and_thirty_days() -> None:
    """What the project promises its users about automatic snapshots and drafts."""
    settings = RetentionSettings()
    assert (settings.automatic_newest, settings.automatic_age.days, settings.draft_age.days) == (50, 30, 30)
