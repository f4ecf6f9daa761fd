"""Tests of opening a stored document: what is read at once, and what when somebody writes."""

from typing import Any

import pytest
from pycrdt import Doc, Map

from collab_server.effects import Spoil
from collab_server.gate.errors import StoredMalformed
from collab_server.gate.limits import TRUSTED
from collab_server.gate.shape import Shape
from collab_server.gate.update import inspect
from collab_server.opening import SMALL_BYTES, build
from collab_server.settings import Limits
from persistence.body import Entry, encode
from persistence.errors import CorruptState
from persistence.journal import Loaded, Row
from tests.collab_server.author import Author
from tests.collab_server.rooms import PROJECT, REPAIRER, SEED, Hands, Person, open_room
from tests.collab_server.songs import song

TOO_DEEP = 12


def nested() -> bytes:
    """What the gate lets nobody write, and yrs takes."""
    doc: Doc[Any] = Doc(client_id=40)
    held: Map[Any] = doc.get("assets", type=Map)
    for _ in range(TOO_DEEP):
        held["in"] = Map()
        held = held["in"]
    return doc.get_update()


def test_a_shape_that_is_read_later_is_the_same() -> None:
    """Whatever is planned finds what was stored, as if it had been read at once."""
    author = Author(7)
    known = [author.track("t_1"), author.field("tracks", "t_1", "name", "Bass"), author.note("n_1", "hey")]
    later, at_once = Shape(TRUSTED), Shape(TRUSTED)
    for update in known:
        later.read_later(update)
        at_once.learn(at_once.plan(inspect(update, TRUSTED)))
    fresh = inspect(author.field("tracks", "t_1", "name", "Drums"), TRUSTED)
    assert later.plan(fresh).roots == at_once.plan(fresh).roots == {"tracks"}
    assert [later.slot(7, clock) for clock in range(40)] == [at_once.slot(7, clock) for clock in range(40)]


def test_what_is_stored_and_cannot_be_admitted_is_nobodys_fault_who_writes() -> None:
    """Readers come and go; the first edit spoils the room, each time, until it is set aside."""
    ada = Person(10)
    hands = Hands(open_room([nested()]))
    hands.join(ada)
    edit = ada.track("t_1")
    for _ in range(2):
        (effect,) = hands.room.edit(ada.member, edit)
        assert effect == Spoil("StoredMalformed while applying an update")


def test_whoever_verifies_a_small_document_reads_all_of_it() -> None:
    """Not only what somebody needs who looks at it."""
    loaded = Loaded(
        epoch=1, head=1, state=None, tail=[Row(1, encode([Entry(None, SEED), Entry(None, nested())]))], clients={}
    )
    build(PROJECT, loaded, REPAIRER, Limits()).close()
    with pytest.raises(CorruptState, match="Malformed"):
        build(PROJECT, loaded, REPAIRER, Limits(), whole=True)


def test_a_large_document_that_cannot_be_admitted_is_not_opened() -> None:
    """It is read whole at once, in a thread, before anybody comes in."""
    shape = Shape(TRUSTED)
    shape.read_later(nested())
    with pytest.raises(StoredMalformed):
        shape.plan(inspect(Author(7).track("t_1"), TRUSTED))
    large = song(tracks=8, clips=120)
    assert sum(map(len, large)) > SMALL_BYTES
    with pytest.raises(CorruptState, match="Malformed"):
        open_room([*large, nested()])
