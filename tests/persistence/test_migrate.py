"""Migrations run once, whoever starts at the same time, and an edited file is refused."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from launch.postgres import EmbeddedPostgres
from persistence.errors import MigrationBusy, MigrationEdited, MigrationOrder
from persistence.migrate import LOCK, MIGRATIONS, TRY_LOCK, migrate

SHIPPED = sorted(path.stem for path in MIGRATIONS.glob("*.sql"))
UNPROTECTED = """
select relname from pg_class
 where relkind = 'r' and relnamespace = 'public'::regnamespace and not relrowsecurity
"""
UNINDEXED_REFERENCES = """
select conrelid::regclass::text || '.' || a.attname
  from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
 where c.contype = 'f' and c.connamespace = 'public'::regnamespace
   and not exists (select from pg_index i where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1])
"""


@pytest.fixture
async def empty(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """The dsn of a database in which nothing was done yet."""
    name = f"empty_{uuid4().hex}"
    connection = await asyncpg.connect(postgres_server.dsn)
    await connection.execute(f'create database "{name}" template template0')
    yield postgres_server.dsn_of(name)
    await connection.execute(f'drop database "{name}" with (force)')
    await connection.close()


def write(folder: Path, name: str, script: str) -> None:
    (folder / f"{name}.sql").write_text(script)


async def test_four_processes_at_once_apply_each_file_once(empty: str) -> None:
    """All four succeed, and between them every file was applied exactly once."""
    environment = {**os.environ, "DATABASE__URL": empty}
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "persistence.migrate", env=environment, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(4)
    ]
    said = [(await process.communicate())[1].decode() for process in started]
    assert [process.returncode for process in started] == [0] * 4, said
    assert sorted(line for text in said for line in text.splitlines()) == [f"migrate: applied {n}" for n in SHIPPED]


async def test_a_second_run_applies_nothing(empty: str) -> None:
    """The first run names every shipped file, the next none."""
    assert await migrate(empty) == SHIPPED
    assert await migrate(empty) == []


async def test_an_edited_applied_file_is_refused(empty: str, tmp_path: Path) -> None:
    """One changed byte in an applied file stops the next run, before it applies anything new."""
    write(tmp_path, "0001_one", "create table one (id int);")
    await migrate(empty, tmp_path)
    write(tmp_path, "0001_one", "create table one (id  int);")
    write(tmp_path, "0002_two", "create table two (id int);")
    with pytest.raises(MigrationEdited, match="0001_one"):
        await migrate(empty, tmp_path)


async def test_a_failing_file_leaves_nothing_and_can_be_mended(empty: str, tmp_path: Path) -> None:
    """Half of a failing file is rolled back; mended, it is applied by the next run."""
    write(tmp_path, "0001_one", "create table one (id int); select 1 / 0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty, tmp_path)
    write(tmp_path, "0001_one", "create table one (id int);")
    assert await migrate(empty, tmp_path) == ["0001_one"]


@pytest.mark.parametrize("late", ["0001_early", "0002_two_again", "nonumber"])
async def test_files_out_of_order_are_refused(empty: str, tmp_path: Path, late: str) -> None:
    """A file that sorts before an applied one, shares its number or has none is refused."""
    write(tmp_path, "0002_two", "create table two (id int);")
    await migrate(empty, tmp_path)
    write(tmp_path, late, "create table late (id int);")
    with pytest.raises(MigrationOrder):
        await migrate(empty, tmp_path)


async def test_a_missing_applied_file_is_refused(empty: str, tmp_path: Path) -> None:
    """A database of a newer version is not touched by an older one."""
    write(tmp_path, "0001_one", "create table one (id int);")
    await migrate(empty, tmp_path)
    (tmp_path / "0001_one.sql").unlink()
    with pytest.raises(MigrationOrder, match="0001_one"):
        await migrate(empty, tmp_path)


async def test_a_lock_held_for_ever_ends_in_an_error(empty: str) -> None:
    """Whoever waits gives up after the time it was given."""
    holder = await asyncpg.connect(empty)
    assert await holder.fetchval(TRY_LOCK, LOCK)
    with pytest.raises(MigrationBusy):
        await migrate(empty, wait_seconds=0.1)
    await holder.close()


@pytest.mark.parametrize("url", ["", "mysql://x", "postgresql:///x?host=/nowhere/at/all"])
async def test_a_bad_address_is_one_sentence_and_exit_2(url: str) -> None:
    """A missing, foreign or unreachable database is told in one line on stderr."""
    environment = {**os.environ, "DATABASE__URL": url}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "persistence.migrate", env=environment, stderr=asyncio.subprocess.PIPE
    )
    said = (await process.communicate())[1].decode()
    assert process.returncode == 2
    assert said.startswith("migrate: ")
    assert said.count("\n") == 1


async def test_every_table_has_row_level_security_and_every_reference_an_index(database: str) -> None:
    """On a shared database nobody but the owner reads a row, and no cascade scans a table."""
    connection = await asyncpg.connect(database)
    assert await connection.fetch(UNPROTECTED) == []
    assert [row[0] for row in await connection.fetch(UNINDEXED_REFERENCES)] == []
    await connection.close()
