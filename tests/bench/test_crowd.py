"""The account of a run is right: who got what, how often, and when."""

from typing import Any

from bench.crowd import Account
from bench.reader import Edit, Reader
from bench.wire import Dialect
from bench.yjs import LabelWriter
from loadtest.lib0 import varuint


def frame(update: bytes) -> bytes:
    """A server's update frame."""
    payload = b"\x00\x02" + varuint(len(update)) + update
    assert len(payload) < 126
    return bytes((0x82, len(payload))) + payload


class Listener:
    """Stands where a connection would: the account only asks who it is."""


def test_an_edit_is_complete_when_all_others_have_it_and_an_echo_is_not_a_delivery() -> None:
    """Two receivers complete an edit; the author's own copy is its acknowledgement, counted once."""
    author, one, two = Listener(), Listener(), Listener()
    reader, account = Reader(Dialect.Y_WEBSOCKET), Account()
    complete: list[Any] = []
    account.on_complete = complete.extend
    account.timed_from = 0
    key, update = LabelWriter(0, 5).next()
    edit = reader.edits[key] = Edit(author, 1000, 2)
    chunk = reader.read(frame(update))
    for listener, now in ((one, 3000), (author, 4000), (author, 4500), (two, 5000)):
        account.heard(listener, chunk, now)  # type: ignore[arg-type]
    assert (account.deliveries, account.completed, account.echoes) == (2, 1, 1)
    assert complete == [edit]
    assert account.delivery_times == [2000, 4000]
    assert account.echo_times == [3000]


def test_a_delivery_too_many_is_noticed() -> None:
    """A server that sends an edit twice does not look fast."""
    author, one = Listener(), Listener()
    reader, account = Reader(Dialect.Y_WEBSOCKET), Account()
    key, update = LabelWriter(0, 5).next()
    reader.edits[key] = Edit(author, 0, 1)
    for _ in range(2):
        account.heard(one, reader.read(frame(update)), 1)  # type: ignore[arg-type]
    assert (account.completed, account.surplus) == (1, 1)


def test_edits_are_found_however_the_server_bundles_them() -> None:
    """Three frames in one chunk give three edits in order; a torn fourth one is left for later."""
    reader, writer = Reader(Dialect.Y_WEBSOCKET), LabelWriter(7, 5)
    sent, data = [], b""
    for _ in range(3):
        key, update = writer.next()
        sent.append(reader.edits.setdefault(key, Edit(None, 0, 1)))
        data += frame(update)
    torn = frame(writer.next()[1])[:-1]
    for _ in range(2):  # the second time from memory
        chunk = reader.read(data + torn)
        assert list(chunk.edits) == sent
        assert chunk.used == len(data)


def test_the_reason_of_a_close_is_kept() -> None:
    """A refused client says with which code it was refused."""
    chunk = Reader(Dialect.Y_WEBSOCKET).read(b"\x88\x09" + (4401).to_bytes(2, "big") + b"expired")
    assert chunk.refusal == "closed with 4401 expired"
