"""Rates between two readings of a node."""

from typing import Any

from collab_server.operate.node import Samples
from collab_server.operate.samples import Reading, sight
from collab_server.operate.top import picture


def room(project: str, edits: int, head: int, members: int = 2) -> dict[str, Any]:
    """What a node says of a room."""
    return {
        "project": project,
        "edits": edits,
        "head": head,
        "members": members,
        "unsaved_bytes": 10,
        "document_bytes": 2048,
    }


def reading(at: float, samples: Samples, *rooms: dict[str, Any]) -> Reading:
    """A node at a moment."""
    return Reading("http://node", at, {found["project"]: found for found in rooms}, samples)


def lags(*counts: float) -> Samples:
    """A histogram of loop lags: cumulative counts up to 1, 10 and 100 ms."""
    name = "backline_loop_lag_seconds_bucket"
    bounds = ("0.001", "0.01", "0.1", "+Inf")
    worst: Samples = {("backline_loop_lag_max_seconds", ()): 0.1}
    return worst | {(name, (("le", bound),)): count for bound, count in zip(bounds, counts, strict=True)}


def test_rates_are_what_was_added_per_second() -> None:
    """Of the node and of each room, the busiest first."""
    before = reading(10, {("backline_updates_total", ()): 100.0}, room("a", 5, 3), room("b", 7, 4))
    now = reading(12, {("backline_updates_total", ()): 300.0}, room("a", 9, 5), room("b", 107, 10))
    seen = sight(before, now)
    assert seen.per_second["edits"] == 100
    assert [(found.project, found.edits_per_second, found.rows_per_second) for found in seen.busiest] == [
        ("b", 50, 3),
        ("a", 2, 1),
    ]


def test_who_left_or_restarted_counts_from_zero() -> None:
    """No rate is negative: not of a room whose busiest member left, nor of a node that was restarted."""
    before = reading(0, {("backline_updates_total", ()): 100.0}, room("a", 50, 9))
    seen = sight(before, reading(1, {("backline_updates_total", ()): 3.0}, room("a", 4, 9)))
    assert seen.per_second["edits"] == 0
    assert seen.busiest[0].edits_per_second == 0


def test_a_room_that_was_just_opened_has_no_rate_yet() -> None:
    """When its edits were made is not known."""
    seen = sight(reading(0, {}), reading(1, {}, room("a", 50, 9)))
    assert seen.busiest[0].edits_per_second == 0


def test_loop_lag_is_that_of_the_time_between() -> None:
    """The bucket with the 99th of 100 timers; what was long ago does not count."""
    before = reading(0, lags(10, 10, 50, 50))
    assert sight(before, reading(1, lags(107, 108, 150, 150))).loop_lag_seconds == 0.1
    assert sight(before, reading(1, lags(108, 109, 150, 150))).loop_lag_seconds == 0.01
    assert sight(before, before).loop_lag_seconds == 0


def test_loop_lag_is_never_more_than_the_worst() -> None:
    """Beyond the last bound of the histogram stands the worst lag so far, which JSON can hold."""
    now = reading(1, {**lags(0, 0, 0, 10), ("backline_loop_lag_max_seconds", ()): 3.5})
    assert sight(reading(0, {}), now).loop_lag_seconds == 3.5


def test_the_picture_shows_the_busiest_and_counts_the_rest() -> None:
    """Rooms beyond the height are a number."""
    rooms = [room(f"p{number}", number * 10, 1) for number in range(5)]
    before = reading(0, {}, *(room(f"p{number}", 0, 1) for number in range(5)))
    lines = picture({"http://node": sight(before, reading(1, {}, *rooms))}, 2)
    assert [line.split()[0] for line in lines if line.startswith("p")] == ["project", "p4", "p3"]
    assert lines[-1] == "and 3 more rooms"
