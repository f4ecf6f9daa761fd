"""LiveKit: tokens signed here, rooms asked over Twirp, webhooks signed by the server with our own key.

A self-hosted server does not forget a token when its holder is removed: tokens live for minutes, and whoever records
`Joined` has to look whether the role in it still holds.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, TypeVar
from uuid import UUID

import aiohttp
import jwt
from google.protobuf.json_format import ParseError
from google.protobuf.message import DecodeError
from livekit import api
from livekit.api.room_service import RoomService
from livekit.protocol.models import ParticipantInfo, ParticipantPermission, TrackSource
from livekit.protocol.webhook import WebhookEvent

from studio.roles import Role
from voice.errors import BadWebhook, Misconfigured, NotThere, Unavailable
from voice.events import Finished, Irrelevant, Joined, Left, VoiceEvent
from voice.grants import Grants
from voice.provider import Entrance, Guest, Present
from voice.rooms import project_of, user_of
from voice.settings import VoiceSettings

T = TypeVar("T")

NAME: Final = "livekit"
MICROPHONE: Final = "microphone"
OURS_TO_MEND: Final = frozenset({"unauthenticated", "permission_denied"})


@asynccontextmanager
async def open_livekit(settings: VoiceSettings) -> AsyncIterator["LiveKit"]:
    """The provider with its connections."""
    keys = settings.livekit
    async with aiohttp.ClientSession() as session:
        rooms = api.LiveKitAPI(keys.url, keys.api_key, keys.api_secret.get_secret_value(), session=session).room
        yield LiveKit(settings, rooms)


class LiveKit:
    """A `VoiceProvider`."""

    name = NAME

    def __init__(self, settings: VoiceSettings, rooms: RoomService) -> None:
        self._settings = settings
        self._rooms = rooms
        keys = settings.livekit
        self._key, self._secret = keys.api_key, keys.api_secret.get_secret_value()
        self._webhooks = api.WebhookReceiver(api.TokenVerifier(self._key, self._secret))

    async def enter(self, room: str, guest: Guest, now: float) -> Entrance:
        idle = self._settings.idle_minutes * 60
        wanted = api.CreateRoomRequest(
            name=room,
            empty_timeout=idle,
            departure_timeout=idle,
            max_participants=self._settings.participants_max,
        )
        await self._asked(room, "", self._rooms.create_room(wanted))
        minutes = self._settings.token_minutes
        expires_at = int(now) + minutes * 60
        return Entrance(NAME, _socket(self._settings.livekit.url), self._token(room, guest, minutes), room, expires_at)

    async def present(self, room: str) -> list[Present]:
        try:
            answer = await self._asked(room, "", self._rooms.list_participants(api.ListParticipantsRequest(room=room)))
        except NotThere:
            return []
        here = (each for each in answer.participants if each.state != ParticipantInfo.State.DISCONNECTED)
        found = ((user_of(each.identity), each) for each in here if _is_person(each))
        return [Present(each.sid, user_id, float(each.joined_at)) for user_id, each in found if user_id is not None]

    async def set_grants(self, room: str, user_id: UUID, grants: Grants) -> None:
        permission = ParticipantPermission(
            can_subscribe=grants.listen,
            can_publish=grants.speak,
            can_publish_sources=[TrackSource.MICROPHONE] if grants.speak else [],
        )
        wanted = api.UpdateParticipantRequest(room=room, identity=str(user_id), permission=permission)
        await self._asked(room, str(user_id), self._rooms.update_participant(wanted))

    async def remove(self, room: str, user_id: UUID) -> None:
        whom = api.RoomParticipantIdentity(room=room, identity=str(user_id))
        await self._asked(room, str(user_id), self._rooms.remove_participant(whom))

    async def end(self, room: str) -> None:
        await self._asked(room, "", self._rooms.delete_room(api.DeleteRoomRequest(room=room)))

    def read(self, headers: Mapping[str, str], body: bytes, now: float) -> VoiceEvent:
        authorization = headers.get("authorization", "")
        try:
            return _event(self._webhooks.receive(body.decode(), authorization.removeprefix("Bearer ")))
        except (ParseError, UnicodeDecodeError) as error:
            raise BadWebhook(f"{type(error).__name__}: {error}") from None
        except jwt.InvalidTokenError as error:
            raise BadWebhook(f"the token proves nothing: {error}") from None
        except Exception as error:  # the library raises bare exceptions for a missing or wrong hash
            raise BadWebhook(str(error)) from None

    async def _asked(self, room: str, identity: str, call: Awaitable[T]) -> T:
        """The answer, or the error of this floor that the library's means.

        The time-out is ours: the library passes None for its own, which lifts the session's. And it takes every error
        for a JSON object (AttributeError).
        """
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                return await call
        except api.ServerError as error:
            if error.code == "not_found":
                raise NotThere(room, identity) from None
            if error.code in OURS_TO_MEND or error.status in {401, 403}:
                raise Misconfigured(NAME, error.code) from None
            raise Unavailable(NAME, f"{error.status} {error.code}") from None
        except (aiohttp.ClientError, TimeoutError, OSError, DecodeError, AttributeError) as error:
            raise Unavailable(NAME, str(error) or type(error).__name__) from None

    def _token(self, room: str, guest: Guest, minutes: int) -> str:
        may = api.VideoGrants(
            room_join=True,
            room=room,
            can_subscribe=guest.grants.listen,
            can_publish=guest.grants.speak,
            can_publish_sources=[MICROPHONE] if guest.grants.speak else [],
            can_publish_data=False,
            can_update_own_metadata=False,
        )
        token = api.AccessToken(self._key, self._secret).with_identity(str(guest.user_id)).with_name(guest.name)
        metadata = json.dumps({"role": guest.role.value})
        return token.with_metadata(metadata).with_ttl(timedelta(minutes=minutes)).with_grants(may).to_jwt()


def _event(event: WebhookEvent) -> VoiceEvent:
    project_id, who = project_of(event.room.name), event.participant
    if not event.id:
        raise BadWebhook("no event id")
    if project_id is None:
        return Irrelevant(event.id)
    if event.event == "room_finished":
        return Finished(event.id, project_id, float(event.created_at))
    user_id = user_of(who.identity)
    if user_id is None or not _is_person(who):
        return Irrelevant(event.id)
    match event.event:
        case "participant_joined":
            return Joined(event.id, project_id, who.sid, user_id, _role(who.metadata), float(event.created_at))
        case "participant_left" | "participant_connection_aborted":
            return Left(event.id, project_id, who.sid, user_id, float(event.created_at))
    return Irrelevant(event.id)


def _is_person(who: ParticipantInfo) -> bool:
    return who.kind == ParticipantInfo.Kind.STANDARD


def _role(metadata: str) -> Role | None:
    try:
        return Role(json.loads(metadata)["role"])
    except (ValueError, KeyError, TypeError):
        return None


def _socket(url: str) -> str:
    """Where a browser connects: LiveKit's address as a websocket's."""
    return f"ws{url.removeprefix('http')}" if url.startswith("http") else url
