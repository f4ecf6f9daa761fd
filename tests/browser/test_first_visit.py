"""A new visitor needs no form, and everything the page does by mouse it does by keys."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


async def test_a_new_visitor_gets_an_account_and_a_project_without_a_form(visit: Visit) -> None:
    """The first page opens a project of one's own, and it is still there after a reload."""
    studio = await visit()
    address = studio.page.url
    await studio.at("starter").click()
    await expect(studio.at("track")).to_have_count(4)
    await studio.light("saved")
    await studio.page.goto("/")
    await studio.opened()
    assert studio.page.url == address
    await expect(studio.at("track")).to_have_count(4)


async def test_clips_are_made_moved_split_and_deleted_by_keys(visit: Visit) -> None:
    """A track, a clip, a move, a trim, a split, a deletion and three undos without the mouse."""
    studio = await visit()
    keys = studio.page.keyboard
    await keys.press("t")
    await expect(studio.at("track-name-field")).to_be_focused()
    await keys.press("Enter")
    await expect(studio.at("track-name-field")).to_have_count(0)
    await keys.press("a")
    await studio.starts_at(0)
    await keys.press("ArrowRight")
    await studio.starts_at(960)
    await keys.press("Shift+ArrowRight")
    await expect(studio.at("clip")).to_have_attribute("data-end", "5760")
    await keys.press("s")
    await expect(studio.at("clip")).to_have_count(2)
    await keys.press("Delete")
    await expect(studio.at("clip")).to_have_count(1)
    await keys.press("Control+z")
    await keys.press("Control+z")
    await expect(studio.at("clip")).to_have_count(1)
    await expect(studio.at("clip")).to_have_attribute("data-end", "5760")
    await keys.press("Control+z")
    await expect(studio.at("clip")).to_have_attribute("data-end", "4800")


async def test_the_shortcuts_are_shown(visit: Visit) -> None:
    """A question mark shows the keys, Escape puts them away."""
    studio = await visit()
    await studio.page.keyboard.press("?")
    await expect(studio.at("shortcuts-dialog")).to_be_visible()
    await studio.page.keyboard.press("Escape")
    await expect(studio.at("shortcuts-dialog")).to_have_count(0)
