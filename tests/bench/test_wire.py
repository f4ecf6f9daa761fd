"""What the load client says is understood by real websocket and Yjs code, and what it hears is read frame by frame."""

from typing import Any

import pytest
from pycrdt import Doc, Map, YMessageType, YSyncMessageType, create_awareness_message
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State

from bench.wire import Dialect, Kind, Malformed, Speaker, client_frame, frame_size, frames, messages
from bench.yjs import LabelWriter
from loadtest.lib0 import varstring, varuint


def unmasked(frame: bytes) -> bytes:
    """The payload as the websockets library reads it from a client."""
    server = Protocol(Side.SERVER, state=State.OPEN)
    server.receive_data(frame)
    (event,) = server.events_received()
    assert isinstance(event, Frame)
    assert event.opcode is Opcode.BINARY
    return bytes(event.data)


def served(payload: bytes) -> bytes:
    """A server's unmasked binary frame."""
    return Frame(Opcode.BINARY, payload).serialize(mask=False)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_frame_of_any_size_is_valid(size: int) -> None:
    """The three forms of a frame's length are written as RFC 6455 says."""
    payload = bytes(index * 7 & 255 for index in range(size))
    assert unmasked(client_frame(payload)) == payload


def test_an_update_is_a_sync_message_of_y_websocket() -> None:
    """The payload is type 0, subtype 2, and an update that pycrdt applies."""
    _, update = LabelWriter(0, 77).next()
    payload = unmasked(Speaker(Dialect.Y_WEBSOCKET, "room").update(update))
    assert payload[:2] == bytes((YMessageType.SYNC, YSyncMessageType.SYNC_UPDATE))
    doc: Doc[Any] = Doc()
    doc["markers"] = Map()
    doc.apply_update(payload[2 + len(varuint(len(update))) :])
    assert len(doc.get("markers", type=Map)) == 1


def test_hocuspocus_gets_the_document_first_and_authentication_before_anything() -> None:
    """Each message starts with the document's name; the first is of type 2 with a token."""
    hello = Speaker(Dialect.HOCUSPOCUS, "é").hello()
    first = hello[: len(client_frame(bytes(11)))]
    assert unmasked(first) == varstring("é".encode()) + b"\x02\x00" + varstring(b"bench")


def test_presence_is_what_pycrdt_would_send() -> None:
    """An awareness message with one entry has the bytes of y-protocols."""
    state = b'{"cursor":1}'
    entry = b"\x01" + varuint(300) + varuint(9) + varstring(state)
    assert unmasked(Speaker(Dialect.Y_WEBSOCKET, "r").awareness(300, 9, state)) == create_awareness_message(entry)


def test_whole_frames_are_told_from_a_torn_one() -> None:
    """At every cut of two frames exactly the whole ones are found, and the size of the first is known early."""
    both = served(b"\x00\x02\x02\x00\x00") + served(b"\x01" * 200)
    for cut in range(len(both) + 1):
        whole = list(frames(both[:cut]))
        assert len(whole) == (cut >= 7) + (cut == len(both))
    assert frame_size(both[:2]) == 7
    assert frame_size(both[:1]) == 0


def test_a_masked_or_fragmented_frame_is_malformed() -> None:
    """Servers never mask, and none of those measured fragments."""
    with pytest.raises(Malformed):
        list(frames(client_frame(b"x")))
    with pytest.raises(Malformed):
        list(frames(b"\x02\x01x"))


def test_messages_are_named_in_both_dialects() -> None:
    """Several messages in one frame are told apart."""
    said = b"\x00\x00\x01\x00" + b"\x00\x02\x02\x00\x00" + b"\x01\x01\x00"
    expected = [Kind.STEP1, Kind.UPDATE, Kind.AWARENESS]
    assert list(messages(Dialect.Y_WEBSOCKET, said, 0, len(said))) == expected
    name = varstring(b"doc")
    said = name + b"\x00\x01\x02\x00\x00" + name + b"\x04\x02\x02\x00\x00" + name + b"\x08\x01"
    assert list(messages(Dialect.HOCUSPOCUS, said, 0, len(said))) == [Kind.STEP2, Kind.UPDATE, Kind.SAVED]


@pytest.mark.parametrize(("verdict", "kind"), [(1, Kind.DENIED), (2, Kind.OTHER)])
def test_only_a_refusal_is_a_refusal(verdict: int, kind: Kind) -> None:
    """Hocuspocus says 1 for denied and 2 for authenticated."""
    said = varstring(b"doc") + bytes((2, verdict)) + varstring(b"why")
    assert list(messages(Dialect.HOCUSPOCUS, said, 0, len(said))) == [kind]
