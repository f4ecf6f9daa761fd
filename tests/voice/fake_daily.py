"""Daily's REST API as it is documented: rooms, meeting tokens, presence, permissions, eject. It carries no sound.

It was written from Daily's description, not from the service: what the real one does beyond that is not shown here.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final

from aiohttp import web

from tests.voice.fake_livekit import idle, serving

API_KEY: Final = "a daily key of the tests"
WEBHOOK_SECRET: Final = base64.b64encode(b"a webhook secret of the tests").decode()


class Refused(Exception):
    """A client may not come in."""


@dataclass
class FakeDaily:
    """Rooms, tokens, who is in them, and how the service misbehaves next."""

    url: str = ""
    rooms: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    people: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    misbehaviour: list[web.Response | float] = field(default_factory=list)
    """For the next calls, in order: an answer instead of the right one, or seconds to wait before it."""
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def connect(self, token: str, now: float | None = None) -> str:
        """The session a client with this token gets. Raises Refused."""
        told, moment = self.tokens[token], time.time() if now is None else now
        room = self.rooms.get(told["room_name"])
        if room is None or moment > told["exp"] or moment > room["config"]["exp"]:
            raise Refused
        inside = self.people.setdefault(told["room_name"], {})
        if len(inside) >= room["config"]["max_participants"]:
            raise Refused
        session = f"session-{next(self._numbers)}"
        inside[session] = dict(told, joined=moment, permissions=dict(told["permissions"]))
        return session

    def inside(self, room: str) -> set[str]:
        """User ids in the room."""
        return {person["user_id"] for person in self.people.get(room, {}).values()}

    def webhook(self, kind: str, id: str = "", **payload: object) -> tuple[dict[str, str], bytes]:
        """Headers and body as Daily posts them."""
        said = {"version": "1.0.0", "type": kind, "id": id or f"ev-{next(self._numbers)}", "payload": payload}
        body = json.dumps(said).encode()
        return signed(body), body

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.calls.append(f"{request.method} {request.path}")
        if self.misbehaviour:
            next_one = self.misbehaviour.pop(0)
            if isinstance(next_one, web.Response):
                return next_one
            await idle(next_one)
        if request.headers.get("Authorization") != f"Bearer {API_KEY}":
            return web.json_response({"error": "authentication-error"}, status=401)
        body = await request.json() if request.can_read_body else {}
        return self._do(request.method, request.path.removeprefix("/v1").strip("/").split("/"), body)

    def _do(self, method: str, path: list[str], body: dict[str, Any]) -> web.Response:
        match method, path:
            case "POST", ["rooms"]:
                return self._make(body)
            case "POST", ["meeting-tokens"]:
                token = f"token-{next(self._numbers)}"
                self.tokens[token] = body["properties"]
                return web.json_response({"token": token})
            case _, ["rooms", name, *rest] if name in self.rooms:
                return self._room(method, name, rest, body)
        return web.json_response({"error": "not-found", "info": "room does not exist"}, status=404)

    def _make(self, body: dict[str, Any]) -> web.Response:
        name = body["name"]
        if name in self.rooms or len(name) > 41:
            return web.json_response({"error": "invalid-request-error", "info": "a room named so exists"}, status=400)
        privacy = body.get("privacy", "public")
        url = f"https://backline.daily.co/{name}"
        self.rooms[name] = {"name": name, "privacy": privacy, "url": url, "config": body["properties"]}
        return web.json_response(self.rooms[name])

    def _room(self, method: str, name: str, rest: list[str], body: dict[str, Any]) -> web.Response:
        inside = self.people.setdefault(name, {})
        match method, rest:
            case "POST", []:
                self.rooms[name]["config"] |= body["properties"]
                return web.json_response(self.rooms[name])
            case "DELETE", []:
                del self.rooms[name], self.people[name]
                return web.json_response({"deleted": True, "name": name})
            case "GET", ["presence"]:
                data = [_presence(name, session, person) for session, person in inside.items()]
                return web.json_response({"total_count": len(data), "data": data})
            case "POST", ["eject"]:
                gone = [session for session, person in inside.items() if person["user_id"] in body["user_ids"]]
                for session in gone:
                    del inside[session]
                return web.json_response({"ejectedIds": gone})
            case "POST", ["update-permissions"]:
                for session, permissions in body["data"].items():
                    inside[session]["permissions"] |= permissions
                return web.json_response({})
        return web.json_response({"error": "not-found"}, status=404)


def signed(body: bytes, stamp: float | None = None, secret: str = WEBHOOK_SECRET) -> dict[str, str]:
    """The headers of a webhook with this body, sent at `stamp` (milliseconds since 1970)."""
    timestamp = str(int(time.time() * 1000 if stamp is None else stamp))
    digest = hmac.new(base64.b64decode(secret), timestamp.encode() + b"." + body, hashlib.sha256).digest()
    return {"X-Webhook-Timestamp": timestamp, "X-Webhook-Signature": base64.b64encode(digest).decode()}


def _presence(room: str, session: str, person: dict[str, Any]) -> dict[str, Any]:
    joined = datetime.fromtimestamp(person["joined"], UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    name, user = person["user_name"], person["user_id"]
    return {"room": room, "id": session, "userId": user, "userName": name, "joinTime": joined, "duration": 1}


@asynccontextmanager
async def fake_daily() -> AsyncIterator[FakeDaily]:
    """A service that is listening."""
    fake = FakeDaily()
    app = web.Application()
    app.router.add_route("*", "/v1/{rest:.*}", fake.answer)
    async with serving(app) as url:
        fake.url = f"{url}/v1"
        yield fake
