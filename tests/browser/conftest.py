"""The studio page in real browsers, served by the real apps."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright, expect

from launch.app import App
from launch.postgres import EmbeddedPostgres
from tests.browser.stage import Stage, standing
from tests.browser.studio import Studio
from tests.conftest import environment_of, fresh_database

DIST = Path(__file__).resolve().parents[2] / "client" / "web" / "dist"
PATIENCE_MS = 20_000
ARGUMENTS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking")

Visit = Callable[[], Awaitable[Studio]]


@pytest.fixture(scope="session")
def dist() -> str:
    """Where the built page is."""
    if not (DIST / "index.html").is_file():
        missing = "the page is not built: ./dev test builds it"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    return str(DIST)


@pytest.fixture(scope="session")
async def house(
    postgres_server: EmbeddedPostgres, template: str, redis_url: str, scratch: Path, dist: str
) -> AsyncIterator[Stage]:
    """The stage of all modules that need nothing special: each test is in projects of its own."""
    async with fresh_database(postgres_server, template) as database:
        environment = {**environment_of(database, redis_url), "API__STUDIO_DIST": dist}
        async with standing(database, environment, scratch) as stage:
            yield stage


@pytest.fixture(scope="module")
def changes() -> dict[str, str]:
    """What a module's apps are configured with besides: with anything in it, the module has a stage of its own."""
    return {}


@pytest.fixture(scope="module")
async def stage(
    house: Stage,
    changes: dict[str, str],
    postgres_server: EmbeddedPostgres,
    template: str,
    redis_url: str,
    scratch: Path,
    dist: str,
) -> AsyncIterator[Stage]:
    """The stage of a module's tests."""
    if not changes:
        yield house
        return
    async with fresh_database(postgres_server, template) as database:
        environment = {**environment_of(database, redis_url), "API__STUDIO_DIST": dist, **changes}
        async with standing(database, environment, scratch) as own:
            yield own


@pytest.fixture(scope="module")
def database(stage: Stage) -> str:
    """The dsn of the database that the apps use."""
    return stage.database


@pytest.fixture(scope="module")
def app_environment(stage: Stage) -> dict[str, str]:
    """The apps' environment, with the built page."""
    return stage.environment


@pytest.fixture(scope="module")
def collab(stage: Stage) -> App:
    """The running collab server."""
    return stage.collab


@pytest.fixture(scope="module")
def api_server(stage: Stage) -> App:
    """The running HTTP app."""
    return stage.api


@pytest.fixture(scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    """What starts browsers, and speaks to them."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as running:
        yield running


@pytest.fixture(scope="session")
async def plain_chrome(playwright: Playwright, chromium: str) -> AsyncIterator[Browser]:
    """The browser program of all modules that need nothing special."""
    browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
    yield browser
    await browser.close()


@pytest.fixture(scope="module")
def switches() -> tuple[str, ...]:
    """What the browser program is started with, besides: with any, the module has a program of its own."""
    return ()


@pytest.fixture(scope="module")
async def chrome(
    playwright: Playwright, plain_chrome: Browser, chromium: str, switches: tuple[str, ...]
) -> AsyncIterator[Browser]:
    """The browser program of a module's tests; each person has a context of their own in it."""
    if not switches:
        yield plain_chrome
        return
    browser = await playwright.chromium.launch(executable_path=chromium, args=[*ARGUMENTS, *switches])
    yield browser
    await browser.close()


@pytest.fixture
async def someone(chrome: Browser, api_server: App, collab: App) -> AsyncIterator[Visit]:
    """A new person with an empty browser, not yet anywhere. A broken page fails the test.

    A collab server that the test has left stopped runs again for the next one.
    """
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
    if collab.process is None or collab.process.returncode is not None:
        await collab.start()
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
