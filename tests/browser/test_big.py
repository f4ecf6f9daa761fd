"""A project as large as a document may be: what is drawn is what one sees, and nothing is out of reach."""

import pytest
from playwright.async_api import expect

from launch.app import App
from tests.browser.big import BAR, CLIPS, TRACKS, make_big
from tests.browser.conftest import Visit
from tests.browser.studio import Studio, until

pytestmark = pytest.mark.browser

DRAWN_MAX = 1_500
LAST_CLIP = f"c_{TRACKS - 1:06}{CLIPS - 1:06}"


async def big(studio: Studio, collab: App, database: str) -> None:
    """The visitor's project, made as large as may be while nobody has it open."""
    address = studio.page.url
    await studio.page.goto("about:blank")
    await collab.stop()
    await make_big(database, address.rsplit("/", 1)[1])
    await collab.start()
    await studio.page.goto(address)
    await studio.opened()
    await expect(studio.at("track")).to_have_count(TRACKS)
    await expect(studio.at("clip").first).to_be_visible()


async def scroll(studio: Studio, x: int, y: int) -> None:
    """To a place in pixels; the page may stop earlier."""
    await studio.at("timeline").evaluate("(element, [x, y]) => element.scrollTo(x, y)", [x, y])


async def test_what_is_drawn_is_what_one_sees(visit: Visit, collab: App, database: str) -> None:
    """Of thousands of clips those on the screen stand in the page; scrolled to the other end, the others do; a clip
    there is dragged, stepped to from afar and seen whole when one zooms out."""
    studio = await visit()
    await big(studio, collab, database)
    assert await studio.at("clip").count() < DRAWN_MAX
    last = studio.page.locator(f"[data-clip={LAST_CLIP}]")
    await expect(last).to_have_count(0)
    await scroll(studio, CLIPS * 96 - 600, 100_000)
    await expect(last).to_be_visible()
    await expect(studio.page.locator("[data-clip=c_000000000000]")).to_have_count(1)  # where Tab comes in
    assert await studio.at("clip").count() < DRAWN_MAX
    await drag_by_a_bar(studio)
    await step_to_the_first(studio)
    await zoom_out(studio)


async def drag_by_a_bar(studio: Studio) -> None:
    """The last clip moves and is saved."""
    last = studio.page.locator(f"[data-clip={LAST_CLIP}]")
    box = await last.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await studio.page.mouse.move(x, y)
    await studio.page.mouse.down()
    await studio.page.mouse.move(x + box["width"], y, steps=5)
    await studio.page.mouse.up()
    await expect(last).to_have_attribute("data-start", str(CLIPS * BAR))
    await studio.light("saved")


async def step_to_the_first(studio: Studio) -> None:
    """Keys lead to clips that are not drawn: the page goes there."""
    await studio.page.keyboard.press("Escape")
    await scroll(studio, 0, 0)
    await studio.page.locator("[data-clip=c_000000000000]").click(position={"x": 40, "y": 30})
    await studio.page.keyboard.press("j")
    await expect(studio.page.locator("[data-clip=c_000001000000]")).to_be_focused()
    await scroll(studio, 6_000, 100_000)
    await studio.page.keyboard.press("j")
    await expect(studio.page.locator("[data-clip=c_000002000000]")).to_be_focused()
    await expect(studio.page.locator("[data-clip=c_000002000000]")).to_be_in_viewport()


async def zoom_out(studio: Studio) -> None:
    """Every clip of a lane is there."""
    await scroll(studio, 0, 0)
    await studio.page.mouse.move(700, 450)
    await studio.page.keyboard.down("Control")
    for _ in range(12):
        await studio.page.mouse.wheel(0, 100)
    await studio.page.keyboard.up("Control")
    lane = studio.at("lane").first.get_by_test_id("clip")

    async def whole() -> bool:
        return await lane.count() == CLIPS

    await until(whole, "a whole lane is drawn")
