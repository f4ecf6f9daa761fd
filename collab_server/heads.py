"""How far the projects of a node are believed to be, as the database is asked about them again and again."""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from persistence.journal import Asked, Known

BLOCK_MAX: Final = 500
"""Projects about which one statement asks."""


class Heads:
    """In blocks: one in which nothing has moved is written out once, however often it is asked about."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._block_of: dict[UUID, _Block] = {}

    def put(self, known: Known) -> None:
        """A project was opened, or has moved."""
        project = known[0]
        block = self._block_of.get(project)
        if block is None:
            block = self._block_of[project] = self._roomy()
        block.known[project] = known
        block.asked = None

    def drop(self, project: UUID) -> None:
        """A project was closed, if it was open."""
        block = self._block_of.pop(project, None)
        if block is not None:
            del block.known[project]
            block.asked = None
            if not block.known:
                self._blocks.remove(block)

    def asked(self) -> Iterator[Asked]:
        """What to ask about all of them, as they are when it comes to their block."""
        for block in list(self._blocks):
            if block.known:
                block.asked = block.asked or Asked.about(block.known.values())
                yield block.asked

    def _roomy(self) -> "_Block":
        """The block with the fewest: new projects take the places of closed ones."""
        block = min(self._blocks, key=lambda block: len(block.known), default=None)
        if block is None or len(block.known) >= BLOCK_MAX:
            block = _Block()
            self._blocks.append(block)
        return block


class _Block:
    __slots__ = ("asked", "known")

    def __init__(self) -> None:
        self.known: dict[UUID, Known] = {}
        self.asked: Asked | None = None
