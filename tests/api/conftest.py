"""The app in this process on a real database and a real bus, and people who use it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from api.app import running
from api.settings import ApiSettings, CollabAddress, Settings
from persistence.pool import Pool, open_pool
from persistence.settings import DatabaseSettings
from presence.settings import BusSettings, TicketSettings
from tests.api.people import HOST, Meet, Musician, client_of
from tests.voice.fake_livekit import KEY, FakeLiveKit, fake_livekit
from tests.voice.fake_livekit import SECRET as LIVEKIT_SECRET
from voice.settings import VoiceSettings

SECRET = "a secret of the tests, long enough to sign with"


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built studio page, very small."""
    folder = tmp_path_factory.mktemp("dist")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Backline</title>")
    (folder / "docs.html").write_text("<!doctype html><title>Backline API</title>")
    (folder / "assets" / "index-4f2a.js").write_text("export {}")
    (folder / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder.parent / "secret.txt").write_text("not for you")
    return folder


@pytest.fixture(scope="module")
async def livekit() -> AsyncIterator[FakeLiveKit]:
    """What stands for a LiveKit server."""
    async with fake_livekit() as fake:
        yield fake


@pytest.fixture(scope="module")
def settings(database: str, redis_url: str, dist: Path, livekit: FakeLiveKit) -> Settings:
    """The app's settings on this module's database."""
    return Settings(
        database=DatabaseSettings(url=database, connections_max=8),
        bus=BusSettings(url=redis_url),
        tickets=TicketSettings.model_validate({"secret": SECRET}),
        collab=CollabAddress(public_url="ws://studio.test:8001"),
        api=ApiSettings(public_url=HOST, studio_dist=dist, guests_per_hour_max=1_000_000, shutdown_seconds_max=3),
        voice=VoiceSettings.model_validate(
            {"livekit": {"url": livekit.url, "api_key": KEY, "api_secret": LIVEKIT_SECRET}, "look_seconds": 0}
        ),
    )


@pytest.fixture(scope="module")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The running app."""
    async with running(settings) as app:
        yield app


@pytest.fixture(scope="module")
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app."""
    async with client_of(app) as client:
        yield client


@pytest.fixture(scope="module")
def meet(http: httpx.AsyncClient) -> Meet:
    """`await meet("Ann")`: a new guest. `await meet("Ben", owner, project, "editor")`: one who joined."""

    async def somebody(
        name: str = "Ann", owner: Musician | None = None, project: str = "", role: str = "editor"
    ) -> Musician:
        made = await http.post("/api/guests", json={"name": name})
        http.cookies.clear()
        assert made.status_code == 201, made.text
        musician = Musician(http, made.json()["user"], made.json()["token"])
        if owner is not None:
            joined = await musician.post(f"/api/invites/{await owner.invite(project, role)}/accept")
            assert joined.status_code == 200, joined.text
        return musician

    return somebody


@pytest.fixture(scope="module")
async def pool(database: str) -> AsyncIterator[Pool]:
    """The database behind the app."""
    opened = await open_pool(database)
    yield opened
    await opened.close()
