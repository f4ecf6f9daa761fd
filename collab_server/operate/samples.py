"""What two readings of a node, some seconds apart, say about the time between them. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from collab_server.operate.node import Samples

RATES: Final[Mapping[str, str]] = {
    "edits": "backline_updates_total",
    "deliveries": "backline_deliveries_total",
    "commits": "backline_commits_total",
    "presence": "backline_presence_messages_total",
    "joins": "backline_connections_opened_total",
}
LAG_QUANTILE: Final = 0.99


@dataclass(frozen=True, slots=True)
class Reading:
    """A node at one moment (`at`: seconds of a clock that never goes back)."""

    url: str
    at: float
    rooms: dict[str, dict[str, Any]]
    samples: Samples


@dataclass(frozen=True, slots=True)
class RoomSight:
    """A room between two readings; one that was opened anew between them counts from 0."""

    project: str
    edits_per_second: float
    rows_per_second: float
    members: int
    unsaved_bytes: int
    document_bytes: int


@dataclass(frozen=True, slots=True)
class Sight:
    """A node between two readings. `loop_lag_seconds`: 99 of 100 timers were at most so late (a bucket's bound)."""

    url: str
    rooms: int
    connections: int
    per_second: dict[str, float]
    loop_lag_seconds: float
    loop_lag_max_seconds: float
    save_lag_seconds: float
    commit_seconds: float
    unsaved_bytes: int
    outbox_bytes: int
    refusals: int
    busiest: tuple[RoomSight, ...]

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)


def sight(before: Reading, now: Reading) -> Sight:
    """What happened from `before` to `now`, both of one node; a node that was restarted meanwhile counts from 0."""
    seconds = max(now.at - before.at, 1e-9)

    def grown(name: str) -> float:
        return max(0.0, _value(now.samples, name) - _value(before.samples, name))

    commits = grown("backline_commit_seconds_count")
    worst = _value(now.samples, "backline_loop_lag_max_seconds")
    lag = _quantile(before.samples, now.samples, "backline_loop_lag_seconds_bucket", LAG_QUANTILE)
    return Sight(
        url=now.url,
        rooms=int(_value(now.samples, "backline_rooms")),
        connections=int(_value(now.samples, "backline_connections")),
        per_second={label: grown(name) / seconds for label, name in RATES.items()},
        loop_lag_seconds=min(lag, worst),
        loop_lag_max_seconds=worst,
        save_lag_seconds=_value(now.samples, "backline_save_lag_seconds"),
        commit_seconds=grown("backline_commit_seconds_sum") / commits if commits else 0.0,
        unsaved_bytes=int(_value(now.samples, "backline_unsaved_bytes")),
        outbox_bytes=int(_value(now.samples, "backline_outbox_bytes")),
        refusals=int(sum(value for (name, _), value in now.samples.items() if name == "backline_refusals_total")),
        busiest=tuple(_rooms(before, now, seconds)),
    )


def _rooms(before: Reading, now: Reading, seconds: float) -> list[RoomSight]:
    rooms = [_room(before.rooms.get(project), facts, seconds) for project, facts in now.rooms.items()]
    return sorted(rooms, key=lambda room: (-room.edits_per_second, -room.members, room.project))


def _room(was: dict[str, Any] | None, now: dict[str, Any], seconds: float) -> RoomSight:
    """A room that has just been opened begins with this reading: when its edits were made is not known."""
    before = was if was is not None else now
    return RoomSight(
        project=now["project"],
        edits_per_second=max(0, now["edits"] - before["edits"]) / seconds,
        rows_per_second=max(0, now["head"] - before["head"]) / seconds,
        members=now["members"],
        unsaved_bytes=now["unsaved_bytes"],
        document_bytes=now["document_bytes"],
    )


def _value(samples: Samples, name: str) -> float:
    return samples.get((name, ()), 0.0)


def _quantile(before: Samples, now: Samples, name: str, quantile: float) -> float:
    """The upper bound of the bucket that holds this quantile of what came between; 0 when nothing did."""
    buckets = sorted(
        (float(dict(labels)["le"]), value - before.get((found, labels), 0.0))
        for (found, labels), value in now.items()
        if found == name
    )
    if not buckets or buckets[-1][1] <= 0:
        return 0.0
    return next(bound for bound, count in buckets if count >= quantile * buckets[-1][1])
