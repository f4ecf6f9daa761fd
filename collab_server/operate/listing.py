"""`rooms` and `connections`: what running nodes have open."""

from collections.abc import Sequence
from typing import Any, Final

from collab_server.operate import say
from collab_server.operate.node import Node

ROOM_FIELDS: Final = (
    "project",
    "members",
    "edits",
    "epoch",
    "head",
    "unsaved_bytes",
    "document_bytes",
    "rows_since_compaction",
    "nodes",
)
CONNECTION_FIELDS: Final = (
    "connection",
    "project",
    "user",
    "name",
    "role",
    "edits",
    "buffered_bytes",
    "lagging",
    "dialect",
)


async def rooms(nodes: Sequence[Node], *, as_json: bool) -> int:
    """Print the open rooms of these nodes, those with most members first."""
    found = [(node, item) for node in nodes for item in await node.rooms()]
    found.sort(key=lambda pair: (-pair[1]["members"], pair[1]["project"]))
    return _show(found, ROOM_FIELDS, len(nodes) > 1, as_json)


async def connections(nodes: Sequence[Node], *, as_json: bool) -> int:
    """Print the open connections of these nodes, by project."""
    found = [(node, item) for node in nodes for item in await node.connections()]
    found.sort(key=lambda pair: (pair[1]["project"], pair[1]["name"]))
    return _show(found, CONNECTION_FIELDS, len(nodes) > 1, as_json)


def _show(found: list[tuple[Node, dict[str, Any]]], fields: tuple[str, ...], several: bool, as_json: bool) -> int:
    if as_json:
        say.emit_json([{"node": node.url, **item} for node, item in found])
        return 0
    headings = ("node", *fields) if several else fields
    rows = [(*((node.url,) if several else ()), *(item.get(name) for name in fields)) for node, item in found]
    for text in say.table(headings, rows):
        say.line(text)
    return 0
