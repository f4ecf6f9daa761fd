"""The name of a project's room, and back. Providers know a room by a name of at most 40 plain characters."""

import re
from typing import Final
from uuid import UUID

_NAME: Final = re.compile(r"b-([0-9a-f]{32})")


def room_of(project_id: UUID) -> str:
    """The one room of a project."""
    return f"b-{project_id.hex}"


def project_of(room: str) -> UUID | None:
    """The project of a room; None for rooms that are not ours."""
    found = _NAME.fullmatch(room)
    return UUID(found[1]) if found else None


def user_of(identity: str) -> UUID | None:
    """Who this is; None for those who are no members: recorders and other machines."""
    try:
        found = UUID(identity)
    except ValueError:
        return None
    return found if str(found) == identity else None
