"""The port: what the studio asks of whoever carries the voices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from studio.roles import Role
from voice.events import VoiceEvent
from voice.grants import Grants


@dataclass(frozen=True, slots=True)
class Guest:
    """Whom a token is for."""

    user_id: UUID
    name: str
    role: Role
    grants: Grants


@dataclass(frozen=True, slots=True)
class Entrance:
    """What a client connects with: `token` lets this person into this room until `expires_at` (seconds since 1970)."""

    provider: str
    url: str
    token: str
    room: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody the provider says is in a room now; `joined_at` in seconds since 1970."""

    session_id: str
    user_id: UUID
    joined_at: float


class VoiceProvider(Protocol):
    """One provider. Every call may raise Unavailable and Misconfigured."""

    @property
    def name(self) -> str: ...

    async def enter(self, room: str, guest: Guest, now: float) -> Entrance:
        """Makes sure that the room is there, and lets `guest` in for as long as a token lives."""

    async def present(self, room: str) -> list[Present]:
        """Who is in the room; nobody if there is no such room."""

    async def set_grants(self, room: str, user_id: UUID, grants: Grants) -> None:
        """Changes what somebody in the room may do from now on. Raises NotThere."""

    async def remove(self, room: str, user_id: UUID) -> None:
        """Disconnects somebody. Raises NotThere."""

    async def end(self, room: str) -> None:
        """Disconnects everybody and forgets the room. Raises NotThere."""

    def read(self, headers: Mapping[str, str], body: bytes, now: float) -> VoiceEvent:
        """The event of a webhook, whose signature covers `body` byte for byte. Raises BadWebhook."""
