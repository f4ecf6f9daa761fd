"""The scenarios: what they are for, how large they are unless told otherwise, and which life their people lead."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from loadtest import crowds, evening
from loadtest.person import Person
from loadtest.stage import Stage

Life = Callable[[Stage, Person], Awaitable[None]]


@dataclass(slots=True, frozen=True)
class Scenario:
    """`driven`: edits leave at a rate of the whole run, instead of each person's own."""

    name: str
    title: str
    live: Life
    rooms: int
    people: int
    duration: float
    driven: bool = False


ALL: Final[tuple[Scenario, ...]] = (
    Scenario("studio-evening", "musicians join, drag, edit, comment, idle, leave", evening.evening, 50, 4, 60),
    Scenario("join-storm", "everybody opens the page in the same moment", crowds.storm, 20, 10, 40),
    Scenario("presence", "cursors that never rest", crowds.presence, 5, 10, 30),
    Scenario("soak", "an evening that goes on, and a verdict on memory", evening.evening, 20, 4, 1800),
    Scenario("reconnect-storm", "all lines break at once, again and again", crowds.reconnects, 20, 10, 40),
    Scenario("mix", "many rooms: most quiet, some alive, a few busy", crowds.mixed, 200, 2, 60),
    Scenario("steady", "edits at the rate of --rate", crowds.stay, 1, 10, 30, driven=True),
    Scenario("find-limit", "the rate rises until the p99 bound breaks", crowds.stay, 10, 4, 240, driven=True),
)
NAMED: Final[Mapping[str, Scenario]] = MappingProxyType({scenario.name: scenario for scenario in ALL})
