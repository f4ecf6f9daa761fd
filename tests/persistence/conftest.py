"""A pool on the module's own database, and projects to write in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias
from uuid import UUID, uuid4

import pytest

from persistence.journal import Journal
from persistence.pool import Pool, open_pool
from studio.blank import blank

MakeUser: TypeAlias = Callable[[], Awaitable[UUID]]
MakeProject: TypeAlias = Callable[[], Awaitable[UUID]]

INSERT_USER = "insert into users default values returning id"
INSERT_PROJECT = "insert into projects (id, owner_id, name) values ($1, $2, 'Song')"


@pytest.fixture(scope="module")
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, 1, 12)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def make_user(pool: Pool) -> MakeUser:
    async def make() -> UUID:
        user: UUID = await pool.fetchval(INSERT_USER)
        return user

    return make


@pytest.fixture(scope="module")
def make_project(pool: Pool, make_user: MakeUser) -> MakeProject:
    """Each call: a new project whose journal holds the seed as row 1."""

    async def make() -> UUID:
        owner, project = await make_user(), uuid4()
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(INSERT_PROJECT, project, owner)
            await Journal.create(connection, project, blank(str(project), "Song", str(owner), 0, 1), owner)
        return project

    return make


@pytest.fixture
async def project(make_project: MakeProject) -> UUID:
    return await make_project()


@pytest.fixture
async def user(make_user: MakeUser) -> UUID:
    return await make_user()
