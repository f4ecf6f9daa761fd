"""Brings a database to this version: numbered plain SQL files, each applied once and in one transaction.

Several processes may start at once. The advisory lock is polled, never waited for: a session blocked in
`pg_advisory_lock` holds a snapshot and would deadlock with an index built concurrently.
"""

import asyncio
import hashlib
import re
import sys
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import asyncpg
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from persistence.errors import MigrationBusy, MigrationEdited, MigrationOrder, PersistenceError
from persistence.pool import Connection
from persistence.settings import DatabaseSettings

MIGRATIONS = Path(__file__).with_name("migrations")
NAME = re.compile(r"\d{4}_[a-z0-9_]+")
LOCK = 0x4241434B4C494E45
POLL_SECONDS = 0.05

TRY_LOCK = "select pg_try_advisory_lock($1)"
CREATE_RECORD = """
create table if not exists schema_migrations (
    name        text primary key,
    sha256      bytea not null,
    applied_at  timestamptz not null default now()
);
alter table schema_migrations enable row level security;
"""
SELECT_APPLIED = "select name, sha256 from schema_migrations order by name"
INSERT_APPLIED = "insert into schema_migrations (name, sha256) values ($1, $2)"


class Migration(NamedTuple):
    """One file: its name without `.sql`, its text, and the hash of its bytes."""

    name: str
    script: str
    sha256: bytes


async def migrate(dsn: str, folder: Path = MIGRATIONS, wait_seconds: float = 60) -> list[str]:
    """Applies what is missing and returns the names applied, oldest first.

    Raises MigrationEdited, MigrationOrder, MigrationBusy; a failing file leaves no trace of itself.
    """
    files = _read(folder)
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await _lock(connection, wait_seconds)
        await connection.execute(CREATE_RECORD)
        applied = {row["name"]: row["sha256"] for row in await connection.fetch(SELECT_APPLIED)}
        return [await _apply(connection, file) for file in _missing(files, applied)]
    finally:
        await connection.close(timeout=5)  # ends the session and with it the lock


def _read(folder: Path) -> list[Migration]:
    files = []
    for path in sorted(folder.glob("*.sql")):
        if not NAME.fullmatch(path.stem):
            raise MigrationOrder(path.stem, "is not named like 0001_what_it_does.sql")
        raw = path.read_bytes()
        files.append(Migration(path.stem, raw.decode(), hashlib.sha256(raw).digest()))
    numbers = [file.name[:4] for file in files]
    for earlier, later, file in zip(numbers, numbers[1:], files[1:], strict=False):
        if earlier == later:
            raise MigrationOrder(file.name, "has the number of another file")
    return files


def _missing(files: list[Migration], applied: dict[str, bytes]) -> list[Migration]:
    names = {file.name for file in files}
    for name in applied:
        if name not in names:
            raise MigrationOrder(name, "was applied but is not part of this version")
    for file in files:
        if file.name in applied and applied[file.name] != file.sha256:
            raise MigrationEdited(file.name)
    missing = [file for file in files if file.name not in applied]
    newest = max(applied, default="")
    for file in missing:
        if file.name < newest:
            raise MigrationOrder(file.name, f"comes before {newest}, which is already applied")
    return missing


async def _lock(connection: Connection, wait_seconds: float) -> None:
    deadline = monotonic() + wait_seconds
    while not await connection.fetchval(TRY_LOCK, LOCK):
        if monotonic() >= deadline:
            raise MigrationBusy(wait_seconds)
        await asyncio.sleep(POLL_SECONDS)


async def _apply(connection: Connection, file: Migration) -> str:
    async with connection.transaction():
        await connection.execute(file.script)
        await connection.execute(INSERT_APPLIED, file.name, file.sha256)
    return file.name


class _Settings(BaseSettings):
    model_config = SettingsConfigDict(env_nested_delimiter="__", extra="ignore")

    database: DatabaseSettings


def main() -> int:
    """`python -m persistence.migrate`: reads DATABASE__URL; 0 when the database is at this version, 2 when not."""
    try:
        url = _Settings.model_validate({}).database.url
    except ValidationError as error:
        return _refuse(f"DATABASE__URL: {error.errors()[0]['msg']}")
    try:
        names = asyncio.run(migrate(url))
    except OSError as error:
        return _refuse(f"the database cannot be reached: {error or type(error).__name__}")
    except (PersistenceError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return _refuse(str(error))
    sys.stderr.writelines(f"migrate: applied {name}\n" for name in names)
    return 0


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"migrate: {sentence}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
