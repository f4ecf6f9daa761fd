"""Every SQL constant of the app against the migrated database."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import asyncpg
import pytest

import api

VERB = re.compile(r"\s*(select|insert|update|delete|with)\b", re.IGNORECASE)


def statements() -> Iterator[tuple[str, str]]:
    """Name and text of each upper-case constant that is SQL."""
    for module in pkgutil.walk_packages(api.__path__, "api."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if name.isupper() and isinstance(value, str) and VERB.match(value):
                yield f"{module.name}.{name}", value


STATEMENTS = dict(statements())


def test_the_statements_were_found() -> None:
    """The search below looks at something."""
    assert len(STATEMENTS) >= 20


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_statement_can_be_prepared(database: str, name: str) -> None:
    """PostgreSQL knows every table, column and type it names."""
    connection = await asyncpg.connect(database)
    try:
        prepared = await connection.prepare(STATEMENTS[name])
        assert prepared.get_parameters() is not None
    finally:
        await connection.close()
