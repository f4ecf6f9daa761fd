"""Projects on the real servers, and Python clients in them."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple, TypeAlias

import httpx
import pytest

from launch.app import App

Stored: TypeAlias = dict[str, dict[str, Any]]


class Seat(NamedTuple):
    """Where somebody opens a project: `url` and `token` for backline.open; `id` is the user's."""

    url: str
    token: str
    id: str


class Song:
    """A project of its owner's, to which others are invited."""

    def __init__(self, http: httpx.AsyncClient, owner: Seat, project: str) -> None:
        self.http, self.owner, self.project = http, owner, project

    async def invite(self, name: str, role: str = "editor") -> Seat:
        """Another person with a role."""
        user = await call(self.http, "POST", "/api/guests", "", {"name": name})
        path = f"/api/projects/{self.project}/invites"
        invite = await call(self.http, "POST", path, self.owner.token, {"role": role})
        await call(self.http, "POST", f"/api/invites/{invite['token']}/accept", user["token"], {})
        return Seat(self.owner.url, user["token"], user["user"]["id"])

    async def stored(self) -> Stored:
        """The committed document, as the API gives it."""
        found: Stored = await call(self.http, "GET", f"/api/projects/{self.project}/document", self.owner.token)
        return found

    async def ticket(self, seat: Seat) -> dict[str, str]:
        """What POST …/ticket gives this person."""
        found: dict[str, str] = await call(self.http, "POST", f"/api/projects/{self.project}/ticket", seat.token, {})
        return found

    async def order(self, method: str, path: str, body: dict[str, object] | None = None) -> None:
        """Something only the owner may do, below the project's path."""
        await call(self.http, method, f"/api/projects/{self.project}{path}", self.owner.token, body)


async def call(http: httpx.AsyncClient, method: str, path: str, token: str, body: object = None) -> Any:
    """One request of the API."""
    http.cookies.clear()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = await http.request(method, path, json=body, headers=headers)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


@pytest.fixture
async def song(api_server: App, collab: App) -> AsyncIterator[Song]:
    """A new project."""
    async with httpx.AsyncClient(base_url=api_server.http, verify=False) as http:
        guest = await call(http, "POST", "/api/guests", "", {"name": "Ana"})
        project = (await call(http, "POST", "/api/projects", guest["token"], {"name": "Song"}))["id"]
        yield Song(http, Seat(f"{api_server.http}/p/{project}", guest["token"], guest["user"]["id"]), project)
