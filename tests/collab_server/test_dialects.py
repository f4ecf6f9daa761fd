"""Tests of the dialects: what they write is read back by the libraries of the clients."""

from collections.abc import Callable
from uuid import UUID

import pytest
from pycrdt import YMessageType, YSyncMessageType, create_update_message, read_message

from collab_server import wire
from collab_server.dialects.dialect import Dialect
from collab_server.dialects.hocuspocus import SESSION, Hocuspocus
from collab_server.dialects.yws import YWebsocket
from collab_server.gate.awareness import EMPTY_PRESENCE
from collab_server.join_state import JoinState
from collab_server.wire import Kind
from tests.collab_server.rooms import SEED, Person, frames, messages

DIALECT = YWebsocket()
SIZES = (1, 100, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 16_383, 16_384, 70_000)


@pytest.mark.parametrize("size", SIZES)
def test_an_update_is_the_same_on_every_way_of_writing_it(size: int) -> None:
    """The short way for everyday edits writes what the long way writes, and pycrdt writes the same."""
    update = bytes(range(256)) * (size // 256) + bytes(size % 256)
    (frame,) = frames(DIALECT.update(update))
    assert frame == wire.encode_update(update) == create_update_message(update)
    assert read_message(frame[2:]) == update


@pytest.mark.parametrize(
    ("spell", "shared"),
    [
        (str, True),
        (lambda id: str(id).upper(), False),
        (lambda id: f"{{{id}}}", False),
        (lambda id: id.urn, False),
        (lambda id: id.hex, False),
        (lambda id: f"{id}{SESSION}mine", False),
    ],
)
def test_only_the_usual_address_of_a_document_is_shared(spell: Callable[[UUID], str], shared: bool) -> None:
    """Nothing is kept for spellings of an id that one client makes up, however many there are."""
    id = UUID("abcdefab-cdef-abcd-efab-cdefabcdefab")
    address = Hocuspocus(spell(id))
    assert address.shared is shared
    state, ada = JoinState(), Person(10).know(SEED)
    assert (state.frames(ada.state, address) is state.frames(ada.state, address)) is shared


def test_sync_messages_are_those_of_y_protocols() -> None:
    """Type 0, subtype 0, 1 and 2, then the bytes with their length."""
    for message, subtype in (
        (DIALECT.step1(b"\x00"), YSyncMessageType.SYNC_STEP1),
        (DIALECT.step2(b"\x00\x00"), YSyncMessageType.SYNC_STEP2),
        (DIALECT.update(b"\x00\x00"), YSyncMessageType.SYNC_UPDATE),
    ):
        (frame,) = frames(message)
        assert frame[:2] == bytes((YMessageType.SYNC, subtype))


def test_presence_and_denial_are_those_of_y_protocols() -> None:
    """Type 1 with a payload, and type 2, subtype 0 with a reason whose length counts bytes."""
    assert messages(DIALECT.presence(b"\x00")) == [(Kind.AWARENESS, b"\x00")]
    assert frames(DIALECT.denied("é")) == [b"\x02\x00\x02\xc3\xa9"]


@pytest.mark.parametrize("dialect", [DIALECT, Hocuspocus("song")])
def test_a_keep_alive_is_nobodys_presence_and_a_ping(dialect: Dialect) -> None:
    """A client's watchdog hears messages alone, and only an answer to a ping tells that somebody is there."""
    assert dialect.keep_alive() == dialect.presence(EMPTY_PRESENCE) + b"\x89\x00"


def test_messages_written_together_are_read_apart() -> None:
    """Frames may be joined into one write."""
    data = DIALECT.step1(b"\x00") + DIALECT.update(b"\x01" * 200) + DIALECT.presence(b"\x00")
    assert [kind for kind, _ in messages(data)] == [Kind.STEP1, Kind.UPDATE, Kind.AWARENESS]
