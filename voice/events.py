"""What a provider's webhook says, the same for every provider.

Webhooks come late, twice, in any order, or never: `event_id` tells them apart, a session's id and the stamps (seconds
since 1970, the provider's clock) let whoever keeps the record put them in order.
"""

from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from studio.roles import Role


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody connected. `role` is the one their token was made for, None if the provider does not say."""

    event_id: str
    project_id: UUID
    session_id: str
    user_id: UUID
    role: Role | None
    at: float


@dataclass(frozen=True, slots=True)
class Left:
    """This session is over; the same person may be there with another one."""

    event_id: str
    project_id: UUID
    session_id: str
    user_id: UUID
    at: float


@dataclass(frozen=True, slots=True)
class Finished:
    """The room is over, and with it every session that began before `at`."""

    event_id: str
    project_id: UUID
    at: float


@dataclass(frozen=True, slots=True)
class Irrelevant:
    """Genuine, and nothing we act on."""

    event_id: str


VoiceEvent: TypeAlias = Joined | Left | Finished | Irrelevant
