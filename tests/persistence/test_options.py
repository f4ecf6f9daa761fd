"""A project's options, also beside servers that know only the voice room's."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from launch.postgres import EmbeddedPostgres
from persistence.migrate import MIGRATIONS, migrate
from persistence.options import cast
from persistence.pool import Pool
from studio.roles import Options, Role

INSERT_MEMBER = "insert into project_members (project_id, user_id, role) values ($1, $2, $3)"
DECIDE = "update projects set commenters_transport = true, editors_restore = false where id = $1"
SET_LISTEN = "update projects set viewers_listen = $2 where id = $1"
# What servers before the options say, word for word.
OLD_OPEN = """
insert into voice_rooms (project_id, provider, opened_at) values ($1, 'livekit', now())
on conflict (project_id) do update set provider = excluded.provider, opened_at = excluded.opened_at
"""
OLD_ALLOW = """
insert into voice_rooms (project_id, viewers_listen) values ($1, $2)
on conflict (project_id) do update set viewers_listen = excluded.viewers_listen
"""
OLD_ROOM = "select viewers_listen from voice_rooms where project_id = $1"
INSERT_SESSION = """
insert into voice_sessions (provider, session_id, project_id, user_id, joined_at) values ('livekit', $3, $1, $2, now())
"""
ORDERS = "select kind, user_id from voice_orders where project_id = $1"


async def listen(pool: Pool, project: UUID) -> tuple[bool, bool | None]:
    """Whether viewers may listen, as servers of now and those before read it."""
    new = await pool.fetchval("select viewers_listen from projects where id = $1", project)
    return new, await pool.fetchval(OLD_ROOM, project)


async def test_everybody_is_read_with_the_options(pool: Pool, project: UUID, user: UUID) -> None:
    """One reading says who is what and what that means here; where nobody is, it is the ordinary."""
    assert await cast(pool, project) == ({}, Options())
    await pool.execute(INSERT_MEMBER, project, user, "commenter")
    await pool.execute(
        "update projects set commenters_transport = true, editors_restore = false where id = $1", project
    )
    expected = Options(editors_restore=False, commenters_transport=True)
    assert await cast(pool, project) == ({user: Role.COMMENTER}, expected)
    assert await cast(pool, uuid4()) == ({}, Options())


async def test_older_and_newer_servers_agree_on_who_listens(pool: Pool, project: UUID) -> None:
    """Whichever of them the owner asks, the other knows; a room that is merely opened decides nothing."""
    await pool.execute(SET_LISTEN, project, False)
    assert await listen(pool, project) == (False, False)
    await pool.execute(OLD_OPEN, project)
    assert await listen(pool, project) == (False, False)
    for allowed in (True, False, False, True):
        await pool.execute(OLD_ALLOW, project, allowed)
        assert await listen(pool, project) == (allowed, allowed)
    await pool.execute(SET_LISTEN, project, False)
    assert await listen(pool, project) == (False, False)


async def test_an_older_servers_first_word_about_a_room_is_heard(pool: Pool, project: UUID) -> None:
    """A room whose row is made closed to viewers closes the project to them."""
    await pool.execute(OLD_ALLOW, project, False)
    assert await listen(pool, project) == (False, False)


async def test_only_viewers_who_are_in_voice_are_sent_out(pool: Pool, project: UUID) -> None:
    """One order for each of them when listening ends, none for others, and none when it is allowed."""
    people: dict[str, UUID] = {}
    for role in ("editor", "commenter", "viewer", "viewer"):
        name = f"{role}{len(people)}"
        people[name] = await pool.fetchval("insert into users default values returning id")
        await pool.execute(INSERT_MEMBER, project, people[name], role)
    for name in ("editor0", "commenter1", "viewer2"):
        await pool.execute(INSERT_SESSION, project, people[name], f"{project} {name}")
    await pool.execute(SET_LISTEN, project, False)
    assert [tuple(row) for row in await pool.fetch(ORDERS, project)] == [("remove", people["viewer2"])]
    await pool.execute(SET_LISTEN, project, False)
    await pool.execute(SET_LISTEN, project, True)
    assert len(await pool.fetch(ORDERS, project)) == 1


@pytest.fixture
async def older(postgres_server: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[str]:
    """The dsn of a database as it was before there were options."""
    for file in MIGRATIONS.glob("*.sql"):
        if file.stem < "0009":
            shutil.copy(file, tmp_path / file.name)
    name = f"older_{uuid4().hex}"
    connection = await asyncpg.connect(postgres_server.dsn)
    await connection.execute(f'create database "{name}" template template0')
    await migrate(postgres_server.dsn_of(name), tmp_path)
    yield postgres_server.dsn_of(name)
    await connection.execute(f'drop database "{name}" with (force)')
    await connection.close()


async def test_what_was_decided_before_stays_decided(older: str) -> None:
    """A project that had closed its voice room to viewers has it closed afterwards; all others are as made."""
    connection = await asyncpg.connect(older)
    user = await connection.fetchval("insert into users default values returning id")
    ids = [uuid4() for _ in range(3)]
    for project in ids:
        await connection.execute("insert into projects (id, owner_id, name) values ($1, $2, 'Song')", project, user)
    await connection.execute(OLD_ALLOW, ids[0], False)
    await connection.execute(OLD_ALLOW, ids[1], True)
    assert "0009_options" in await migrate(older)
    rows = await connection.fetch("select id from projects where not viewers_listen")
    assert [row["id"] for row in rows] == [ids[0]]
    await connection.close()
