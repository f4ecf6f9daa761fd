"""What keys do where the focus is."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


async def test_the_space_bar_plays_on_a_clip_and_enter_picks_it(visit: Visit) -> None:
    """Whoever has just clicked a clip can play; Enter lets go of the clip that has the focus, and takes it again."""
    studio = await visit()
    await studio.add_track("Drums")
    await studio.add_clip()
    clip = studio.at("clip")
    await clip.focus()
    for state in ("playing", "stopped"):
        await studio.page.keyboard.press("Space")
        await expect(studio.at("playhead")).to_have_attribute("data-state", state)
    before = await clip.get_attribute("aria-pressed")
    await studio.page.keyboard.press("Enter")
    await expect(clip).not_to_have_attribute("aria-pressed", before or "")
    await studio.page.keyboard.press("Enter")
    await expect(clip).to_have_attribute("aria-pressed", before or "")


async def test_the_project_is_renamed_by_keys_alone(visit: Visit) -> None:
    """Tab leads to its name, and Enter lets one type."""
    studio = await visit()
    await studio.at("projects").focus()
    await studio.page.keyboard.press("Tab")
    await studio.page.keyboard.press("Enter")
    await studio.page.keyboard.type("Night drive")
    await studio.page.keyboard.press("Enter")
    await expect(studio.at("project-name")).to_have_text("Night drive")
    await studio.page.reload()
    await studio.opened()
    await expect(studio.at("project-name")).to_have_text("Night drive")
