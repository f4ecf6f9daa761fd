"""The project's own facts in `meta`: only the server writes them."""

from typing import Any

from pycrdt import Doc, Map

from studio.errors import Invalid
from studio.fields import utf16_length

NAME_UNITS = 120


def rename(doc: "Doc[Any]", name: str) -> None:
    """Names the project: 1 to 120 UTF-16 units."""
    _checked(name)
    with doc.transaction():
        doc.get("meta", type=Map)["name"] = name


def become_fork(
    doc: "Doc[Any]", *, project_id: str, name: str, parent: str | None, created_by: str, now_ms: int
) -> None:
    """Makes a copy of a document a project of its own; `parent` says what it was copied from."""
    _checked(name)
    facts = {"project_id": project_id, "name": name, "parent": parent, "created_by": created_by}
    with doc.transaction():
        meta = doc.get("meta", type=Map)
        for key, value in facts.items():
            meta[key] = value
        meta["created_at"] = float(now_ms)


def _checked(name: str) -> None:
    if not name.strip():
        raise Invalid("name", "a project has a name")
    if utf16_length(name) > NAME_UNITS:
        raise Invalid("name", f"a name has at most {NAME_UNITS} characters")
