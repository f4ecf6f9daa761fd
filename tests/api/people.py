"""People who use the app in tests, and how they read its answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI

HOST = "http://studio.test"


@dataclass(frozen=True)
class Musician:
    """Somebody with an account and a bearer token."""

    http: httpx.AsyncClient
    user: dict[str, Any]
    token: str

    @property
    def id(self) -> str:
        return str(self.user["id"])

    async def call(self, method: str, path: str, body: object = None, **rest: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        sent: dict[str, Any] = {} if body is None else {"json": body}
        return await self.http.request(method, path, headers=headers, **sent, **rest)

    async def get(self, path: str, **rest: Any) -> httpx.Response:
        return await self.call("GET", path, **rest)

    async def post(self, path: str, body: object = None) -> httpx.Response:
        return await self.call("POST", path, body)

    async def patch(self, path: str, body: object) -> httpx.Response:
        return await self.call("PATCH", path, body)

    async def delete(self, path: str) -> httpx.Response:
        return await self.call("DELETE", path)

    async def project(self, name: str = "Night drive") -> str:
        """A new project of theirs, as the path its routes begin with."""
        made = await self.post("/api/projects", {"name": name})
        assert made.status_code == 201, made.text
        return f"/api/projects/{made.json()['id']}"

    async def invite(self, project: str, role: str, **rest: Any) -> str:
        """A new invitation's token."""
        made = await self.post(f"{project}/invites", {"role": role, **rest})
        assert made.status_code == 201, made.text
        return str(made.json()["token"])


Meet = Callable[..., Awaitable[Musician]]


@asynccontextmanager
async def client_of(app: FastAPI, address: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
    """A client without cookies of its own; what the app does not answer is raised here."""
    transport = httpx.ASGITransport(app=app, client=(address, 50_000))
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
        yield client


def code(answer: httpx.Response) -> tuple[int, str]:
    """Status and error code of a refusal."""
    return answer.status_code, answer.json()["error"]["code"]


def nowhere() -> str:
    """The path of a project that does not exist."""
    return f"/api/projects/{uuid4()}"


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """Returns once `true()` is, asked every 20 ms; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110  (what is waited for may be in another process)
            await asyncio.sleep(0.02)


def id_of(project: str) -> UUID:
    """The project's id, of its path."""
    return UUID(project.rsplit("/", 1)[1])
