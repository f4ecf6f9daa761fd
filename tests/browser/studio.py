"""What a person does at the studio page, in the words of a test."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from playwright.async_api import Locator, Page, Route, WebSocketRoute, expect

DEADLINE_SECONDS = 20.0
LANE_MIDDLE_PX = 40.0
IN_SYNC = """() => ["saved", "live"].includes(document.querySelector("[data-testid=saved-light]")?.dataset.state)"""
GONE = 4999
"""A close code that the server never gives: the page takes it for an accident."""


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Return as soon as the condition holds; fail after the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not await condition():
        assert time.monotonic() < deadline, f"it never came true that {what}"
        await asyncio.sleep(0.05)


class Door:
    """Stands between a page and the collab server; shut, it is as if the network were gone.

    Tickets are behind it too: by one of them a page could learn of a new epoch before it can offer anybody its work.
    """

    def __init__(self) -> None:
        self._open = True
        self._sockets: list[tuple[WebSocketRoute, WebSocketRoute]] = []

    async def fit(self, page: Page) -> None:
        """Before the page is loaded."""
        await page.route_web_socket(re.compile(r"/y/[0-9a-f-]{36}"), self._pass)
        await page.route(re.compile(r"/projects/[0-9a-f-]{36}/ticket$"), self._ask)

    async def _pass(self, socket: WebSocketRoute) -> None:
        if self._open:
            self._sockets.append((socket, socket.connect_to_server()))
        else:
            await socket.close(code=GONE)

    async def _ask(self, route: Route) -> None:
        if self._open:
            await route.continue_()
        else:
            await route.abort()

    async def shut(self, code: int = GONE) -> None:
        """End what is open with a close code, and let nothing in."""
        self._open = False
        await self.end(code)

    async def end(self, code: int) -> None:
        """End what is open with a close code."""
        sockets, self._sockets = self._sockets, []
        for page, server in sockets:
            await server.close()
            await page.close(code=code)

    def open(self) -> None:
        """Let the page in again."""
        self._open = True


@dataclass(frozen=True, slots=True)
class Studio:
    """One open page."""

    page: Page

    def at(self, name: str) -> Locator:
        """The elements that carry this data-testid."""
        return self.page.get_by_test_id(name)

    async def light(self, state: str) -> None:
        """Wait for saved, saving, offline or live."""
        await expect(self.at("saved-light")).to_have_attribute("data-state", state)

    async def add_track(self, name: str) -> None:
        """By the button; the name is asked for at once."""
        await self.at("add-track").click()
        await self.at("track-name-field").fill(name)
        await self.page.keyboard.press("Enter")
        await expect(self.at("track-name").filter(has_text=name)).to_be_visible()

    async def add_clip(self, lane: int = 0, x: float = 10.0) -> None:
        """By a double-click on a lane."""
        clips = await self.at("clip").count()
        await self.at("lane").nth(lane).dblclick(position={"x": x, "y": LANE_MIDDLE_PX})
        await expect(self.at("clip")).to_have_count(clips + 1)

    async def press_clip(self, clip: int = 0, dx: float = 0.0) -> None:
        """Press the mouse on a clip and pull it; the button stays down."""
        box = await self.at("clip").nth(clip).bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + LANE_MIDDLE_PX
        await self.page.mouse.move(x, y)
        await self.page.mouse.down()
        await self.page.mouse.move(x + dx, y, steps=6)

    async def start_of(self, clip: int = 0) -> int:
        """The tick at which a clip starts."""
        return int(await self.at("clip").nth(clip).get_attribute("data-start") or "")

    async def starts_at(self, tick: int, clip: int = 0) -> None:
        """Wait until the clip starts there."""
        await expect(self.at("clip").nth(clip)).to_have_attribute("data-start", str(tick))

    async def set_tempo(self, bpm: int) -> None:
        """Type a tempo."""
        await self.at("tempo").fill(str(bpm))
        await self.page.keyboard.press("Enter")

    async def has_tempo(self, bpm: int) -> None:
        """Wait until the tempo reads so."""
        await expect(self.at("tempo")).to_have_value(str(bpm))

    async def invite_link(self, role: str) -> str:
        """A link that lets people in as that role."""
        await self.at("share").click()
        await self.at(f"invite-{role}").check()
        await self.at("invite-make").click()
        field = self.page.locator(f"[data-testid=invite-link][data-role={role}]")
        await expect(field).to_have_value(re.compile(r"/join/.+"))
        link = await field.input_value()
        await self.page.keyboard.press("Escape")
        return link

    async def join(self, link: str) -> None:
        """Follow an invite link and accept."""
        await self.page.goto(link)
        await self.at("accept").click()
        await self.opened()

    async def opened(self) -> None:
        """Wait until a project is open and synced."""
        await self.page.wait_for_url(re.compile(r"/p/[0-9a-f-]{36}$"))
        await self.page.wait_for_function(IN_SYNC)  # looks at every frame; `expect` looks twice a second
