"""What a worker process is asked to do: plain data, a line of JSON between two processes."""

from dataclasses import asdict, dataclass
from typing import Any

from loadtest.wire import Dialect


@dataclass(slots=True, frozen=True)
class Place:
    """A room: its name on the wire (our server: the project's id) and a bearer token for each seat."""

    name: str
    people: int
    tokens: tuple[str, ...] = ()


@dataclass(slots=True, frozen=True)
class Job:
    """One worker's part: `http` is empty where rooms are opened by name alone; `ws` may name several doors.

    `rate` is edits per second of this worker; `pace` multiplies how fast people live; times are seconds.
    """

    scenario: str
    worker: int
    dialect: Dialect
    http: str
    ws: tuple[str, ...]
    places: tuple[Place, ...]
    duration: float
    pace: float
    rate: float
    settle: float
    seed: int

    def dump(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self) | {"dialect": self.dialect.value}

    @classmethod
    def load(cls, data: dict[str, Any]) -> "Job":
        """The inverse of `dump`."""
        places = tuple(Place(place["name"], place["people"], tuple(place["tokens"])) for place in data["places"])
        ready = {"places": places, "ws": tuple(data["ws"]), "dialect": Dialect(data["dialect"])}
        return cls(**{**data, **ready})
