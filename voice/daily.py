"""Daily.co: three calls of its REST API to let somebody in, its own presence, and webhooks signed with a secret.

A Daily room has no time-out for being empty. It gets an end (`exp`) an idle time ahead, moved on by everyone who
enters: after it nobody gets in, who is in may finish talking, and Daily deletes the room.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import httpx

from voice.errors import BadWebhook, Misconfigured, NotThere, Unavailable
from voice.events import Finished, Irrelevant, Joined, Left, VoiceEvent
from voice.grants import Grants
from voice.provider import Entrance, Guest, Present
from voice.rooms import project_of, user_of
from voice.settings import VoiceSettings

NAME: Final = "daily"
TRUSTED_SECONDS: Final = 300
"""A webhook older than this, or so far in the future, is a replay."""
ATTEMPTS: Final = 2
TRIAL: Final[Mapping[str, str]] = MappingProxyType({"test": "test"})
"""What Daily sends to try an address before there is a webhook, and so unsigned: it wants 200 and nothing else."""


@asynccontextmanager
async def open_daily(settings: VoiceSettings) -> AsyncIterator["Daily"]:
    """The provider with its connections."""
    keys = settings.daily
    headers = {"Authorization": f"Bearer {keys.api_key.get_secret_value()}"}
    async with httpx.AsyncClient(base_url=keys.url, headers=headers, timeout=settings.timeout_seconds) as http:
        yield Daily(settings, http)


class Daily:
    """A `VoiceProvider`."""

    name = NAME

    def __init__(self, settings: VoiceSettings, http: httpx.AsyncClient) -> None:
        self._settings = settings
        self._http = http
        self._secret = base64.b64decode(settings.daily.webhook_secret.get_secret_value())

    async def enter(self, room: str, guest: Guest, now: float) -> Entrance:
        url = await self._open(room, int(now) + self._settings.idle_minutes * 60)
        expires_at = int(now) + self._settings.token_minutes * 60
        properties = {
            "room_name": room,
            "exp": expires_at,
            "user_id": str(guest.user_id),
            "user_name": guest.name,
            "is_owner": False,
            "enable_screenshare": False,
            "start_video_off": True,
            "start_audio_off": not guest.grants.speak,
            "permissions": _permissions(guest.grants),
        }
        made = await self._call("POST", "/meeting-tokens", room, {"properties": properties})
        return Entrance(NAME, url, _text(made, "token"), room, expires_at)

    async def present(self, room: str) -> list[Present]:
        try:
            answer = await self._call("GET", f"/rooms/{room}/presence", room)
        except NotThere:
            return []
        try:
            found = ((user_of(str(each.get("userId"))), each) for each in answer.get("data", []))
            return [
                Present(str(each["id"]), user_id, datetime.fromisoformat(each["joinTime"]).timestamp())
                for user_id, each in found
                if user_id is not None
            ]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unavailable(NAME, f"an unknown form of presence: {error!r}") from None

    async def set_grants(self, room: str, user_id: UUID, grants: Grants) -> None:
        sessions = [each.session_id for each in await self.present(room) if each.user_id == user_id]
        if not sessions:
            raise NotThere(room, str(user_id))
        data = {session: _permissions(grants) for session in sessions}
        await self._call("POST", f"/rooms/{room}/update-permissions", room, {"data": data})

    async def remove(self, room: str, user_id: UUID) -> None:
        answer = await self._call("POST", f"/rooms/{room}/eject", room, {"user_ids": [str(user_id)], "ban": False})
        if not answer.get("ejectedIds"):
            raise NotThere(room, str(user_id))

    async def end(self, room: str) -> None:
        await self._call("DELETE", f"/rooms/{room}", room)

    def read(self, headers: Mapping[str, str], body: bytes, now: float) -> VoiceEvent:
        try:
            said = json.loads(body)
            if said == TRIAL:
                return Irrelevant("")
            self._verify(headers.get("x-webhook-signature", ""), headers.get("x-webhook-timestamp", ""), body, now)
            return _event(said)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BadWebhook(f"{type(error).__name__}: {error}") from None

    def _verify(self, signature: str, timestamp: str, body: bytes, now: float) -> None:
        """Signed: timestamp, a dot, and the body as it came. Raises BadWebhook."""
        if not self._secret:
            raise BadWebhook("VOICE__DAILY__WEBHOOK_SECRET is not set")
        stamp = timestamp.encode("utf-8", "surrogateescape")
        expected = base64.b64encode(hmac.new(self._secret, stamp + b"." + body, hashlib.sha256).digest())
        if not hmac.compare_digest(expected, signature.encode("utf-8", "surrogateescape")):
            raise BadWebhook("the signature is not Daily's")
        if abs(_seconds(timestamp) - now) > TRUSTED_SECONDS:
            raise BadWebhook("too old")

    async def _open(self, room: str, exp: int) -> str:
        """The room's URL. Two who open it at once race: the second finds it made, and moves its end on."""
        properties = {
            "exp": exp,
            "max_participants": self._settings.participants_max,
            "eject_at_room_exp": False,
            "enable_screenshare": False,
            "enable_chat": False,
            "start_video_off": True,
        }
        for _ in range(ATTEMPTS):
            try:
                return _text(await self._call("POST", f"/rooms/{room}", room, {"properties": properties}), "url")
            except NotThere:
                pass
            try:
                wanted = {"name": room, "privacy": "private", "properties": properties}
                return _text(await self._call("POST", "/rooms", room, wanted), "url")
            except Unavailable as error:
                if not error.reason.startswith("400"):
                    raise
        raise Unavailable(NAME, f"room {room} can neither be changed nor made")

    async def _call(self, method: str, path: str, room: str, body: object = None) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                answer = await self._http.request(method, path, json=body)
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            raise Unavailable(NAME, str(error) or type(error).__name__) from None
        if answer.status_code == 404:
            raise NotThere(room)
        if answer.status_code in {401, 403}:
            raise Misconfigured(NAME, str(answer.status_code))
        if not answer.is_success:
            raise Unavailable(NAME, f"{answer.status_code} {answer.text[:200]}")
        return _object(answer)


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unavailable(NAME, "an answer that is no JSON object")
    return found


def _text(answer: Mapping[str, Any], field: str) -> str:
    found = answer.get(field)
    if not isinstance(found, str) or not found:
        raise Unavailable(NAME, f"an answer without {field}")
    return found


def _permissions(grants: Grants) -> dict[str, Any]:
    """Daily's words: sound alone, and nobody administers."""
    return {
        "hasPresence": True,
        "canSend": ["audio"] if grants.speak else False,
        "canReceive": {"base": grants.listen},
        "canAdmin": False,
    }


def _event(said: Mapping[str, Any]) -> VoiceEvent:
    event_id, payload = str(said["id"]), said["payload"]
    project_id = project_of(str(payload.get("room", "")))
    if project_id is None:
        return Irrelevant(event_id)
    if said["type"] == "meeting.ended":
        return Finished(event_id, project_id, float(payload["end_ts"]))
    user_id = user_of(str(payload.get("user_id")))
    if user_id is None:
        return Irrelevant(event_id)
    joined_at = float(payload.get("joined_at", 0))
    match said["type"]:
        case "participant.joined":
            return Joined(event_id, project_id, str(payload["session_id"]), user_id, None, joined_at)
        case "participant.left":
            left_at = joined_at + float(payload.get("duration", 0))
            return Left(event_id, project_id, str(payload["session_id"]), user_id, left_at)
    return Irrelevant(event_id)


def _seconds(timestamp: str) -> float:
    """Daily's stamp, which is in milliseconds or seconds."""
    try:
        value = float(timestamp)
    except ValueError:
        raise BadWebhook("no timestamp") from None
    return value / 1000 if value > 1e11 else value
