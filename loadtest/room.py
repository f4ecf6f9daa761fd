"""A room of the test: who ever wrote in it, and who is in it now."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loadtest.author import Author
from loadtest.job import Place

if TYPE_CHECKING:
    from loadtest.person import Person


@dataclass(slots=True, eq=False)
class Room:
    """`authors` stay when their people leave: what they were promised is checked at the end."""

    place: Place
    authors: dict[int, Author] = field(default_factory=dict)
    people: list["Person"] = field(default_factory=list)

    def present(self) -> list["Person"]:
        """Those who hold the whole document and are connected."""
        return [person for person in self.people if person.inside]

    def unsaved(self) -> int:
        """Edits of people who are still there that the server has not confirmed."""
        return sum(person.author.unsaved() for person in self.people if person.wants_in)
