"""What happens to edits when the collab server is away."""

import pytest
from playwright.async_api import expect

from launch.app import App
from tests.browser.conftest import Visit
from tests.browser.studio import Door

pytestmark = pytest.mark.browser


async def test_the_light_is_honest_when_the_collab_server_is_away(visit: Visit, collab: App) -> None:
    """Saved while it runs, offline when it is stopped, and saved again only when it is back."""
    studio = await visit()
    await studio.add_track("Drums")
    await studio.light("saved")
    await collab.stop()
    await studio.light("offline")
    await studio.add_track("Bass")
    await studio.light("offline")
    await collab.start()
    await studio.light("saved")
    await expect(studio.at("track")).to_have_count(2)


async def test_s13_an_edit_the_server_lost_before_the_commit_is_sent_again(visit: Visit, collab: App) -> None:
    """The server is killed right under an edit: the light turns saved only after another peer can read the edit."""
    studio = await visit()
    await studio.add_track("Drums")
    collab.kill()
    await collab.ended()
    await studio.set_tempo(77)
    await studio.light("offline")
    await collab.start()
    await studio.light("saved")
    await studio.page.evaluate(
        "async () => { for (const d of await indexedDB.databases()) indexedDB.deleteDatabase(d.name) }"
    )
    await studio.page.reload()
    await studio.opened()
    await studio.has_tempo(77)
    await expect(studio.at("track")).to_have_count(1)


async def test_s1_offline_edits_survive_a_reload_and_merge(visit: Visit, someone: Visit, collab: App) -> None:
    """Ana edits offline and reloads; Ben edits too; when the server is back both have both."""
    ana, ben = await visit(), await someone()
    await ana.add_track("Drums")
    await ben.join(await ana.invite_link("editor"))
    await expect(ben.at("track")).to_have_count(1)
    await collab.stop()
    for studio in (ana, ben):
        await studio.light("offline")
    await ana.add_track("Offline")
    await ben.set_tempo(88)
    await ana.page.reload()
    await expect(ana.at("track")).to_have_count(2)
    await ana.light("offline")
    await collab.start()
    for studio in (ana, ben):
        await studio.light("saved")
        await expect(studio.at("track")).to_have_count(2)
        await studio.has_tempo(88)


async def test_s1_whoever_comes_back_is_told_kindly_what_was_merged(someone: Visit) -> None:
    """Ana works alone while Ben goes on; back again, her page counts both and leads to the history."""
    ana, ben, door = await someone(), await someone(), Door()
    await door.fit(ana.page)
    await ana.page.goto("/")
    await ana.opened()
    await ana.add_track("Drums")
    await ben.join(await ana.invite_link("editor"))
    await ana.light("saved")
    await door.shut()
    await ana.light("offline")
    await ana.add_track("Bass")
    await ana.add_track("Keys")
    await ben.set_tempo(93)
    await ben.light("saved")
    door.open()
    await expect(ana.at("merged")).to_contain_text("Your 2 changes were merged with one by others.")
    await ana.light("saved")
    await ana.has_tempo(93)
    await expect(ben.at("track")).to_have_count(3)
    await expect(ben.at("merged")).to_have_count(0)
    await ana.at("merged-history").click()
    await expect(ana.at("change").first).to_be_visible()
