"""Going back: versions, comparison, restore, fork, trash."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import expect
from pycrdt import Map

from persistence.editing import edit
from persistence.pool import open_pool
from presence.bus import open_bus
from presence.events import Grew
from tests.browser.conftest import Visit
from tests.browser.stage import Stage
from tests.browser.studio import Studio, until

pytestmark = pytest.mark.browser

KEEP = """async (project) => {
  for (let number = 1; number <= 52; number++) {
    const [body, headers] = [JSON.stringify({ name: `Take ${number}` }), { "content-type": "application/json" }];
    await fetch(`/api/projects/${project}/snapshots`, { method: "POST", body, headers });
  }
}"""


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


async def test_the_owner_removes_from_the_trash_for_good(visit: Visit, someone: Visit) -> None:
    """Asked first, and it can be kept; then it is gone for everybody. An editor can bring back, and no more."""
    ana, ben = await visit(), await someone()
    await ben.join(await ana.invite_link("editor"))
    for name in ("Drums", "Bass"):
        await ana.add_track(name)
        await ana.at("track-menu").first.click()
        await ana.at("track-delete").click()
        await expect(ana.at("track")).to_have_count(0)
    await ana.light("saved")
    for studio in (ana, ben):
        await studio.at("panel-trash").click()
        await expect(studio.at("trash-item")).to_have_count(2)
    await expect(ben.at("undelete")).to_have_count(2)
    await expect(ben.at("purge")).to_have_count(0)
    drums = ana.at("trash-item").filter(has_text="Drums")
    await drums.get_by_test_id("purge").click()
    await expect(ana.at("purge-dialog")).to_contain_text("“Drums”")
    await ana.at("purge-cancel").click()
    await expect(ana.at("purge-dialog")).to_have_count(0)
    await expect(ana.at("trash-item")).to_have_count(2)
    await drums.get_by_test_id("purge").click()
    await ana.at("purge-confirm").click()
    for studio in (ana, ben):
        await expect(studio.at("trash-item")).to_have_count(1)
        await expect(studio.at("trash-item")).to_contain_text("Bass")


async def written(studio: Studio, stage: Stage, change: Callable[[Any], None]) -> None:
    """An edit of the open project that no control of the page makes; the collab server is told as by the HTTP app."""
    project = UUID(studio.page.url.rsplit("/", 1)[1])
    pool = await open_pool(stage.database, 1, 1)
    try:
        done = await edit(pool, project, None, "edit", change)
    finally:
        await pool.close()
    async with open_bus(stage.environment["BUS__URL"]) as bus:
        bus.publish(Grew(project, done.epoch, done.seq, done.body))


async def test_an_effect_waits_in_the_trash_too(visit: Visit, stage: Stage) -> None:
    """With its kind and its track's name; it comes back to where it was."""
    studio = await visit()
    await studio.add_track("Drums")
    await studio.light("saved")
    track = await studio.at("track").get_attribute("data-row")

    def thrown(doc: Any) -> None:
        doc.get("effects", type=Map)["e_1"] = Map({"track": track, "kind": "reverb", "deleted": ["u", 1.0]})

    await written(studio, stage, thrown)
    await studio.at("panel-trash").click()
    item = studio.at("trash-item")
    await expect(item).to_contain_text("Effect “reverb”")
    await expect(item).to_contain_text("on “Drums”")
    await item.get_by_test_id("undelete").click()
    await expect(studio.at("trash-item")).to_have_count(0)
    await studio.light("saved")


async def test_thousands_of_differences_come_page_by_page(visit: Visit, stage: Stage) -> None:
    """Fifty are shown, and more when one asks for them."""
    studio = await visit()
    await studio.at("panel-history").click()
    await studio.at("version-name").fill("Empty")
    await studio.at("version-keep").click()
    version = studio.at("version").filter(has_text="Empty").first
    await expect(version).to_be_visible()

    def many(doc: Any) -> None:
        marks = {f"m_{number:012}": Map({"tick": 960.0 * number, "label": f"M{number}"}) for number in range(2_000)}
        with doc.transaction():
            doc.get("markers", type=Map).update(marks)

    await written(studio, stage, many)
    await version.get_by_test_id("version-compare").click()
    told = studio.at("differences").locator("li")
    await expect(told).to_have_count(50)
    await studio.at("differences-more").click()
    await expect(told).to_have_count(100)
    await expect(told.last).to_have_text("marker “M99” was added")


async def test_versions_come_in_pages_and_automatic_ones_stand_apart(visit: Visit) -> None:
    """The fifty-first version is a click away, and what the server keeps by itself hides none that somebody named."""
    studio = await visit()
    await studio.page.evaluate(KEEP, studio.page.url.rsplit("/", 1)[1])
    await studio.at("panel-history").click()
    await expect(studio.at("version")).to_have_count(50)
    await studio.at("versions-more").click()
    await expect(studio.at("version")).to_have_count(52)
    await expect(studio.at("versions-more")).to_have_count(0)
    await studio.set_tempo(99)
    await studio.light("saved")
    await studio.at("version").filter(has_text="Take 52").get_by_test_id("version-restore").click()
    await expect(studio.at("automatic").get_by_test_id("version")).to_contain_text(["Before restoring Take 52"])
    await expect(studio.at("version")).to_have_count(53)


async def test_the_history_follows_while_others_edit_without_a_pause(visit: Visit, someone: Visit) -> None:
    """Edits that come faster than the history settles are seen in it, and in the timeline, before they end."""
    ana, ben = await visit(), await someone()
    await ana.add_track("Drums")
    await ben.join(await ana.invite_link("editor"))
    await expect(ben.at("track")).to_have_count(1)
    await ana.at("panel-history").click()
    await expect(ana.at("change").first).to_be_visible()

    async def seen() -> bool:
        await ben.at("track-mute").click()
        change, moment = ana.at("change").first, ana.at("moment")
        return all(["mute" in (await place.inner_text()).lower() for place in (change, moment)])

    await until(seen, "the history shows what Ben does without a pause")
