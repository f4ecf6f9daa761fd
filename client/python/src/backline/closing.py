"""What the end of a connection means: come back, come back with a new ticket, or never."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from backline.errors import EpochChanged, Malformed, NoSuchProject, NotAllowed, Refused, TooLarge


@dataclass(frozen=True, slots=True)
class ComeBack:
    """Try again; `slow`: the server has too much to do already."""

    slow: bool


@dataclass(frozen=True, slots=True)
class RenewTicket:
    """The ticket was not good: come back with another, if one is to be had."""

    reason: str


@dataclass(frozen=True, slots=True)
class Over:
    """For good."""

    error: Refused


Ending: TypeAlias = ComeBack | RenewTicket | Over

SLOW: Final = frozenset({1013, 4429, 4500, 4503, 4513})
STALE: Final = frozenset({4401, 4408})
REFUSALS: Final[Mapping[int, type[Refused]]] = MappingProxyType(
    {
        1009: TooLarge,
        4400: Malformed,
        4403: NotAllowed,
        4404: NoSuchProject,
        4409: EpochChanged,
        4413: TooLarge,
    }
)
FIRST_SECONDS: Final = 0.5
SLOW_SECONDS: Final = 4.0
LONGEST_SECONDS: Final = 15.0


def ending(code: int, reason: str = "") -> Ending:
    """What to do after a close code: 4400-4499 are permanent refusals, but for 4401, 4408 and 4429."""
    if code in SLOW:
        return ComeBack(slow=True)
    if code in STALE:
        return RenewTicket(reason or "the ticket was refused")
    if code in REFUSALS or 4400 <= code <= 4499:
        return Over(REFUSALS.get(code, Malformed)(reason or "the server ended the connection", code))
    return ComeBack(slow=False)


def pause(failures: int, slow: bool, chance: float) -> float:
    """Seconds before the next attempt, `failures` in a row lying behind; `chance` in [0, 1).

    It spreads over the whole span: when a server restarts, its clients shall not come back as one.
    """
    most = min(LONGEST_SECONDS, (SLOW_SECONDS if slow else FIRST_SECONDS) * 2.0 ** min(failures, 10))
    return most * (0.1 + 0.9 * chance)
