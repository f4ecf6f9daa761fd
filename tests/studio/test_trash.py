"""The trash shows what was deleted; it comes back with everything, or goes with everything that lies on it."""

import pytest

from studio import schema
from studio.canonical import canonical
from studio.edits import purge, undelete
from studio.errors import Invalid, NotFound
from studio.repair import Firsts, repair
from studio.trash import trash
from tests.studio.peers import PycrdtPeer, Room
from tests.studio.stage import SONG, clip, new, put, track

GONE = ["u_ada", 7]


def peer() -> PycrdtPeer:
    found = PycrdtPeer(10)
    found.apply(Room().doc.get_update())
    found.edit(*SONG)
    return found


def test_it_names_what_was_deleted_and_what_is_hidden_with_it() -> None:
    """A track with its clips, a clip that would stay hidden, nothing that lives."""
    ada = peer()
    ada.edit(new("clips", "c_2", clip(track="t_1", name="Riff", deleted=GONE)), *put("tracks", "t_1", deleted=GONE))
    found = [(one.root, one.id, one.name, one.hidden_with, one.content) for one in trash(canonical(ada.doc))]
    assert found == [("clips", "c_2", "“Riff”", "t_1", {}), ("tracks", "t_1", "“One”", None, {"clips": 1})]


def test_what_comes_back_has_what_it_had() -> None:
    """Also what somebody changed while it was deleted; what is not in the trash is not found."""
    ada = peer()
    ada.edit(*put("clips", "c_1", deleted=GONE))
    ada.edit(*put("clips", "c_1", pos=960))
    assert undelete(ada.doc, "clips", "c_1")["pos"] == 960
    assert trash(canonical(ada.doc)) == []
    for root, entity in (("clips", "c_1"), ("clips", "c_9"), ("sends", "x"), ("nothing", "x")):
        with pytest.raises(NotFound):
            undelete(ada.doc, root, entity)


def test_a_full_document_takes_nothing_back() -> None:
    """64 tracks, beside the two that are always there."""
    ada = peer()
    ada.edit(*(new("tracks", f"t_{number}", track("a")) for number in range(4, schema.ENTRY_LIMITS["tracks"] + 1)))
    ada.edit(new("tracks", "t_x", track("b", deleted=GONE)))
    with pytest.raises(Invalid, match="64 already"):
        undelete(ada.doc, "tracks", "t_x")
    ada.edit(*put("tracks", "t_1", deleted=GONE))
    assert undelete(ada.doc, "tracks", "t_x")["order"] == "b"


def test_what_goes_takes_along_what_lies_on_it() -> None:
    """A track's clips, notes of MIDI, effects, sends both ways, automation; repair finds nothing left behind."""
    ada = peer()
    ada.edit(
        *put("tracks", "t_1", deleted=GONE),
        new("effects", "e_1", {"track": "t_1", "order": "a", "kind": "eq"}),
        new("sends", "t_1>t_2", {"gain_db": 0}),
        new("sends", "t_3>t_1", {"gain_db": 0}),
        ("set", "points", "", "t_1.gain/p_1", [0, 1, 0]),
        ("set", "lanes", "", "t_1.gain", {"on": True}),
        ("set", "events", "", "c_1/n_1", [0, 1, 60, 1]),
        ("set", "points", "", "t_2.gain/p_1", [0, 1, 0]),
    )
    assert purge(ada.doc, trash(canonical(ada.doc))) == 8
    left = canonical(ada.doc)
    assert [sorted(left[root]) for root in ("clips", "effects", "sends", "lanes", "events")] == [[], [], [], [], []]
    assert sorted(left["points"]) == ["t_2.gain/p_1"]
    assert repair(ada.doc, None, Firsts.of(ada.doc)) == []


def test_what_was_brought_back_meanwhile_stays() -> None:
    """So does what was deleted again since: its thirty days begin anew."""
    ada = peer()
    ada.edit(*put("clips", "c_1", deleted=GONE), *put("tracks", "t_3", deleted=GONE))
    thrown = trash(canonical(ada.doc))
    ada.edit(*put("clips", "c_1", deleted=None), *put("tracks", "t_3", deleted=["u_ben", 8]))
    assert purge(ada.doc, thrown) == 0
