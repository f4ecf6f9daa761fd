"""The API's description in a browser that reaches nobody but us."""

import pytest
from playwright.async_api import Route, expect

from launch.app import App
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


async def test_the_description_is_read_and_tried_without_any_other_host(visit: Visit, api_server: App) -> None:
    """/docs shows every group of routes, runs a request as the visitor, asks no other host and breaks no policy."""
    studio = await visit()
    page = studio.page
    elsewhere: list[str] = []
    refused: list[str] = []

    async def judge(route: Route) -> None:
        if route.request.url.startswith((api_server.http, "data:")):
            await route.continue_()
        else:
            elsewhere.append(route.request.url)
            await route.abort()

    await page.route("**/*", judge)
    page.on("console", lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None)
    await page.goto("/docs")
    await expect(page.locator(".info .title")).to_contain_text("Backline")
    await expect(page.locator("#operations-tag-snapshots")).to_be_visible()
    await page.locator("#operations-accounts-show_me .opblock-summary-control").click()
    await page.get_by_role("button", name="Try it out").click()
    await page.get_by_role("button", name="Execute").click()
    await expect(page.locator(".live-responses-table .response .response-col_status")).to_contain_text("200")
    assert elsewhere == []
    assert refused == []
