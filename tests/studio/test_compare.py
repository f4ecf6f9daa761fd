"""Two states of a song are told apart in a musician's words."""

from studio.canonical import canonical
from studio.compare import Change, compare
from tests.studio.peers import PycrdtPeer, Room
from tests.studio.stage import BAR, BEAT, SONG, clip, new, put


def words(*changes: object) -> list[str]:
    peer = PycrdtPeer(10)
    peer.apply(Room().doc.get_update())
    peer.edit(*SONG)
    before = canonical(peer.doc)
    peer.edit(*changes)  # type: ignore[arg-type]
    return [difference.text for difference in compare(before, canonical(peer.doc))]


def test_nothing_changed_is_no_difference() -> None:
    """A state compared with itself is silent, and so are fields a musician never sees."""
    assert words() == []
    assert words(*put("clips", "c_1", src0_us=5)) == []


def test_values_come_with_their_units() -> None:
    """Gains in dB, tempo in bpm, places in bars."""
    assert words(*put("tracks", "t_1", gain_db=-3.5, mute=True)) == [
        "track “One”: gain 0 dB → −3.5 dB",
        "track “One”: mute off → on",
    ]
    assert words(*put("transport", "", bpm=90, signature=[3, 4])) == [
        "song: tempo 120 bpm → 90 bpm",
        "song: time signature 4/4 → 3/4",
    ]


def test_a_clip_moves_from_where_it_sounds_to_where_it_sounds() -> None:
    """Its left edge counts, not where its content begins; off the timeline there are only numbers."""
    assert words(*put("clips", "c_1", pos=2 * BAR)) == ["clip c_1 moved from bar 1 to bar 3"]
    trimmed = words(*put("clips", "c_1", pos=BAR, in_=BEAT + 120))
    assert trimmed == ["clip c_1: left edge 0 → 1080", "clip c_1 moved from bar 1 to bar 2.2+120"]
    assert words(*put("clips", "c_1", pos=-BAR)) == ["clip c_1: position bar 1.1 → −3840"]


def test_what_came_and_went() -> None:
    """Soft deletion is deletion, and undeletion brings back."""
    assert words(new("clips", "c_2", clip(name="Riff"))) == ["clip “Riff” was added"]
    assert words(*put("tracks", "t_1", deleted=["u", 1])) == ["track “One” was deleted"]
    assert words(("set", "tempo", "", "p_1", [0, 90, 0])) == ["tempo point was added"]
    assert words(*put("clips", "c_1", track="t_2")) == ["clip c_1: moved to track “Two”"]
    assert words(*put("tracks", "t_1", order="z")) == ["track “One” was moved in the list"]


def test_a_difference_carries_its_place_and_values() -> None:
    """For whoever draws instead of reading."""
    peer = PycrdtPeer(10)
    peer.apply(Room().doc.get_update())
    before = canonical(peer.doc)
    peer.edit(*put("transport", "", bpm=90))
    (only,) = compare(before, canonical(peer.doc))
    assert (only.change, only.root, only.id, only.key) == (Change.CHANGED, "transport", "", "bpm")
    assert (only.before, only.after) == (120, 90)
