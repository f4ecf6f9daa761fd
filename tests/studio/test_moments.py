"""The timeline in pure code: bursts of one person, places and their tracks, words for what was touched."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from studio.compare import compare
from studio.moments.bursts import PAUSE, SPAN, Bursts, Step
from studio.moments.credits import Credit, credit, paths
from studio.moments.places import Ownership, Place
from studio.moments.words import named, summary
from studio.schema import ROOTS

BEGAN = datetime(2026, 3, 1, 20, tzinfo=UTC)
ADA, BEN = UUID(int=1), UUID(int=2)


def step(number: int, author: UUID | None, seconds: float, *paths: str, origin: str = "edit") -> Step:
    return Step(number, number, BEGAN + timedelta(seconds=seconds), author, origin, 1, paths)


def told(limit: int, *steps: Step) -> tuple[list[tuple[UUID | None, int, int, int]], int]:
    """The bursts of these steps (given oldest first), and how many steps were taken."""
    bursts = Bursts(limit)
    taken = 0
    for one in reversed(steps):
        if not bursts.take(one):
            break
        taken += 1
    return [(burst.author, burst.first, burst.last, burst.edits) for burst in bursts.found], taken


def test_two_people_side_by_side_are_two_bursts() -> None:
    """Whose edits lie between does not matter; another origin is something else."""
    steps = [step(n, ADA if n % 2 else BEN, n) for n in range(1, 7)]
    assert told(9, *steps) == ([(BEN, 2, 6, 3), (ADA, 1, 5, 3)], 6)
    assert told(9, step(1, ADA, 0), step(2, ADA, 1, origin="restore"))[0] == [(ADA, 2, 2, 1), (ADA, 1, 1, 1)]


def test_a_pause_ends_it_and_so_does_its_length() -> None:
    """Exactly a pause does not; who never pauses gets a moment every ten minutes."""
    pause = PAUSE.total_seconds()
    assert told(9, step(1, ADA, 0), step(2, ADA, pause))[0] == [(ADA, 1, 2, 2)]
    assert told(9, step(1, ADA, 0), step(2, ADA, pause + 0.1))[0] == [(ADA, 2, 2, 1), (ADA, 1, 1, 1)]
    busy = [step(n, ADA, 30 * n) for n in range(1, 43)]
    each = SPAN.total_seconds() / 30 + 1
    assert told(9, *busy)[0] == [(ADA, 22, 42, each), (ADA, 1, 21, each)]


def test_a_full_page_takes_no_step_of_a_new_burst() -> None:
    """What was not taken begins the next page, so that every step is on one."""
    steps = [step(1, ADA, 0), step(2, BEN, 1), step(3, ADA, 2), step(4, None, 3)]
    assert told(2, *steps) == ([(None, 4, 4, 1), (ADA, 3, 3, 1)], 2)
    assert told(3, *steps) == ([(None, 4, 4, 1), (ADA, 1, 3, 2), (BEN, 2, 2, 1)], 4)


def test_paths_are_read_as_the_history_writes_them() -> None:
    """Keys of entities, entities, keys of the song, leaves whose names hold a slash."""
    places = {
        "clips/c_1/pos": Place("clips", "c_1", "pos"),
        "clips/c_1": Place("clips", "c_1", ""),
        "transport/bpm": Place("transport", "", "bpm"),
        "points/t_1.gain/p_1": Place("points", "", "t_1.gain/p_1"),
    }
    for path, place in places.items():
        assert Place.of(path) == place
        assert place.path == path


def test_what_lies_on_a_track_belongs_to_it_in_any_of_the_states() -> None:
    """A clip that was moved belongs to both tracks; what names a track belongs to that one."""
    before = {
        "clips": {"c_1": {"track": "t_1"}},
        "effects": {"e_1": {"track": "t_2"}},
        "notes": {"n_1": {"track": "t_1"}},
    }
    owned = Ownership.of(before, {"clips": {"c_1": {"track": "t_2"}, "c_2": {"track": "t_3"}}})
    on_first = ["clips/c_1/pos", "tracks/t_1", "notes/n_1", "sends/t_1>t_9", "points/t_1.gain/p", "slots/t_1:0"]
    for path in (*on_first, "events/c_1/n_1", "lanes/t_1.e_1:p.freq"):
        assert owned.belongs(Place.of(path), "t_1"), path
    for path in ("clips/c_2/pos", "effects/e_1", "transport/bpm", "markers/m_1", "sends/t_9>t_1", "clips/c_9"):
        assert not owned.belongs(Place.of(path), "t_1"), path
    assert owned.belongs(Place.of("clips/c_1"), "t_2")


def test_a_burst_is_told_in_a_few_words() -> None:
    """How many of what, and which sides of them; fields that say nothing to a musician are left out."""
    clips = ["clips/c_1/pos", "clips/c_2/pos", "clips/c_2/in", "clips/c_3", "clips/c_1/take"]
    assert summary(clips) == "3 clips: left edge, position"
    assert summary(["transport/bpm", "transport/swing", "tempo/p_1"]) == "swing, tempo; 1 tempo point"
    assert summary(["tracks/t_1/deleted", "effects/e_1/p.freq"]) == "1 track: deleted or brought back; 1 effect: freq"
    assert summary([f"clips/c_1/{key}" for key in ("pos", "in", "out", "mute", "name")]).endswith("…")
    assert summary([]) == ""


def test_a_place_has_a_name() -> None:
    """As one would speak of it, also when nothing stands there any more."""
    song = {"clips": {"c_1": {"name": "Vocals"}}}
    assert named(Place.of("clips/c_1/pos"), song) == "clip “Vocals”: position"
    assert named(Place.of("clips/c_9"), song) == "clip c_9"
    assert named(Place.of("transport/bpm"), song) == "song: tempo"
    assert named(Place.of("points/t_1.gain/p"), song) == "automation point"


def test_a_difference_is_the_last_writers() -> None:
    """Of the key or of the entity as a whole; who deleted it is behind that it is gone."""
    before: dict[str, dict[str, Any]] = {root: {} for root in ROOTS} | {"clips": {"c_1": {"pos": 0}, "c_2": {}}}
    after = before | {"transport": {"bpm": 90}, "clips": {"c_1": {"pos": 960}, "c_2": {"deleted": ["u", 1]}}}
    found = compare(before, after)
    last = {
        "transport/bpm": Credit(4, BEGAN, ADA),
        "clips/c_1/pos": Credit(5, BEGAN, ADA),
        "clips/c_1": Credit(6, BEGAN, BEN),
        "clips/c_2/deleted": Credit(7, BEGAN, BEN),
    }
    assert {path for one in found for path in paths(one)} >= last.keys()
    behind = {(one.root, one.key): credit(one, last) for one in found}
    assert {place: one.author for place, one in behind.items() if one is not None} == {
        ("transport", "bpm"): ADA,
        ("clips", "pos"): BEN,
        ("clips", ""): BEN,
    }
    assert credit(found[0], {}) is None
