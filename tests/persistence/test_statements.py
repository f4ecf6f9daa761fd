"""Every SQL constant of the floor is valid against the migrated database."""

import importlib
import pkgutil
import re

import pytest

import persistence
from persistence.pool import Pool

SKIPPED = {"CREATE_RECORD"}  # a script, run by the migration tests
STATEMENT = re.compile(r"\s*(select|insert|update|delete|with)\b")


def statements() -> list[tuple[str, str]]:
    found = {}
    for module in pkgutil.iter_modules(persistence.__path__):
        loaded = importlib.import_module(f"persistence.{module.name}")
        for name, value in vars(loaded).items():
            if name.isupper() and isinstance(value, str) and STATEMENT.match(value) and name not in SKIPPED:
                found[f"{loaded.__name__}.{name}"] = value
    return sorted(found.items())


@pytest.mark.parametrize(("name", "sql"), statements())
async def test_it_prepares(pool: Pool, name: str, sql: str) -> None:
    """PostgreSQL parses it and knows every table, column and type it names."""
    async with pool.acquire() as connection:
        await connection.prepare(sql)


def test_the_search_finds_the_statements() -> None:
    """The list is not empty by a mistake of the search."""
    names = {name for name, _ in statements()}
    assert {"persistence.journal_sql.APPEND", "persistence.sessions.JOIN", "persistence.snapshots.LIST"} <= names
