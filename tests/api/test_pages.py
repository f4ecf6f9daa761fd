"""The studio page as it is served."""

from typing import Any

import httpx
import pytest

from api.app import running
from api.settings import Settings
from tests.api.people import client_of, code
from voice.settings import VoiceSettings


@pytest.mark.parametrize("path", ["/", "/p/0198c2f0-0000-7000-8000-000000000000", "/join/abc_DEF-123", "/docs"])
async def test_the_page_is_fresh_and_guarded(http: httpx.AsyncClient, settings: Settings, path: str) -> None:
    """Asked for again each time; it may connect to us, the collab and the voice server only, and nobody frames it."""
    page = await http.get(path)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["cache-control"] == "no-cache"
    policy = page.headers["content-security-policy"]
    voice = () if path == "/docs" else settings.voice.origins
    allowed = " ".join(("'self'", "ws://studio.test:8001", *voice))
    assert f"connect-src {allowed};" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert (await http.head(path)).status_code == 200


LIVEKIT = {"livekit": {"url": "wss://voice.test/live", "api_key": "k", "api_secret": "s" * 32}}
DAILY = {"provider": "daily", "daily": {"api_key": "k"}, **LIVEKIT}


@pytest.mark.parametrize(
    ("voice", "path", "connect", "microphone"),
    [
        ({}, "/", "", "()"),
        (LIVEKIT, "/", " wss://voice.test https://voice.test", "(self)"),
        (LIVEKIT, "/docs", "", "()"),
        (DAILY, "/", "", "()"),
    ],
)
async def test_the_voice_server_is_let_in_where_the_page_speaks_to_it(
    settings: Settings, voice: dict[str, Any], path: str, connect: str, microphone: str
) -> None:
    """LiveKit's host alone and the microphone for ourselves, on the studio's page; Daily has a page of its own."""
    speaking = settings.model_copy(update={"voice": VoiceSettings.model_validate(voice)})
    async with running(speaking) as app, client_of(app) as client:
        page = await client.get(path)
        answer = await client.get("/api/me")
    assert f"connect-src 'self' ws://studio.test:8001{connect};" in page.headers["content-security-policy"]
    assert page.headers["permissions-policy"] == f"microphone={microphone}, camera=(), geolocation=()"
    assert answer.headers["permissions-policy"] == "microphone=(), camera=(), geolocation=()"


async def test_assets_are_kept_for_ever(http: httpx.AsyncClient) -> None:
    """Their names change with their content."""
    asset = await http.get("/assets/index-4f2a.js")
    assert (asset.status_code, asset.text) == (200, "export {}")
    assert asset.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert asset.headers["content-type"].startswith("text/javascript")
    assert (await http.get("/favicon.svg")).headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize(
    "path",
    [
        "/assets/",
        "/assets/none.js",
        "/assets/..%2findex.html",
        "/assets/..%2f..%2fsecret.txt",
        "/assets/%00",
        "/assets//etc/passwd",
    ],
)
async def test_nothing_outside_the_build_is_served(http: httpx.AsyncClient, path: str) -> None:
    """Neither by dots nor by an absolute path."""
    assert code(await http.get(path)) == (404, "not_found")


async def test_answers_of_the_api_are_not_kept(http: httpx.AsyncClient) -> None:
    """Nor may a browser take them for a page."""
    answer = await http.get("/api/me")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


async def test_a_studio_that_was_not_built_says_so(settings: Settings) -> None:
    """503 with a code, and the API works."""
    bare = settings.model_copy(update={"api": settings.api.model_copy(update={"studio_dist": None})})
    async with running(bare) as app, client_of(app) as client:
        for path in ("/", "/docs"):
            assert code(await client.get(path)) == (503, "studio_not_built")
        assert (await client.get("/live")).status_code == 200
