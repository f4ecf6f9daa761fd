"""The writes of one transaction, kept beside the document until it ends: then all of them are made, or none.

While a transaction is open its own writes are read back from here. Leaf roots (tempo, events, …) hold their values
under the key "".
"""

import json
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from backline.errors import TransactionTooLarge
from backline.specs import MISSING, Missing

VALUES_MAX: Final = 8_000
BYTES_MAX: Final = 768 * 1024
"""The server takes updates of 1 MiB and 25,000 structs."""


class Cell(NamedTuple):
    """Where a value stands: `id` "" for settings, `key` "" for a leaf root's value."""

    root: str
    id: str
    key: str

    @property
    def place(self) -> str:
        """`root/id/key` without what is empty."""
        return "/".join(part for part in self if part)


class Draft:
    """Writes in order; the last one of a cell counts. MISSING as a value removes a leaf root's entry."""

    __slots__ = ("_entries", "cells", "created")

    def __init__(self) -> None:
        self.cells: dict[Cell, object] = {}
        self.created: dict[tuple[str, str], None] = {}
        self._entries: dict[str, dict[str, bool]] = {}

    def create(self, root: str, id: str, values: dict[str, object]) -> None:
        """A new entity, whole."""
        self.created[root, id] = None
        self._entries.setdefault(root, {})[id] = True
        for key, value in values.items():
            self.set(root, id, key, value)

    def set(self, root: str, id: str, key: str, value: object) -> None:
        """One value."""
        self.cells[Cell(root, id, key)] = value
        if id and not key:
            self._entries.setdefault(root, {})[id] = not isinstance(value, Missing)

    def remove(self, root: str, id: str) -> None:
        """A leaf root's entry is gone."""
        self.set(root, id, "", MISSING)

    def value(self, root: str, id: str, key: str) -> object:
        """What this transaction wrote there; MISSING if it removed it or made the entity without it; or UNTOUCHED."""
        cell = Cell(root, id, key)
        if cell in self.cells:
            return self.cells[cell]
        return MISSING if (root, id) in self.created else UNTOUCHED

    def entries(self, root: str) -> Mapping[str, bool]:
        """The ids of a root that this transaction made or wrote as a whole (True) or removed (False)."""
        return self._entries.get(root, {})

    def new_entities(self) -> dict[tuple[str, str], dict[str, object]]:
        """The values of each entity that is to be made, by (root, id)."""
        made: dict[tuple[str, str], dict[str, object]] = {entity: {} for entity in self.created}
        for cell, value in self.cells.items():
            if (cell.root, cell.id) in made:
                made[cell.root, cell.id][cell.key] = value
        return made

    @property
    def places(self) -> tuple[str, ...]:
        """What it writes, for people: a new entity is one place."""
        found = [
            f"{cell.root}/{cell.id}" if (cell.root, cell.id) in self.created else cell.place for cell in self.cells
        ]
        return tuple(dict.fromkeys([*found, *(f"{root}/{id}" for root, id in self.created)]))

    def measured(self) -> None:
        """Raises TransactionTooLarge."""
        if len(self.cells) > VALUES_MAX:
            raise TransactionTooLarge(f"{len(self.cells)} values in one transaction; {VALUES_MAX} are allowed")
        size = sum(len(json.dumps(value, ensure_ascii=False).encode()) for value in self._values())
        if size > BYTES_MAX:
            raise TransactionTooLarge(f"{size} bytes in one transaction; {BYTES_MAX} are allowed")

    def _values(self) -> Iterator[object]:
        return (value for value in self.cells.values() if not isinstance(value, Missing))


class Untouched:
    """The type of `UNTOUCHED`."""

    __slots__ = ()


UNTOUCHED: Final = Untouched()
"""This transaction has not written there: the document has the word."""
