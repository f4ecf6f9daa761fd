"""A room of the test: who ever wrote in it, and who is in it now."""

from dataclasses import dataclass, field
from typing import Protocol

from loadtest.author import Author
from loadtest.job import Place
from loadtest.song import Song


class Guest(Protocol):
    """A person as the room sees it."""

    author: Author
    song: Song
    seat: int
    wants_in: bool
    inside: bool


@dataclass(slots=True, eq=False)
class Room:
    """`authors` stay when their people leave: what they were promised is checked at the end."""

    place: Place
    authors: dict[int, Author] = field(default_factory=dict)
    people: list[Guest] = field(default_factory=list)

    def present(self) -> list[Guest]:
        """Those who hold the whole document and are connected."""
        return [person for person in self.people if person.inside]

    def unsaved(self) -> int:
        """Edits of people who are still there that the server has not confirmed."""
        return sum(person.author.unsaved() for person in self.people if person.wants_in)
