"""What a project allows, in the page: the owner ticks it, and it holds on the others' pages at once."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from studio.blank import open_doc
from studio.canonical import canonical
from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


async def test_a_commenter_plays_for_everybody_while_the_owner_lets_them(visit: Visit, someone: Visit) -> None:
    """Their button says whose it is, without a reload; the owner hears what they play, and then no more."""
    ana, ben = await visit(), await someone()
    await ben.join(await ana.invite_link("commenter"))
    for studio in (ana, ben):
        await studio.at("following").select_option("room")
    await expect(ben.at("play")).to_have_attribute("aria-label", "Play on your own")
    await ana.at("people").click()
    await ana.at("option-commenters_transport").check()
    await expect(ben.at("play")).to_have_attribute("aria-label", "Play for everybody who plays along")
    await ben.at("play").click()
    await expect(ana.at("playing-at")).to_have_attribute("data-state", "playing")
    await ana.at("option-commenters_transport").uncheck()
    await expect(ben.at("stop")).to_have_attribute("aria-label", "Stop on your own")
    await ben.at("stop").click()
    await expect(ben.at("following")).to_have_value("local")
    await expect(ana.at("playing-at")).to_have_attribute("data-state", "playing")


async def test_others_see_what_was_chosen_and_choose_nothing(visit: Visit, someone: Visit) -> None:
    """An editor's boxes are shown and do nothing; a restore that the owner does not allow any more says so, and is grey
    from then on."""
    ana, ben = await visit(), await someone()
    await ana.add_track("Drums")
    await ben.join(await ana.invite_link("editor"))
    await ben.at("panel-history").click()
    await ben.at("version-keep").click()
    await expect(ben.at("version-restore").first).to_be_enabled()
    await ana.at("people").click()
    await ana.at("option-editors_restore").uncheck()
    await expect(ana.at("option-editors_restore")).to_be_enabled()
    await ben.at("version-restore").first.click()
    await expect(ben.at("notice")).to_contain_text("The owner of this project has not opened this")
    await expect(ben.at("version-restore").first).to_be_disabled()
    await expect(ben.at("version-restore").first).to_have_attribute(
        "title", "In this project only the owner brings back earlier versions."
    )
    await ben.at("people").click()
    for name in ("editors_restore", "commenters_transport", "readers_export", "viewers_listen"):
        await expect(ben.at(f"option-{name}")).to_be_disabled()
    await expect(ben.at("option-editors_restore")).not_to_be_checked()
    await expect(ben.at("option-viewers_listen")).to_be_checked()


async def test_a_viewer_takes_the_project_away_once_the_owner_lets_them(
    visit: Visit, someone: Visit, tmp_path: Path
) -> None:
    """Before that there is no button; the file is the whole document."""
    ana, ben = await visit(), await someone()
    await ana.add_track("Drums")
    await ana.light("saved")
    await ben.join(await ana.invite_link("viewer"))
    await ben.at("people").click()
    await expect(ben.at("options")).to_be_visible()
    await expect(ben.at("export")).to_have_count(0)
    await ben.page.keyboard.press("Escape")
    await ana.at("people").click()
    await expect(ana.at("export")).to_be_visible()
    await ana.at("option-readers_export").check()
    await expect(ana.at("option-readers_export")).to_be_enabled()
    await ben.at("people").click()
    async with ben.page.expect_download() as started:
        await ben.at("export").click()
    file = await started.value
    assert file.suggested_filename.endswith(".yjs")
    await file.save_as(tmp_path / "taken.yjs")
    doc = open_doc()
    doc.apply_update((tmp_path / "taken.yjs").read_bytes())
    assert [track["name"] for track in canonical(doc)["tracks"].values() if track["name"] == "Drums"] == ["Drums"]
