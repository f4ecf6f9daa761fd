"""Who wrote what last, found from the newest row backward."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from persistence.lookback import LAST_CHANGES, SEQ_MAX, STRETCH_FIRST, STRETCH_GROWTH, WRITTEN_AT, last_changes
from persistence.pool import Pool
from tests.persistence.conftest import MakeProject, MakeUser
from tests.persistence.long_history import HEAD, lived_long, looked_at

LENGTH = 30_000
INSERT = """
insert into document_changes (project_id, seq, author_id, origin, edits, paths) values ($1, $2, $3, $4, 1, $5)
"""


async def wrote(pool: Pool, project: UUID, seq: int, author: UUID | None, *paths: str) -> None:
    """A row of the history; without an author it is a repair."""
    await pool.execute(INSERT, project, seq, author, "edit" if author else "repair", list(paths))
    await pool.execute(HEAD, project, seq)


@pytest.fixture(scope="module")
async def old(pool: Pool, make_project: MakeProject, make_user: MakeUser) -> tuple[UUID, UUID]:
    """A project with a long history by one person."""
    project, author = await make_project(), await make_user()
    await lived_long(pool, project, author, LENGTH)
    return project, author


async def test_the_newest_of_each_path_is_found(pool: Pool, project: UUID, make_user: MakeUser) -> None:
    """By row and author, between the rows asked for; what nobody wrote there is left out."""
    ada, ben = await make_user(), await make_user()
    await wrote(pool, project, 2, ada, "tracks/t_1/name", "tracks/t_1/gain_db")
    await wrote(pool, project, 3, ben, "tracks/t_1/name")
    await wrote(pool, project, 4, ada, "tracks/t_1/gain_db")
    wanted = [("tracks/t_1/name",), ("tracks/t_1/gain_db",), ("tracks/t_2/name",)]
    async with pool.acquire() as connection:
        everything = await last_changes(connection, project, 0, SEQ_MAX, wanted)
        until_3 = await last_changes(connection, project, 2, 3, wanted)
    assert {path: (one.seq, one.author) for path, one in everything.items()} == {
        "tracks/t_1/name": (3, ben),
        "tracks/t_1/gain_db": (4, ada),
    }
    assert {path: one.seq for path, one in until_3.items()} == {"tracks/t_1/name": 3}


async def test_repairs_count_when_they_are_asked_for(pool: Pool, project: UUID, make_user: MakeUser) -> None:
    """A person's last change is behind the server's own."""
    ada = await make_user()
    await wrote(pool, project, 2, ada, "clips/c_1/pos")
    await wrote(pool, project, 3, None, "clips/c_1/pos")
    async with pool.acquire() as connection:
        people = await last_changes(connection, project, 0, SEQ_MAX, [("clips/c_1/pos",)])
        everybody = await last_changes(connection, project, 0, SEQ_MAX, [("clips/c_1/pos",)], repairs=True)
    assert (people["clips/c_1/pos"].seq, people["clips/c_1/pos"].author) == (2, ada)
    assert (everybody["clips/c_1/pos"].seq, everybody["clips/c_1/pos"].author) == (3, None)


@pytest.mark.parametrize("many", [1, 400])
async def test_what_is_far_back_is_found(pool: Pool, old: tuple[UUID, UUID], many: int) -> None:
    """Behind several stretches, alone or among many that are near."""
    project, author = old
    wanted = [(f"clips/c_{number}/pos",) for number in range(1, many)] + [("clips/c_899/pos", "clips/far")]
    await pool.execute(INSERT, project, 5, author, "edit", ["clips/far"])
    async with pool.acquire() as connection:
        found = await last_changes(connection, project, 0, SEQ_MAX, [*wanted, ("clips/far",)])
    assert found["clips/far"].seq == 5
    assert found["clips/c_899/pos"].seq == LENGTH - LENGTH % 900 - 1
    assert len(found) == many + 1


async def test_one_of_its_paths_settles_a_thing(pool: Pool, old: tuple[UUID, UUID]) -> None:
    """Nobody looks for older changes of the others."""
    project, author = old
    await pool.execute(INSERT, project, 6, author, "edit", ["clips/c_3"])
    async with pool.acquire() as connection:
        found = await last_changes(connection, project, 0, SEQ_MAX, [("clips/c_3/pos", "clips/c_3")])
    assert found.keys() == {"clips/c_3/pos"}


async def test_long_ago_is_not_looked_at(pool: Pool, old: tuple[UUID, UUID]) -> None:
    """What was written before `since` and the stretch it lies in is not found, what is younger is."""
    project, author = old
    await pool.execute(INSERT, project, 7, author, "edit", ["clips/ago"])
    await pool.execute(INSERT, project, LENGTH - STRETCH_FIRST - 1, author, "edit", ["clips/lately"])
    span = timedelta(seconds=15)
    async with pool.acquire() as connection:
        for stretches, expected in (
            (1, set()),
            (1 + STRETCH_GROWTH, {"clips/lately"}),
            (LENGTH, {"clips/lately", "clips/ago"}),
        ):
            since = datetime.now(UTC) - span * (stretches * STRETCH_FIRST - 1000)
            found = await last_changes(
                connection, project, 0, SEQ_MAX, [("clips/lately",), ("clips/ago",)], since=since
            )
            assert found.keys() == expected


async def test_only_the_stretch_is_read(pool: Pool, old: tuple[UUID, UUID]) -> None:
    """As many rows as it is long, however long the history is."""
    project, _ = old
    async with pool.acquire() as connection:
        paths = "array['transport//bpm']"
        number = await looked_at(connection, LAST_CHANGES, f"'{project}'", "20000", "21000", paths, "false")
        assert 1_000 <= number <= 1_010
        assert await looked_at(connection, WRITTEN_AT, f"'{project}'", "20000") == 1
