"""A LiveKit server as its API is documented: Twirp over HTTP, grants checked in the bearer token. It carries no sound.

It was written from the protocol's description, not from a server: what a real one does beyond that is not shown here.
"""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import jwt
from aiohttp import web
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from livekit.protocol.models import ParticipantInfo, ParticipantPermission, Room
from livekit.protocol.room import (
    CreateRoomRequest,
    DeleteRoomRequest,
    DeleteRoomResponse,
    ListParticipantsRequest,
    ListParticipantsResponse,
    RemoveParticipantResponse,
    RoomParticipantIdentity,
    UpdateParticipantRequest,
)
from livekit.protocol.webhook import WebhookEvent

KEY: Final = "APIbackline"
SECRET: Final = "a livekit secret of the tests, long enough"
STATUS: Final = {"unauthenticated": 401, "permission_denied": 403, "not_found": 404, "resource_exhausted": 429}


class TwirpError(Exception):
    """An answer that is an error."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class FakeLiveKit:
    """Rooms, who is in them, and how the server misbehaves next."""

    url: str = ""
    rooms: dict[str, CreateRoomRequest] = field(default_factory=dict)
    people: dict[str, dict[str, ParticipantInfo]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    misbehaviour: list[web.Response | float] = field(default_factory=list)
    """For the next calls, in order: an answer instead of the right one, or seconds to wait before it."""
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def connect(self, token: str) -> ParticipantInfo:
        """What a client with this token becomes. Raises TwirpError when it may not come in."""
        claims = self.claims(token)
        video = claims["video"]
        if not video.get("roomJoin"):
            raise TwirpError("permission_denied")
        room = self.rooms.setdefault(video["room"], CreateRoomRequest(name=video["room"]))
        inside = self.people.setdefault(room.name, {})
        if claims["sub"] not in inside and room.max_participants and len(inside) >= room.max_participants:
            raise TwirpError("resource_exhausted")
        permission = ParticipantPermission(
            can_subscribe=video["canSubscribe"],
            can_publish=video["canPublish"],
            can_publish_data=video["canPublishData"],
        )
        inside[claims["sub"]] = ParticipantInfo(
            sid=f"PA_{next(self._numbers)}",
            identity=claims["sub"],
            name=claims.get("name", ""),
            metadata=claims.get("metadata", ""),
            joined_at=int(time.time()),
            state=ParticipantInfo.State.ACTIVE,
            permission=permission,
        )
        return inside[claims["sub"]]

    def inside(self, room: str) -> set[str]:
        """Identities in the room."""
        return set(self.people.get(room, {}))

    def claims(self, token: str) -> dict[str, Any]:
        """The claims of a bearer token. Raises TwirpError when it proves nothing."""
        try:
            options: Any = {"require": ["exp", "iss"]}
            claims: dict[str, Any] = jwt.decode(token, SECRET, algorithms=["HS256"], issuer=KEY, options=options)
        except jwt.InvalidTokenError:
            raise TwirpError("unauthenticated") from None
        return claims

    def webhook(
        self, event: str, room: str, who: ParticipantInfo | None = None, at: float | None = None, id: str = ""
    ) -> tuple[dict[str, str], bytes]:
        """Headers and body as the server posts them."""
        said = WebhookEvent(
            event=event,
            room=Room(name=room, sid=f"RM_{room}"),
            participant=who,
            id=id or f"EV_{next(self._numbers)}",
            created_at=int(time.time() if at is None else at),
        )
        body = json.dumps(MessageToDict(said)).encode()
        return {"Authorization": signature(body), "Content-Type": "application/webhook+json"}, body

    async def answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        self.calls.append(method)
        if self.misbehaviour:
            next_one = self.misbehaviour.pop(0)
            if isinstance(next_one, web.Response):
                return next_one
            await idle(next_one)
        try:
            video = self.claims(request.headers.get("Authorization", "").removeprefix("Bearer "))["video"]
            done = self._do(method, await request.read(), video)
        except TwirpError as error:
            told = {"code": error.code, "msg": "as documented"}
            return web.json_response(told, status=STATUS[error.code])
        return web.Response(body=done.SerializeToString(), content_type="application/protobuf")

    def _do(self, method: str, body: bytes, video: dict[str, Any]) -> Message:
        match method:
            case "CreateRoom":
                wanted = CreateRoomRequest.FromString(body)
                _require(video.get("roomCreate"))
                room = self.rooms.setdefault(wanted.name, wanted)
                return Room(name=room.name, max_participants=room.max_participants)
            case "DeleteRoom":
                name = DeleteRoomRequest.FromString(body).room
                _require(video.get("roomCreate"))
                self._room(name)
                del self.rooms[name]
                self.people.pop(name, None)
                return DeleteRoomResponse()
            case "ListParticipants":
                name = ListParticipantsRequest.FromString(body).room
                self._administer(video, name)
                return ListParticipantsResponse(participants=self.people.get(name, {}).values())
            case "RemoveParticipant":
                whom = RoomParticipantIdentity.FromString(body)
                self._administer(video, whom.room)
                self._person(whom.room, whom.identity)
                del self.people[whom.room][whom.identity]
                return RemoveParticipantResponse()
            case "UpdateParticipant":
                change = UpdateParticipantRequest.FromString(body)
                self._administer(video, change.room)
                person = self._person(change.room, change.identity)
                person.permission.CopyFrom(change.permission)
                return person
        raise TwirpError("not_found")

    def _administer(self, video: dict[str, Any], room: str) -> None:
        _require(video.get("roomAdmin") and video.get("room") == room)
        self._room(room)

    def _room(self, name: str) -> None:
        if name not in self.rooms:
            raise TwirpError("not_found")

    def _person(self, room: str, identity: str) -> ParticipantInfo:
        if identity not in self.people.get(room, {}):
            raise TwirpError("not_found")
        return self.people[room][identity]


def signature(body: bytes, secret: str = SECRET, key: str = KEY, seconds: int = 300) -> str:
    """The Authorization of a webhook with this body."""
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    now = int(time.time())
    return jwt.encode({"iss": key, "nbf": now - 5, "exp": now + seconds, "sha256": digest}, secret, "HS256")


def _require(granted: object) -> None:
    if not granted:
        raise TwirpError("permission_denied")


async def idle(seconds: float) -> None:
    """Keeps the caller waiting."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """The app on an unused port of this machine; its address."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def fake_livekit(fake: FakeLiveKit | None = None, *routes: web.RouteDef) -> AsyncIterator[FakeLiveKit]:
    """A server that is listening, with more routes if there are any."""
    fake = fake or FakeLiveKit()
    app = web.Application()
    app.add_routes(routes)
    app.router.add_post("/twirp/livekit.RoomService/{method}", fake.answer)
    async with serving(app) as url:
        fake.url = url
        yield fake
