"""A project with a long history, and how much of it a statement looks at."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import UUID

from persistence.pool import Connection, Pool

ROWS = """
insert into document_changes (project_id, seq, author_id, origin, edits, paths, created_at)
select $1, n, $2, 'edit', 1, array['clips/c_' || (n % 900) || '/pos', 'transport//bpm'],
       now() - ($3 - n) * interval '15 seconds'
  from generate_series(2, $3::bigint) as n
"""
HEAD = "update documents set head = $2 where project_id = $1"
NAMES = count()


async def lived_long(pool: Pool, project: UUID, author: UUID, rows: int) -> None:
    """As if one person had written every 15 seconds until now: rows 2 to `rows`."""
    await pool.execute(ROWS, project, author, rows)
    await pool.execute(HEAD, project, rows)
    await pool.execute("analyze document_changes")


async def looked_at(connection: Connection, statement: str, *arguments: str) -> int:
    """How many rows of tables it reads, planned as the apps plan it; the arguments are SQL."""
    name = f"measured_{next(NAMES)}"
    await connection.execute(f"prepare {name} as {statement}")
    explained = await connection.fetchval(f"explain (analyze, format json) execute {name} ({', '.join(arguments)})")
    plan = json.loads(explained) if isinstance(explained, str) else explained
    return sum(_read(node) for node in _nodes(plan[0]["Plan"]) if "Relation Name" in node)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)


def _read(node: dict[str, Any]) -> int:
    return int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
