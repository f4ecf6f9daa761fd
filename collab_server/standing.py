"""What somebody is in a project, as the database says."""

from typing import Final, NamedTuple

from studio.errors import Invalid
from studio.restriction import Only, Restriction, restriction_of
from studio.roles import Role

NARROWEST: Final = Restriction(Only.TRACKS)
"""No track at all: what a restriction that nobody can read comes down to."""


class Standing(NamedTuple):
    """A membership."""

    role: Role
    restriction: Restriction | None
    credited: bool


def standing_of(role: str, restriction: object, credited: bool) -> Standing:
    """The membership as it is stored."""
    try:
        narrowed = restriction_of(restriction)
    except Invalid:
        narrowed = NARROWEST
    return Standing(Role(role), narrowed, credited)
