"""Going back: versions, comparison, restore, fork, trash."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


async def test_a_version_is_compared_restored_and_forked(visit: Visit) -> None:
    """A kept version says in words what changed since, comes back on one click, and begins a new project."""
    studio = await visit()
    await studio.add_track("Drums")
    await studio.light("saved")
    await studio.at("panel-history").click()
    await studio.at("version-name").fill("Before the drop")
    await studio.at("version-keep").click()
    version = studio.at("version").filter(has_text="Before the drop").first
    await expect(version).to_be_visible()
    await studio.set_tempo(99)
    await studio.light("saved")
    await version.get_by_test_id("version-compare").click()
    await expect(studio.at("differences")).to_contain_text(re.compile("tempo|bpm", re.IGNORECASE))
    await version.get_by_test_id("version-restore").click()
    await studio.has_tempo(120)
    await expect(studio.at("change").first).to_be_visible()
    address = studio.page.url
    await version.get_by_test_id("version-fork").click()
    await expect(studio.page).not_to_have_url(address)
    await studio.opened()
    await expect(studio.at("track-name")).to_have_text("Drums")


async def test_what_was_deleted_comes_back_from_the_trash(visit: Visit) -> None:
    """A deleted track waits in the trash with its clip and comes back with it."""
    studio = await visit()
    await studio.add_track("Drums")
    await studio.add_clip()
    await studio.at("track-menu").click()
    await studio.at("track-delete").click()
    await expect(studio.at("track")).to_have_count(0)
    await studio.at("panel-trash").click()
    await studio.at("undelete").first.click()
    await expect(studio.at("track-name")).to_have_text("Drums")
    await expect(studio.at("clip")).to_have_count(1)
