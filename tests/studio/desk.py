"""A room and one client whose edits it judges, for tests of the repair rules."""

from collections.abc import Iterator
from typing import Any

import pytest

from studio.repair import Repair, Stamp
from tests.studio.peers import Change, PycrdtPeer, Room
from tests.studio.stage import SONG


class Desk:
    """A room and one client whose edits it judges."""

    def __init__(self) -> None:
        self.room = Room()
        self.client = PycrdtPeer(10)
        self.client.apply(self.room.doc.get_update())
        self.write(*SONG)

    def write(self, *changes: Change, stamp: Stamp | None = None) -> list[Repair]:
        """The repairs that one edit needed; afterwards client and room agree and nothing is left to do."""
        before = len(self.room.repairs)
        update = self.room.receive(self.client.edit(*changes), stamp=stamp)
        if update:
            self.client.apply(update)
        assert self.client.json() == self.room.json()
        assert self.room.settled()
        return self.room.repairs[before:]

    def field(self, root: str, entity: str, key: str) -> Any:
        held = self.room.json()[root]
        return held[entity][key] if entity else held[key]


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.room.close()


def rules(made: list[Repair]) -> list[str]:
    return [repair.rule for repair in made]
