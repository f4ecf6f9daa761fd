"""Tests of repair in a room: nobody hears what is invalid without its repair, and the journal has both."""

import math
from uuid import uuid4

import pytest
from pycrdt import Map

from persistence.body import Entry, decode
from studio.canonical import canonical
from tests.collab_server.rooms import NOW_MS, SEED, Person, desk, open_room, replay


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "loud", True, 1e308, "nested"], ids=str)
def test_s7_nobody_hears_an_invalid_value_without_its_repair(value: object) -> None:
    """What breaks the schema is repaired in the same write in which the others hear of it, and its author too."""
    ada, bob = Person(10), Person(11)
    hands = desk(ada, bob)
    hands.edit(ada, ada.track("t_1"))
    bob.listen()
    hands.edit(ada, ada.field("tracks", "t_1", "gain_db", Map() if value == "nested" else value))
    assert len(bob.written) == 1
    bob.listen()
    ada.listen()
    gain = bob.json()["tracks"]["t_1"]["gain_db"]
    assert isinstance(gain, int | float)
    assert not isinstance(gain, bool)
    assert math.isfinite(gain)
    assert abs(gain) < 200
    assert ada.json() == bob.json() == canonical(hands.room.doc)
    flight = hands.commit()
    assert flight is not None
    assert flight.batch is not None
    assert (None, "repair") in {(change.author_id, change.origin) for change in flight.batch.changes}


def test_n5_a_forged_author_becomes_the_servers() -> None:
    """The author and time of a new note are those the server saw."""
    ada = Person(10)
    hands = desk(ada)
    hands.edit(ada, ada.note("n_1", "mine", author=str(uuid4()), at=5.0))
    note = canonical(hands.room.doc)["notes"]["n_1"]
    assert note["author"] == str(ada.user)
    assert note["at"] == NOW_MS


def test_what_an_older_server_let_pass_is_repaired_at_load() -> None:
    """A loaded document with an invalid value opens repaired, and the repair waits for the journal."""
    broken = Person(10).know(SEED).put("transport", "bpm", "fast")
    room = open_room([broken], clients={10: uuid4()})
    assert canonical(room.doc)["transport"]["bpm"] == 120
    flight = room.take()
    assert flight.batch is not None
    assert [change.origin for change in flight.batch.changes] == ["repair"]
    entries = [Entry(None, broken), *decode(flight.batch.body)]
    assert canonical(replay([entries])) == canonical(room.doc)
