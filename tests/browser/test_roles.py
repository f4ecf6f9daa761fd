"""What an invite lets people do."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.browser.studio import Door

pytestmark = pytest.mark.browser


async def test_a_viewer_cannot_edit(visit: Visit, someone: Visit) -> None:
    """No button, double-click, drag or key of a viewer's page changes anything; what others do still arrives."""
    ana, ben = await visit(), await someone()
    await ana.add_track("Drums")
    await ana.add_clip()
    await ben.join(await ana.invite_link("viewer"))
    await ben.light("live")
    await expect(ben.at("role-badge")).to_have_text("View only")
    await ben.starts_at(0)
    for name in ("add-track", "add-clip", "add-marker", "add-note", "track-menu", "trim-right", "share"):
        await expect(ben.at(name)).to_have_count(0)
    await expect(ben.at("tempo")).to_be_disabled()
    await ben.press_clip(dx=192)
    await ben.page.mouse.up()
    await ben.at("lane").dblclick(position={"x": 600, "y": 40})
    for key in ("t", "a", "m", "ArrowRight", "s", "Delete", "Control+z"):
        await ben.page.keyboard.press(key)
    await ana.set_tempo(101)
    await ben.has_tempo(101)
    for studio in (ana, ben):
        await studio.starts_at(0)
        await expect(studio.at("clip")).to_have_count(1)
        await expect(studio.at("track")).to_have_count(1)


async def test_a_role_changes_while_the_page_is_open(visit: Visit, someone: Visit) -> None:
    """S10: the owner takes the right to edit away and the other page follows without a reload."""
    ana, ben = await visit(), await someone()
    await ben.join(await ana.invite_link("editor"))
    await expect(ben.at("add-track")).to_be_visible()
    await ana.at("people").click()
    await ana.at("member-role").select_option("viewer")
    await expect(ben.at("role-badge")).to_have_text("View only")
    await expect(ben.at("add-track")).to_have_count(0)


async def test_a_removed_member_is_told(visit: Visit, someone: Visit) -> None:
    """S11: whoever is removed sees a sentence, not a page that silently stopped."""
    ana, ben = await visit(), await someone()
    await ben.join(await ana.invite_link("editor"))
    await ana.at("people").click()
    await ana.at("member-remove").click()
    await expect(ben.at("over")).to_contain_text("no longer have access")
    await expect(ben.at("saved-light")).to_have_attribute("title", re.compile("not connected any more"))


async def test_a_wrong_invite_is_explained(someone: Visit) -> None:
    """A mistyped link leads to a sentence and a way on."""
    studio = await someone()
    await studio.page.goto("/join/not-a-link")
    await expect(studio.at("trouble")).to_contain_text("invite link")


async def test_a_restricted_editor_keeps_to_the_part_the_owner_gave(visit: Visit, someone: Visit) -> None:
    """The mix is theirs; another edit, made while they could not know, is not taken: their page shows what all have."""
    ana, ben, door = await visit(), await someone(), Door()
    await door.fit(ben.page)
    await ana.add_track("Drums")
    await ben.join(await ana.invite_link("editor"))
    await expect(ben.at("track")).to_have_count(1)
    await door.shut()
    await ben.light("offline")
    await ben.at("add-track").click()
    await ben.page.keyboard.press("Enter")
    await ana.at("people").click()
    async with ana.page.expect_response(lambda answer: "/members/" in answer.url and answer.ok):
        await ana.at("member-restriction").select_option("mix")
    await expect(ana.at("member-restriction")).to_have_value("mix")
    await ana.page.keyboard.press("Escape")
    door.open()
    await expect(ben.at("put-aside")).to_be_visible()
    await expect(ben.at("add-track")).to_be_disabled()
    await expect(ben.at("track")).to_have_count(1)
    await expect(ana.at("track")).to_have_count(1)
    for pressed in ("true", "false"):
        await ben.at("track-mute").click()
        await expect(ana.at("track-mute")).to_have_attribute("aria-pressed", pressed)


async def test_a_held_track_says_so_and_stays_as_it_is(visit: Visit, someone: Visit) -> None:
    """Both see who holds it; what the other did unknowing is undone, and they are told; given back, it is free."""
    ana, ben, door = await visit(), await someone(), Door()
    await door.fit(ben.page)
    await ana.add_track("Drums")
    await ben.join(await ana.invite_link("editor"))
    await expect(ben.at("track")).to_have_count(1)
    await door.shut()
    await ben.light("offline")
    await ana.at("track-menu").click()
    await ana.at("track-hold").click()
    await expect(ana.at("track-lock")).to_be_visible()
    await ben.at("track-mute").click()
    door.open()
    await expect(ben.at("notice")).to_contain_text("undone")
    await expect(ben.at("track-lock")).to_be_visible()
    await expect(ben.at("track-mute")).to_have_attribute("aria-pressed", "false")
    await expect(ana.at("track-mute")).to_have_attribute("aria-pressed", "false")
    await expect(ben.at("track-mute")).to_be_disabled()
    await ana.at("track-menu").click()
    await ana.at("track-release").click()
    await expect(ben.at("track-lock")).to_have_count(0)
    await ben.at("track-mute").click()
    await expect(ana.at("track-mute")).to_have_attribute("aria-pressed", "true")


async def test_a_project_is_given_away_and_left(visit: Visit, someone: Visit) -> None:
    """Asked twice; the new owner then has the owner's buttons, and who gave it may leave."""
    ana, ben = await visit(), await someone()
    await ben.join(await ana.invite_link("editor"))
    await ana.at("people").click()
    await ana.at("member-transfer").click()
    await ana.at("member-transfer").click()
    await expect(ana.at("leave-project")).to_be_visible()
    await ana.at("leave-project").click()
    await ana.at("leave-project").click()
    await expect(ana.at("people-dialog")).to_have_count(0)
    await ben.page.reload()
    await ben.at("people").click()
    await expect(ben.at("member")).to_have_count(1)
    await expect(ben.at("people-dialog")).to_contain_text("owner")
