"""What somebody is in a project, as the database says."""

from typing import NamedTuple

from studio.restriction import Restriction, stored_restriction
from studio.roles import Role


class Standing(NamedTuple):
    """A membership."""

    role: Role
    restriction: Restriction | None
    credited: bool


def standing_of(role: str, restriction: object, credited: bool) -> Standing:
    """The membership as it is stored."""
    return Standing(Role(role), stored_restriction(restriction), credited)
