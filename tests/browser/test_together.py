"""Two people in one project."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

BAR = 3840


async def test_two_browsers_edit_one_project_and_see_each_other(visit: Visit, someone: Visit) -> None:
    """The invited one arrives at what is there; edits, the people list and a drag under way show on the other side."""
    ana, ben = await visit(), await someone()
    await ana.add_track("Drums")
    await ana.add_clip()
    await ben.join(await ana.invite_link("editor"))
    await expect(ben.at("track-name")).to_have_text("Drums")
    await ben.starts_at(0)
    for studio in (ana, ben):
        await expect(studio.at("people")).to_have_attribute("data-count", "2")
    await ben.press_clip(dx=2 * 96)
    await expect(ana.at("peer-drag")).to_be_visible()
    await ana.starts_at(0)
    await ben.page.mouse.up()
    await ana.starts_at(2 * BAR)
    await expect(ana.at("peer-drag")).to_have_count(0)
    await expect(ana.at("peer-selection")).to_be_visible()
    for studio in (ana, ben):
        await studio.light("saved")


async def test_undo_takes_back_only_ones_own_edit(visit: Visit, someone: Visit) -> None:
    """U1 and U2: Ana's undo leaves Ben's edit, and never overwrites what he set after her."""
    ana, ben = await visit(), await someone()
    await ben.join(await ana.invite_link("editor"))
    await ana.add_track("Bass")
    await expect(ben.at("track")).to_have_count(1)
    await ben.set_tempo(93)
    await ana.has_tempo(93)
    await ana.at("undo").click()
    await expect(ana.at("track-name")).to_have_text("Track 1")
    await ana.at("undo").click()
    await expect(ana.at("track")).to_have_count(0)
    await expect(ben.at("track")).to_have_count(0)
    await ana.has_tempo(93)
    await ana.set_tempo(140)
    await ben.has_tempo(140)
    await ben.set_tempo(150)
    await ana.has_tempo(150)
    await ana.at("undo").click()
    await ana.has_tempo(150)


async def test_a_note_is_answered_and_resolved(visit: Visit, someone: Visit) -> None:
    """A commenter cannot edit, but answers a note; the owner sees it and resolves the thread."""
    ana, ben = await visit(), await someone()
    await ana.add_track("Vocals")
    await ben.join(await ana.invite_link("commenter"))
    await ana.at("panel-notes").click()
    await ana.at("note-body").fill("A little late?")
    await ana.at("note-send").click()
    await ben.at("panel-notes").click()
    await expect(ben.at("thread")).to_contain_text("A little late?")
    await ben.at("reply").click()
    await ben.at("reply-body").fill("Half a beat.")
    await ben.at("reply-send").click()
    await expect(ana.at("thread")).to_contain_text("Half a beat.")
    await ana.at("resolve").click()
    await expect(ben.at("thread")).to_have_count(0)
    await expect(ben.at("add-track")).to_have_count(0)
