"""The client package of client/web, and people with a project on the real servers."""

import os
from typing import NamedTuple

import httpx
import pytest

from launch.app import App
from tests.client.musician import WEB


class Player(NamedTuple):
    """Somebody who may edit a project."""

    api: str
    token: str
    project: str


class Song(NamedTuple):
    """A project of two people."""

    owner: Player
    guest: Player


@pytest.fixture
def packages() -> None:
    """The packages of client/web's lock file; ./dev installs them."""
    if (WEB / "node_modules").is_dir():
        return
    missing = "client/web/node_modules is missing: ./dev test installs it"
    pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)


@pytest.fixture
async def song(packages: None, api_server: App) -> Song:
    """A new project, its owner, and an editor."""
    async with httpx.AsyncClient(base_url=api_server.http, verify=False) as http:
        owner, guest = [(await _post(http, "/api/guests", "", {"name": name}))["token"] for name in ("Ana", "Ben")]
        project = (await _post(http, "/api/projects", owner, {}))["id"]
        invite = (await _post(http, f"/api/projects/{project}/invites", owner, {"role": "editor"}))["token"]
        await _post(http, f"/api/invites/{invite}/accept", guest, {})
    return Song(*(Player(api_server.http, token, project) for token in (owner, guest)))


async def _post(http: httpx.AsyncClient, path: str, token: str, body: dict[str, str]) -> dict[str, str]:
    http.cookies.clear()
    answer = await http.post(path, json=body, headers={"Authorization": f"Bearer {token}"} if token else {})
    assert answer.is_success, answer.text
    found: dict[str, str] = answer.json()
    return found
