"""Who a connection speaks for."""

from dataclasses import dataclass
from uuid import UUID

from studio.roles import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """A user in one project, as the ticket vouches. `color` is #rrggbb; `credited` is shown beside the name."""

    user_id: UUID
    name: str
    color: str
    role: Role
    project_id: UUID
    credited: bool
