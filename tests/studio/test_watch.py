"""What a transaction touched is noted, once, by place."""

import pytest

from studio.blank import open_doc
from studio.watch import Touched, watch
from tests.studio.peers import PycrdtPeer
from tests.studio.stage import SONG, new, put


def seen(*changes: object) -> list[Touched]:
    """What a server notes of one client transaction on the song."""
    client, server = PycrdtPeer(10), open_doc(1)
    client.edit(*SONG, new("notes", "n_1", {"at": 1}), ("text", "notes", "n_1", "body", "hello"))
    server.apply_update(client.update())
    notes: list[Touched] = []
    with watch(server, notes.append):
        server.apply_update(client.edit(*changes))  # type: ignore[arg-type]
    return sorted(notes)


def test_a_field_is_named_by_entity_and_key() -> None:
    """Two keys of one clip are one note."""
    assert seen(*put("clips", "c_1", pos=5, track="t_2")) == [Touched("clips", "c_1", frozenset({"pos", "track"}))]


def test_flat_and_leaf_roots_have_no_entity() -> None:
    """Their keys stand for themselves."""
    changes = (*put("transport", "", bpm=90), ("set", "points", "", "t_1.gain/p_1", [0, 1, 0]))
    assert seen(*changes) == [
        Touched("points", "", frozenset({"t_1.gain/p_1"})),
        Touched("transport", "", frozenset({"bpm"})),
    ]


def test_a_created_entity_names_itself_and_all_its_keys() -> None:
    """The empty key says: the entry as a whole."""
    assert seen(new("markers", "m_1", {"tick": 1, "label": "x"})) == [
        Touched("markers", "m_1", frozenset({"", "tick", "label"}))
    ]


def test_a_removed_entity_names_itself_alone() -> None:
    """So does junk that is no entity."""
    assert seen(("delete", "clips", "c_1", "")) == [Touched("clips", "c_1", frozenset({""}))]
    assert seen(("set", "clips", "", "c_9", "junk")) == [Touched("clips", "c_9", frozenset({""}))]


def test_typing_names_the_body() -> None:
    """A text event is one of its note."""
    assert seen(("insert", "notes", "n_1", "body", 5, "!")) == [Touched("notes", "n_1", frozenset({"body"}))]


def test_paths_are_what_the_journal_keeps() -> None:
    """root/id/key, shorter where there is no id or no key."""
    assert Touched("clips", "c_1", frozenset({"pos", "in"})).paths() == ("clips/c_1/in", "clips/c_1/pos")
    assert Touched("clips", "c_1", frozenset({"", "pos"})).paths() == ("clips/c_1",)
    assert Touched("transport", "", frozenset({"bpm"})).paths() == ("transport/bpm",)


@pytest.mark.parametrize("times", [1, 2])
def test_a_closed_watch_is_silent(times: int) -> None:
    """Closing twice is closing."""
    doc = open_doc(1)
    notes: list[Touched] = []
    watching = watch(doc, notes.append)
    for _ in range(times):
        watching.close()
    doc["transport"]["bpm"] = 90.0
    assert notes == []
