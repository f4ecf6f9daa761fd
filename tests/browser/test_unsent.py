"""Work that was left on a device: it is merged, or its author is told where it is. Never is it shown as everybody's."""

import asyncio
import sys
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from launch.app import App
from tests.browser.conftest import Visit
from tests.browser.studio import Door, Studio

pytestmark = pytest.mark.browser

BEGINS_ANEW_MS = 30_000

FILL = """() => {
  for (let size = 2 ** 23; size >= 1; size /= 2)
    for (let number = 0; ; number++)
      try { localStorage.setItem(`filler ${size} ${number}`, "x".repeat(size)); } catch { break; }
}"""


async def again(studio: Studio) -> Studio:
    """The same person in another tab, at the same address; the first one is closed."""
    address = studio.page.url
    page: Page = await studio.page.context.new_page()
    await studio.page.close()
    await page.goto(address)
    return Studio(page)


async def alone_with(studio: Studio, door: Door, track: str) -> None:
    """Without a connection, a track is added."""
    await door.shut()
    await studio.light("offline")
    await studio.add_track(track)


async def alone_without(studio: Studio, door: Door) -> None:
    """Without a connection, what was added last is undone."""
    await door.shut()
    await studio.light("offline")
    await studio.at("undo").click()
    await expect(studio.at("clip")).to_have_count(0)


async def next_epoch(environment: dict[str, str], project: str) -> None:
    """As an operator does it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "collab_server", "epoch", project, "--yes", env=environment
    )
    assert await process.wait() == 0


async def has_one_draft(studio: Studio, lacks: str) -> None:
    """The history shows a draft, and what the project lacks of it."""
    await studio.at("show-drafts").click()
    await expect(studio.at("draft")).to_have_count(1)
    await studio.at("draft").get_by_test_id("version-compare").click()
    await expect(studio.at("draft").get_by_test_id("differences")).to_contain_text(lacks)


async def test_s10_offline_work_of_a_closed_tab_is_a_draft_when_its_author_may_only_look(
    visit: Visit, someone: Visit
) -> None:
    """Ben works offline, closes the page, and is made a viewer: what he opens again is the project as everybody has
    it, and his work is a draft of his."""
    ana, ben, door = await visit(), await someone(), Door()
    await door.fit(ben.page)
    await ben.join(await ana.invite_link("editor"))
    await ben.add_track("Drums")
    await ben.light("saved")
    await alone_with(ben, door, "Bass")
    await ana.at("people").click()
    await ana.at("member-role").select_option("viewer")
    await expect(ana.at("member-restriction")).to_have_count(0)
    ben = await again(ben)
    await expect(ben.at("put-aside")).to_contain_text("as a draft of yours")
    await ben.light("live")
    await expect(ben.at("track-name")).to_have_text(["Drums"])
    await has_one_draft(ben, "track “Bass” was deleted")
    await ben.page.reload()
    await ben.light("live")
    await expect(ben.at("track-name")).to_have_text(["Drums"])
    await expect(ben.at("put-aside")).to_have_count(0)


async def test_s10_offline_work_that_only_takes_away_is_a_draft_too(visit: Visit, someone: Visit) -> None:
    """Ben undoes his clip offline, closes the page, and is made a viewer: everybody keeps the clip, and he a draft."""
    ana, ben, door = await visit(), await someone(), Door()
    await door.fit(ben.page)
    await ben.join(await ana.invite_link("editor"))
    await ben.add_track("Drums")
    await ben.add_clip()
    await ben.light("saved")
    await expect(ana.at("clip")).to_have_count(1)
    await alone_without(ben, door)
    await ana.at("people").click()
    await ana.at("member-role").select_option("viewer")
    await expect(ana.at("member-restriction")).to_have_count(0)
    ben = await again(ben)
    await expect(ben.at("put-aside")).to_contain_text("as a draft of yours")
    await ben.light("live")
    await expect(ben.at("clip")).to_have_count(1)
    await has_one_draft(ben, "clip")
    await ben.page.reload()
    await ben.light("live")
    await expect(ben.at("clip")).to_have_count(1)
    await expect(ben.at("put-aside")).to_have_count(0)


async def test_4409_offline_work_that_only_takes_away_is_a_draft_in_the_new_epoch(
    someone: Visit, collab: App, app_environment: dict[str, str]
) -> None:
    """What was undone offline is there in the new epoch, and its author finds a draft without it."""
    studio, door = await someone(), Door()
    await door.fit(studio.page)
    await studio.page.goto("/")
    await studio.opened()
    await studio.add_track("Drums")
    await studio.add_clip()
    await studio.light("saved")
    await alone_without(studio, door)
    await next_epoch(app_environment, studio.page.url.rsplit("/", 1)[1])
    studio = await again(studio)
    await expect(studio.at("put-aside")).to_contain_text("as a draft of yours")
    await studio.light("saved")
    await expect(studio.at("clip")).to_have_count(1)
    await has_one_draft(studio, "clip")


async def test_4409_offline_work_of_a_closed_tab_is_a_draft_in_the_new_epoch(
    someone: Visit, collab: App, app_environment: dict[str, str]
) -> None:
    """The operator gave the project a new epoch meanwhile: the work is not merged, and a draft of its author's."""
    studio, door = await someone(), Door()
    await door.fit(studio.page)
    await studio.page.goto("/")
    await studio.opened()
    project = studio.page.url.rsplit("/", 1)[1]
    await studio.add_track("Drums")
    await studio.light("saved")
    await alone_with(studio, door, "Bass")
    await next_epoch(app_environment, project)
    studio = await again(studio)
    await expect(studio.at("put-aside")).to_contain_text("as a draft of yours")
    await studio.light("saved")
    await expect(studio.at("track-name")).to_have_text(["Drums"])
    await has_one_draft(studio, "track “Bass” was deleted")
    await studio.page.reload()
    await studio.opened()
    await expect(studio.at("track-name")).to_have_text(["Drums"])
    await expect(studio.at("put-aside")).to_have_count(0)


async def test_4409_an_open_page_keeps_its_unsent_work_as_a_draft_and_one_without_any_just_opens_anew(
    someone: Visit, collab: App, app_environment: dict[str, str]
) -> None:
    """Two pages of a project that gets a new epoch: who had unsent work finds one draft, the other sees no banner."""
    ana, ben, door = await someone(), await someone(), Door()
    await door.fit(ana.page)
    await ana.page.goto("/")
    await ana.opened()
    await ana.add_track("Drums")
    await ben.join(await ana.invite_link("editor"))
    await ana.light("saved")
    await alone_with(ana, door, "Bass")
    await next_epoch(app_environment, ana.page.url.rsplit("/", 1)[1])
    door.open()
    await expect(ana.at("put-aside")).to_contain_text("as a draft of yours")
    await has_one_draft(ana, "track “Bass” was deleted")
    await ben.set_tempo(99)
    await ana.has_tempo(99)
    for studio in (ana, ben):
        await studio.light("saved")
        await expect(studio.at("track-name")).to_have_text(["Drums"])
    await expect(ben.at("put-aside")).to_have_count(0)


async def test_a_browser_that_has_no_room_to_remember_opens_the_studio(someone: Visit) -> None:
    """A full storage costs what it would have kept, and nothing else."""
    studio = await someone()
    await studio.page.goto("/docs")
    await studio.page.evaluate(FILL)
    await studio.page.goto("/")
    await studio.opened()
    await studio.add_track("Drums")
    await studio.light("saved")


async def doomed_with(ana: Studio, ben: Studio, collab: App, log: Path) -> App:
    """Both come to a server that commits nothing for long, in place of the other."""
    await collab.stop()
    dawdling = {**collab.environment, "COLLAB__JOURNAL_GATHER_SECONDS": "15"}
    doomed = App("collab_server", collab.port, dawdling, log)
    await doomed.start()
    for studio in (ana, ben):
        await expect(studio.at("saved-light")).not_to_have_attribute("data-state", "offline")
    return doomed


async def dies_with(doomed: App, ana: Studio, collab: App) -> None:
    """The server is killed, the author goes, and a server comes that knows nothing of it."""
    doomed.kill()
    await doomed.ended()
    await ana.page.close()
    await collab.start()


async def test_4409_what_a_reader_was_told_and_nobody_saved_goes_from_its_page_without_a_word(
    someone: Visit, collab: App, tmp_path: Path
) -> None:
    """The server dies before it has committed a track, and its author is gone: a viewer's page begins anew without it,
    and as nothing of it was the viewer's, no draft is spoken of."""
    ana, ben = await someone(), await someone()
    await ana.page.goto("/")
    await ana.opened()
    await ana.add_track("Drums")
    await ben.join(await ana.invite_link("viewer"))
    await ana.light("saved")
    doomed = await doomed_with(ana, ben, collab, tmp_path / "doomed.log")
    await ana.add_track("Lost")
    await expect(ben.at("track-name")).to_have_text(["Drums", "Lost"])
    await dies_with(doomed, ana, collab)
    await expect(ben.at("track-name")).to_have_text(["Drums"], timeout=BEGINS_ANEW_MS)
    await ben.light("live")
    await expect(ben.at("put-aside")).to_have_count(0)


async def test_what_a_reader_was_told_to_be_gone_and_nobody_saved_comes_back_to_its_page(
    someone: Visit, collab: App, tmp_path: Path
) -> None:
    """A deletion leaves no trace in a state vector: the viewer offers what it knows of them, and hears that one is
    not so."""
    ana, ben = await someone(), await someone()
    await ana.page.goto("/")
    await ana.opened()
    await ana.add_track("Drums")
    await ana.add_clip()
    await ben.join(await ana.invite_link("viewer"))
    await ana.light("saved")
    doomed = await doomed_with(ana, ben, collab, tmp_path / "doomed.log")
    await ana.at("undo").click()
    await expect(ben.at("clip")).to_have_count(0)
    await dies_with(doomed, ana, collab)
    await expect(ben.at("clip")).to_have_count(1, timeout=BEGINS_ANEW_MS)
    await ben.light("live")
    await expect(ben.at("put-aside")).to_have_count(0)
