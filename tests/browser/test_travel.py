"""Back in time in two browsers: somebody looks back, brings it back, and both go on."""

import re
from contextlib import suppress

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.browser.studio import Studio, until

pytestmark = pytest.mark.browser


async def scrub(studio: Studio, name: str, value: str) -> None:
    """Move a slider as a finger does: the page hears of each place."""
    await studio.at(name).evaluate(
        "(range, value) => { range.value = value; range.dispatchEvent(new Event('input', {bubbles: true})) }", value
    )


async def newest(studio: Studio, origin: str) -> None:
    """Stand at the newest moment, once that is of this kind."""

    async def there() -> bool:
        await scrub(studio, "scrubber", "99")
        return await studio.at("moment").get_attribute("data-origin") == origin

    await until(there, f"the newest moment is of kind {origin}")


async def test_an_old_moment_is_restored_while_both_play(visit: Visit, someone: Visit) -> None:
    """Ben scrubs to what was before, reads who moved the tempo, restores: both have it at once and stay connected."""
    ana, ben = await visit(), await someone()
    await ana.add_track("Drums")
    await ana.light("saved")
    await ben.join(await ana.invite_link("editor"))
    await expect(ben.at("track-name")).to_have_text("Drums")
    for studio in (ana, ben):
        await studio.at("play").click()
    await ben.set_tempo(99)
    await ana.has_tempo(99)
    await ben.light("saved")
    await ben.at("panel-history").click()
    differences = ben.at("travel-differences")
    await expect(differences).to_contain_text("Nothing has changed since")
    await scrub(ben, "scrubber", "0")
    await expect(differences).to_contain_text("tempo 120 bpm → 99 bpm by")
    await expect(differences).to_contain_text("track “Drums” was added by")
    await scrub(ben, "scrubber", "1")
    await expect(differences).not_to_contain_text("Drums")
    await expect(differences).to_contain_text("tempo 120 bpm → 99 bpm by")
    await ben.at("travel-restore").click()
    for studio in (ana, ben):
        await studio.has_tempo(120)
        await expect(studio.at("track-name")).to_have_text("Drums")
    await newest(ben, "restore")
    await ana.set_tempo(77)
    await ben.has_tempo(77)
    await ana.light("saved")
    await newest(ben, "edit")
    await ben.at("travel-undo").click()
    await ana.has_tempo(120)


async def test_one_track_comes_back_and_a_moment_gets_a_name(visit: Visit) -> None:
    """Filtered by track, only its differences are told, and only it comes back; a moment becomes a version."""
    studio = await visit()
    await studio.add_track("Drums")
    await studio.add_clip()
    await studio.starts_at(0)
    await studio.light("saved")
    await studio.at("panel-history").click()
    await studio.press_clip(dx=2 * 96)
    await studio.page.mouse.up()
    await studio.starts_at(2 * 3840)
    await studio.set_tempo(99)
    await studio.light("saved")
    await studio.at("travel-track").select_option(label="Drums")
    differences = studio.at("travel-differences")
    await expect(differences).to_contain_text("Nothing has changed since")
    row = int(await studio.at("scrubber-fine").get_attribute("max") or 0)
    told = ""
    while "moved from bar 1 to bar 3 by" not in told:  # the move is one of the last rows
        row -= 1
        assert row > 0, told
        await scrub(studio, "scrubber-fine", str(row))
        await expect(differences).to_contain_text(re.compile("Nothing has changed since|moved|added"))
        with suppress(AssertionError):
            await expect(differences).to_contain_text("moved from bar 1 to bar 3 by", timeout=1_500)
        told = await differences.inner_text()
    await expect(differences).not_to_contain_text("tempo")
    await studio.at("travel-keep").click()
    await expect(studio.at("notice")).to_contain_text("Kept as")
    await studio.at("travel-restore-track").click()
    await studio.starts_at(0)
    await studio.has_tempo(99)
