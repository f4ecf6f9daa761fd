"""One person's work is taken back where it still stands; whatever others did since stays, and is told."""

import random
from types import MappingProxyType
from typing import Any

import pytest
from pycrdt import Doc

from studio.binding import MISSING
from studio.canonical import canonical
from studio.edits import take_back
from studio.edits.take_back import Reason, TakenBack
from studio.moments.places import Place
from studio.moments.written import Recorder, Written
from studio.watch import Touched, watch
from tests.studio.peers import Change, PycrdtPeer, Room
from tests.studio.stage import BAR, SONG, clip, new, put, track

FIELDS = MappingProxyType(
    {
        ("clips", "c_1", "pos"): (0, 960, 1920),
        ("clips", "c_1", "track"): ("t_1", "t_2"),
        ("tracks", "t_1", "gain_db"): (0, -3, -6),
        ("tracks", "t_1", "name"): ("A", "B"),
        ("tracks", "t_2", "mute"): (True, False),
        ("tracks", "t_2", "pan"): (0, 0.5),
    }
)


class Stage:
    """A song, on which Ada's edits are recorded and others' are not."""

    def __init__(self) -> None:
        self.peer = PycrdtPeer(10)
        self.peer.apply(Room().doc.get_update())
        self.peer.edit(*SONG)
        self.recorder = Recorder()

    @property
    def doc(self) -> "Doc[Any]":
        return self.peer.doc

    @property
    def json(self) -> dict[str, Any]:
        return canonical(self.doc)

    def ada(self, *changes: Change) -> None:
        """Played again as the journal is: told before with the paths of the history, applied, told after."""
        copy = PycrdtPeer(11)
        copy.apply(self.doc.get_update())
        touched: list[Touched] = []
        with watch(copy.doc, touched.append):
            copy.edit(*changes)
        paths = [path for note in touched for path in note.paths()]
        self.recorder.coming(self.doc, paths)
        self.peer.apply(copy.doc.get_update())
        self.recorder.came(self.doc, paths)

    def undo(self, *overwritten: Place) -> TakenBack:
        return take_back(self.doc, self.recorder.written(), "u_ben", 5, overwritten)


def left(done: TakenBack) -> list[tuple[str, str]]:
    return [(one.place.path, one.reason.value) for one in done.skipped]


def test_what_stands_goes_back_to_what_was() -> None:
    """Fields, values of the song and leaves, however often they were written; unset ones are unset again."""
    stage = Stage()
    before = stage.json
    stage.ada(*put("clips", "c_1", pos=BAR), ("set", "transport", "", "bpm", 90))
    stage.ada(*put("clips", "c_1", pos=2 * BAR, color="#ffffff"), ("set", "points", "", "t_1.gain/p_1", [0, 1, 0]))
    assert stage.undo().changes == 4
    assert stage.json == before


def test_what_others_wrote_since_stays() -> None:
    """Another value is somebody else's; so is the same value that somebody else wrote."""
    stage = Stage()
    stage.ada(*put("clips", "c_1", pos=BAR, gain_db=-3, mute=True))
    stage.peer.edit(*put("clips", "c_1", gain_db=-6))
    done = stage.undo(Place("clips", "c_1", "mute"))
    assert (done.changes, left(done)) == (
        1,
        [("clips/c_1/gain_db", "changed_since"), ("clips/c_1/mute", "changed_since")],
    )
    fields = stage.json["clips"]["c_1"]
    assert (fields["pos"], fields["gain_db"], fields["mute"]) == (0, -6, True)


def test_what_came_goes_and_what_went_comes() -> None:
    """Additions are deleted softly, sends and leaves removed; soft and hard deletions are undone."""
    stage = Stage()
    stage.peer.edit(new("clips", "c_3", clip(name="Gone")), new("sends", "t_1>t_2", {"gain_db": -3}))
    before = stage.json
    stage.ada(new("clips", "c_2", clip(name="Riff")), ("set", "tempo", "", "p_1", [0, 90, 0]))
    stage.ada(*put("clips", "c_2", pos=BAR), *put("tracks", "t_2", deleted=["u_ada", 1]))
    stage.ada(("delete", "clips", "c_3", ""), ("delete", "sends", "t_1>t_2", ""))
    done = stage.undo()
    assert (done.changes, done.skipped) == (5, [])
    now = stage.json
    assert now["clips"].pop("c_2")["deleted"] == ["u_ben", 5]
    assert now == before


def test_what_is_no_more_or_was_built_upon_stays() -> None:
    """A clip somebody moved is theirs too; a track with somebody's clip on it stays; what is gone is gone."""
    stage = Stage()
    stage.ada(new("tracks", "t_9", track("d")), new("clips", "c_2", clip()), *put("clips", "c_1", pos=BAR))
    stage.peer.edit(
        new("clips", "c_8", clip(track="t_9")), *put("clips", "c_2", pos=BAR), ("delete", "clips", "c_1", "")
    )
    before = stage.json
    done = stage.undo()
    assert left(done) == [("clips/c_1/pos", "gone"), ("clips/c_2", "changed_since"), ("tracks/t_9", "in_use")]
    assert (done.changes, stage.json) == (0, before)


def test_a_track_goes_with_what_the_same_person_put_on_it() -> None:
    """Nobody else's work is on it."""
    stage = Stage()
    stage.ada(new("tracks", "t_9", track("d")))
    stage.ada(new("clips", "c_2", clip(track="t_9")))
    assert (stage.undo().changes, stage.json["tracks"]["t_9"]["deleted"]) == (2, ["u_ben", 5])


def test_what_the_server_alone_writes_stays() -> None:
    """Names of projects and locks have other ways."""
    stage = Stage()
    written = [
        Written(Place("meta", "", "name"), "Old", "Song"),
        Written(Place("tracks", "t_1", "lock"), MISSING, ["u", 1]),
    ]
    done = take_back(stage.doc, written, "u_ben", 5)
    assert {one.reason for one in done.skipped} == {Reason.SERVER_ONLY}


def test_an_entity_written_anew_is_taken_back_key_by_key() -> None:
    """Replaced as a whole, it goes back to each of its values."""
    stage = Stage()
    before = stage.json
    stage.ada(new("clips", "c_1", clip(pos=BAR, name="New")))
    assert stage.undo().changes == 2
    assert stage.json == before


@pytest.mark.parametrize("seed", range(40))
def test_whatever_two_people_do_only_ones_own_last_word_goes(seed: int) -> None:
    """Random fields of both: where Ben wrote last it stays, elsewhere stands what stood before Ada's first."""
    rng = random.Random(seed)
    stage = Stage()
    last: dict[Place, str] = {}
    stood: dict[Place, Any] = {}
    for _ in range(30):
        place = Place(*rng.choice(list(FIELDS)))
        change = ("set", *place, rng.choice(FIELDS[place]))
        last[place] = rng.choice(("Ada", "Ben"))
        if last[place] == "Ada":
            stood.setdefault(place, stage.json[place.root][place.id].get(place.key))
            stage.ada(change)
        else:
            stage.peer.edit(change)
    bens = {place for place, who in last.items() if who == "Ben"}
    now = stage.json
    wanted = {place: now[place.root][place.id].get(place.key) for place in bens}
    wanted |= {place: value for place, value in stood.items() if place not in bens}
    done = stage.undo(*bens)
    after = stage.json
    assert {place: after[place.root][place.id].get(place.key) for place in wanted} == wanted
    assert {one.place for one in done.skipped} <= bens
