"""Whatever comes on a control socket is a message, refused with an answer, or the end of that connection."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collab_server.control.messages import (
    Ask,
    Follow,
    Ping,
    Refused,
    Unreadable,
    ask,
    encoded,
    essence,
    read,
    tempo_json,
)
from studio.tempo import TempoMap
from studio.transport import tempo_rev
from studio.transport_commands import Seek

ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([10**400, -(10**400)]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(
    ["id", "epoch", "if_seq", "pos", "count_in", "on", "start", "end", "rate", "n", "c", "rtt", "room"]
)
KINDS = st.sampled_from(["ping", "play", "stop", "seek", "loop", "rate", "follow", "transport", "x"])
MESSAGES = st.builds(
    lambda kind, fields: json.dumps({**fields, "t": kind}).encode(), KINDS, st.dictionaries(KEYS, ANYTHING, max_size=8)
)


@given(st.binary() | MESSAGES | ANYTHING.map(lambda value: json.dumps(value).encode()))
def test_nothing_else_can_happen(message: bytes) -> None:
    """No other exception, whatever comes; and what was read can be answered and sent on."""
    with suppress(Unreadable, Refused):
        told = read(message)
        if isinstance(told, Ask):
            assert ask(json.loads(encoded(essence(message)))) == told


def test_messages_are_read() -> None:
    """Each kind, with what may be left out."""
    assert read(b'{"t":"ping","n":7,"c":1.5}') == Ping(7, 1.5, None)
    assert read(b'{"t":"ping","n":7,"c":1,"rtt":-3}') == Ping(7, 1, 0.0)
    assert read(b'{"t":"follow","room":true}') == Follow(True)
    assert read(b'{"t":"seek","id":"a","pos":3,"if_seq":4,"epoch":"e"}') == Ask("a", "e", 4, Seek(3.0))


@pytest.mark.parametrize("name", ['""', '"\\ud800"', '"\\u0000"', "1", "null", json.dumps("x" * 65), '"é"'])
def test_an_id_is_a_short_word(name: str) -> None:
    """It goes into answers, over the bus and into the database."""
    with pytest.raises(Unreadable):
        read(f'{{"t":"play","id":{name}}}'.encode())


def test_only_what_was_looked_at_is_sent_on() -> None:
    """The rest of a command stays here."""
    assert essence(b'{"t":"seek","id":"a","pos":3,"more":"\\u0000"}') == {"t": "seek", "id": "a", "pos": 3}


def test_a_tempo_map_is_told_whole() -> None:
    """Its name, its points and its signatures."""
    tempo = TempoMap.from_canonical({"tempo": {"a": [960, 90, 1]}, "signatures": {"b": [3840, 3, 4]}})
    told = tempo_json(tempo)
    assert told == {
        "rev": tempo_rev(tempo),
        "points": [[0, 120, 0], [960, 90, 1]],
        "signatures": [[0, 4, 4], [3840, 3, 4]],
    }
