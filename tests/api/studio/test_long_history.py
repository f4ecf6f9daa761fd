"""The history of a project in which much has happened: no page reads more than it has to."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from api.past import SELECT_AT
from api.studio.history import LIST_CHANGES
from api.studio.moments import FIRST_AFTER, LIST_STEPS, ROWS_AT_ONCE
from persistence.lookback import WRITTEN_AT
from persistence.pool import Pool, open_pool
from tests.api.people import Meet, Musician
from tests.persistence.long_history import lived_long, looked_at

LENGTH = ROWS_AT_ONCE + 10_000


@pytest.fixture(scope="module")
async def pool(database: str) -> Any:
    opened = await open_pool(database, 1, 4)
    yield opened
    await opened.close()


@pytest.fixture
async def old(meet: Meet, pool: Pool) -> tuple[Musician, str, UUID]:
    """An owner, the path of her project with its long history, and its id."""
    ada = await meet("Ada")
    project = await ada.project()
    number = UUID(project.rsplit("/", 1)[1])
    await lived_long(pool, number, UUID(ada.id), LENGTH)
    return ada, project, number


async def test_a_page_reads_what_it_shows(old: tuple[Musician, str, UUID], pool: Pool) -> None:
    """Also in the middle of the history, and a row is found by its number."""
    project = f"'{old[2]}'"
    async with pool.acquire() as connection:
        middle = await connection.fetchval(
            "select id from document_changes where seq = $1 and project_id = $2", 30_000, old[2]
        )
        assert await looked_at(connection, LIST_CHANGES, project, str(middle), "51") <= 51 * 3
        assert await looked_at(connection, SELECT_AT, project, "30000") == 1
        steps = (project, str(middle), "null", "null", "null", "500", str(ROWS_AT_ONCE))
        assert await looked_at(connection, LIST_STEPS, *steps) == 500
        assert await looked_at(connection, FIRST_AFTER, project, "now() - interval '3 days'") < 100


async def test_a_strangers_moments_are_looked_for_a_part_at_a_time(
    old: tuple[Musician, str, UUID], pool: Pool, meet: Meet
) -> None:
    """Nothing is found, the first page says that it goes on, the next that it does not."""
    ada, project, number = old
    eve = await meet("Eve")
    async with pool.acquire() as connection:
        steps = (f"'{number}'", "null", f"'{eve.id}'", "null", "null", "500", str(ROWS_AT_ONCE))
        assert await looked_at(connection, LIST_STEPS, *steps) <= ROWS_AT_ONCE
    first = (await ada.get(f"{project}/moments", params={"person": eve.id})).json()
    assert first["items"] == []
    last = (await ada.get(f"{project}/moments", params={"person": eve.id, "cursor": first["next_cursor"]})).json()
    assert last == {"items": [], "next_cursor": None}


async def test_a_time_long_ago_is_found_at_once(old: tuple[Musician, str, UUID], pool: Pool) -> None:
    """The first page begins right before `to`, and nothing lies before the first row or since tomorrow."""
    ada, project, number = old
    at: datetime = await pool.fetchval(WRITTEN_AT, number, 100)
    page = (await ada.get(f"{project}/moments", params={"to": at.isoformat()})).json()
    assert page["items"][0]["seq"] == 99
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    for nothing in ({"to": "1999-01-01T00:00:00Z"}, {"from": tomorrow.isoformat()}):
        assert (await ada.get(f"{project}/moments", params=nothing)).json() == {"items": [], "next_cursor": None}
