"""What becomes of work that the server cannot merge any more."""

from uuid import UUID

import asyncpg
import pytest
from playwright.async_api import expect

from launch.app import App
from persistence.journal import Journal
from studio.blank import blank
from tests.browser.conftest import Visit
from tests.browser.studio import Studio

pytestmark = pytest.mark.browser

FORGET = "delete from documents where project_id = $1"
ANOTHER_CLIENT = 4242


async def test_4409_what_could_not_be_merged_is_a_draft_with_compare_and_fork(
    visit: Visit, collab: App, database: str
) -> None:
    """The project's document was made anew: the page that remembers the old one is told so, shows everybody's state,
    and its own work waits in the history, to be compared and forked."""
    studio = await visit()
    project = studio.page.url.rsplit("/", 1)[1]
    await studio.add_track("Drums")
    await studio.light("saved")
    await collab.stop()
    await studio.add_track("Bass")
    await made_anew(database, project)
    await collab.start()
    await expect(studio.at("put-aside")).to_contain_text("as a draft of yours")
    await expect(studio.at("track")).to_have_count(0)
    await studio.light("saved")
    await studio.at("show-drafts").click()
    await shows_the_draft(studio)


async def made_anew(database: str, project: str) -> None:
    """Another first state, by another client: nothing of the old document fits it."""
    connection = await asyncpg.connect(database)
    seed = blank(project, "Song", "u", 0, ANOTHER_CLIENT)
    async with connection.transaction():
        await connection.execute(FORGET, UUID(project))
        await Journal.create(connection, UUID(project), seed, None)
    await connection.close()


async def shows_the_draft(studio: Studio) -> None:
    """It says what the project lacks, and a fork of it has both."""
    draft = studio.at("draft")
    await expect(draft).to_have_count(1)
    await expect(draft).to_contain_text("Unsent work of")
    await expect(draft.get_by_test_id("version-restore")).to_have_count(0)
    await draft.get_by_test_id("version-compare").click()
    await expect(draft.get_by_test_id("differences")).to_contain_text("track “Bass” was deleted")
    address = studio.page.url
    await draft.get_by_test_id("version-fork").click()
    await expect(studio.page).not_to_have_url(address)
    await studio.opened()
    await expect(studio.at("track-name")).to_have_text(["Drums", "Bass"])
