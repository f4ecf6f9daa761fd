"""What the load client is asked to do and what it answers: plain data, JSON between two processes."""

from dataclasses import dataclass, field
from typing import Any, Literal

from bench.wire import Dialect

Shape = Literal["closed", "open", "presence", "join", "idle"]


@dataclass(slots=True, frozen=True)
class Load:
    """One scenario's numbers: `rate` is edits (or cursor moves a client) per second, times are seconds."""

    shape: Shape
    clients: int = 10
    rooms: int = 1
    writers: int = 2  # in each room
    window: int = 4  # outstanding edits of each writer
    rate: float = 0.0
    preload: int = 0
    joins: int = 0
    together: int = 1  # joins at the same time
    warmup: float = 1.0
    duration: float = 3.0


@dataclass(slots=True, frozen=True)
class Door:
    """Where a client enters: the room's name on the wire and the request's target, one for each seat of the room."""

    room: str
    targets: tuple[str, ...]


@dataclass(slots=True, frozen=True)
class Job:
    """A load against a running server; `trees` names the process trees whose CPU is counted."""

    load: Load
    dialect: Dialect
    port: int
    doors: tuple[Door, ...]
    trees: dict[str, int] = field(default_factory=dict)
    core: int | None = None

    def dump(self) -> dict[str, Any]:
        """JSON-ready."""
        load = {name: getattr(self.load, name) for name in Load.__dataclass_fields__}
        doors = [[door.room, list(door.targets)] for door in self.doors]
        return {
            "load": load,
            "dialect": self.dialect.value,
            "port": self.port,
            "doors": doors,
            "trees": self.trees,
            "core": self.core,
        }

    @classmethod
    def load_from(cls, data: dict[str, Any]) -> "Job":
        """The inverse of `dump`."""
        doors = tuple(Door(room, tuple(targets)) for room, targets in data["doors"])
        return cls(
            Load(**data["load"]), Dialect(data["dialect"]), data["port"], doors, dict(data["trees"]), data["core"]
        )
