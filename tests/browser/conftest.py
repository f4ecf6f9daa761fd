"""The studio page in real browsers, served by the real apps."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from launch.app import App
from tests.browser.studio import Studio

DIST = Path(__file__).resolve().parents[2] / "client" / "web" / "dist"
PATIENCE_MS = 20_000
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking")

Visit = Callable[[], Awaitable[Studio]]


@pytest.fixture(scope="module")
def app_environment(app_environment: dict[str, str]) -> dict[str, str]:
    """The apps' environment, with the built page."""
    if not (DIST / "index.html").is_file():
        missing = "the page is not built: ./dev test builds it"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    return {**app_environment, "API__STUDIO_DIST": str(DIST)}


@pytest.fixture(scope="module")
def switches() -> tuple[str, ...]:
    """What the browser program is started with, besides."""
    return ()


@pytest.fixture(scope="module")
async def chrome(chromium: str, switches: tuple[str, ...]) -> AsyncIterator[Browser]:
    """One browser program for a module's tests; each person has a context of their own in it."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, *switches])
        yield browser
        await browser.close()


@pytest.fixture
async def someone(chrome: Browser, api_server: App, collab: App) -> AsyncIterator[Visit]:
    """A new person with an empty browser, not yet anywhere. A broken page fails the test."""
    contexts: list[BrowserContext] = []
    broken: list[str] = []

    async def arrive() -> Studio:
        context = await chrome.new_context(viewport={"width": 1280, "height": 800}, base_url=api_server.http)
        contexts.append(context)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: broken.append(str(error)))
        return Studio(page)

    yield arrive
    for context in contexts:
        await context.close()
    assert not broken


@pytest.fixture
async def visit(someone: Visit) -> Visit:
    """A new person at the first page, where a project of their own opens."""

    async def begin() -> Studio:
        studio = await someone()
        await studio.page.goto("/")
        await studio.opened()
        return studio

    return begin
