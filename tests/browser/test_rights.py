"""Rights that show: what somebody may not touch is greyed out and says why, and follows the owner's choice at once."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.browser.studio import Studio

pytestmark = pytest.mark.browser

MIXER = ("track-mute", "track-gain", "track-pan")
SONG = ("tempo", "signature-num", "signature-den", "loop")


async def greyed(studio: Studio, why: str, *names: str, track: int | None = None) -> None:
    """These controls are disabled, and they or what they stand in say why."""
    for name in names:
        control = studio.at(name) if track is None else studio.at("track").nth(track).get_by_test_id(name)
        await expect(control).to_be_disabled()
        titled = control.locator("xpath=ancestor-or-self::*[@title][1]")
        await expect(titled).to_have_attribute("title", re.compile(why))


async def free(studio: Studio, *names: str, track: int | None = None) -> None:
    """These controls are enabled."""
    for name in names:
        control = studio.at(name) if track is None else studio.at("track").nth(track).get_by_test_id(name)
        await expect(control).to_be_enabled()


async def test_a_restricted_editor_sees_what_is_theirs(visit: Visit, someone: Visit) -> None:
    """The mix, markers, one track, another track, everything: each choice of the owner is there without a reload."""
    ana, ben = await visit(), await someone()
    for lane, name in enumerate(("Drums", "Bass")):
        await ana.add_track(name)
        await ana.add_clip(lane)
    await ben.join(await ana.invite_link("editor"))
    await expect(ben.at("clip")).to_have_count(2)
    await ana.at("people").click()
    restriction = ana.at("member-restriction")

    await restriction.select_option("mix")
    await greyed(ben, "change only the mix", "add-track", "add-clip", "add-marker", *SONG)
    await free(ben, *MIXER, track=0)
    await expect(ben.at("clip").first).to_have_attribute("title", re.compile("only the mix"))
    await expect(ben.at("trim-left")).to_have_count(0)
    await ben.press_clip(dx=200)
    await ben.page.mouse.up()
    await ben.page.keyboard.press("ArrowRight")
    await expect(ben.at("notice")).to_contain_text("only the mix")

    await restriction.select_option("markers")
    await greyed(ben, "change only markers", *MIXER, track=0)
    await free(ben, "add-marker")

    await restriction.select_option("tracks")
    await ana.at("member-track").nth(0).click()
    await greyed(ben, "change only “Drums”", *MIXER, track=1)
    await free(ben, *MIXER, track=0)
    await ana.at("member-track").nth(1).click()
    await free(ben, *MIXER, track=1)
    await ana.at("member-track").nth(0).click()
    await greyed(ben, "change only “Bass”", *MIXER, track=0)

    await restriction.select_option("")
    await free(ben, "add-track", "add-clip", "add-marker", *SONG)
    await ben.starts_at(0)


async def test_a_held_track_is_closed_to_all_but_its_holder(visit: Visit, someone: Visit) -> None:
    """Its holder's name stands on it; mixer, clips and menu are greyed out, for the owner too, who breaks the lock."""
    ana, ben = await visit(), await someone()
    for lane, name in enumerate(("Drums", "Bass")):
        await ana.add_track(name)
        await ana.add_clip(lane)
    await ben.join(await ana.invite_link("editor"))
    await ben.at("track-menu").first.click()
    await ben.at("track-hold").click()
    await expect(ana.at("track-lock")).to_contain_text("Guest")
    await greyed(ana, "holds “Drums” until", *MIXER, track=0)
    await free(ana, *MIXER, track=1)
    await free(ben, *MIXER, track=0)
    await ana.press_clip(0, dx=200)
    await ana.page.mouse.up()
    await greyed(ana, "holds “Drums”", "nudge-later")
    await ana.at("track-menu").first.click()
    for name in ("track-rename", "track-delete"):
        await greyed(ana, "holds “Drums”", name)
    await ana.at("track-release").click()
    await free(ana, *MIXER, track=0)
    await ana.starts_at(0)


async def test_who_writes_notes_or_looks_sees_why(visit: Visit, someone: Visit) -> None:
    """A commenter's and a viewer's mixer and song are greyed out with their reason; notes stay open to the one."""
    ana, ben, cem = await visit(), await someone(), await someone()
    await ana.add_track("Drums")
    await ben.join(await ana.invite_link("commenter"))
    await cem.join(await ana.invite_link("viewer"))
    for reader, why in ((ben, "write notes here"), (cem, "only look")):
        await greyed(reader, why, *MIXER, *SONG, "undo")
        await expect(reader.at("track-menu")).to_have_count(0)
    await free(ben, "add-note")


async def test_clips_are_nudged_by_buttons_and_keys(visit: Visit) -> None:
    """By a step of the grid, earlier or later, with the keyboard alone too; never before the beginning."""
    studio = await visit()
    await studio.add_track("Drums")
    await studio.add_clip()
    await free(studio, "nudge-later")
    await studio.at("nudge-later").click()
    await studio.starts_at(960)
    await studio.at("grid").select_option("bar")
    await studio.at("nudge-later").press("Enter")
    await studio.starts_at(960 + 3840)
    await studio.at("nudge-earlier").click(click_count=2)
    await studio.starts_at(0)
    await studio.page.keyboard.press("Escape")
    await greyed(studio, "Select a clip", "nudge-earlier", "nudge-later")
