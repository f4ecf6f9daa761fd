"""Two browsers play one project: what their loudspeakers get is compared on the audio clocks."""

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from launch.app import App
from tests.browser.conftest import PATIENCE_MS
from tests.browser.slow_link import SlowLink, Weather
from tests.browser.studio import Studio, until

pytestmark = pytest.mark.browser

EAR = Path(__file__).parent / "ear.js"
BPM = 200
BEAT_MS = 60_000 / BPM
CLICKS = 60
NUDGE_MS = -400
GENEROUS_MS = 60.0
"""What a machine full of other work may show; the goal of 20 ms is in the README, with what was measured."""


@pytest.fixture(scope="module")
def changes(free_ports: Callable[[], int]) -> dict[str, str]:
    """The collab server is told to be where the slow network is."""
    return {"COLLAB__PUBLIC_URL": f"ws://127.0.0.1:{free_ports()}"}


@pytest.fixture(scope="module")
async def slow_link(app_environment: dict[str, str], collab: App) -> AsyncIterator[SlowLink]:
    """20 to 30 ms each way, 5 % spikes of up to 200 ms."""
    port = int(app_environment["COLLAB__PUBLIC_URL"].rpartition(":")[2])
    async with SlowLink(port, collab.port, Weather()) as link:
        yield link


@pytest.fixture
async def band(chrome: Browser, api_server: App, slow_link: SlowLink) -> AsyncIterator[list[Studio]]:
    """Ana, at a project of her own, and Ben, who was invited."""
    contexts = [
        await chrome.new_context(viewport={"width": 1600, "height": 800}, base_url=api_server.http, bypass_csp=True)
        for _ in range(2)
    ]
    studios = []
    for context in contexts:
        await context.add_init_script(path=EAR)
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        studios.append(Studio(page))
    ana, ben = studios
    await ana.page.goto("/")
    await ana.opened()
    await ben.join(await ana.invite_link("editor"))
    yield studios
    for context in contexts:
        await context.close()


async def together(studio: Studio) -> None:
    """Play with the room, metronome on, the clock in sync."""
    await studio.at("following").select_option("room")
    await studio.at("metronome").click()
    await expect(studio.at("following")).to_have_attribute("data-state", "in-sync")
    await until(lambda: _ears(studio), "the ears listen")


async def _ears(studio: Studio) -> bool:
    """Whether the audio clock runs: the first click is what plugs the ear in, so there is none before it plays."""
    return bool(await studio.page.evaluate("() => window.ear !== undefined"))


async def heard(studio: Studio) -> list[float]:
    """When each click was heard: ms on the browser's wall clock, by way of the audio clock."""
    ear: dict[str, Any] = await studio.page.evaluate("() => window.ear")
    offset = median(wall - context * 1000 for context, wall in ear["clocks"])
    return [onset * 1000 + offset for onset in ear["onsets"]]


def apart(ours: list[float], theirs: list[float]) -> list[float]:
    """How far apart in ms the clicks of two pages are, those that both have heard."""
    first, last = max(ours[0], theirs[0]) - BEAT_MS / 2, min(ours[-1], theirs[-1]) + BEAT_MS / 2
    return sorted(abs(min(theirs, key=lambda at: abs(at - click)) - click) for click in ours if first < click < last)


async def test_two_metronomes_click_together(band: list[Studio]) -> None:
    """One presses play, both click; through delay, jitter and spikes they stay together, and stop together."""
    ana, ben = band
    await ana.set_tempo(BPM)
    await ben.has_tempo(BPM)
    for studio in band:
        await together(studio)
    await ana.at("play").click()
    await expect(ben.at("playhead")).to_have_attribute("data-state", "playing")

    async def enough() -> bool:
        return all([await s.page.evaluate("() => window.ear.onsets.length") >= CLICKS for s in band])

    await until(enough, f"both have heard {CLICKS} clicks")
    differences = apart(await heard(ana), await heard(ben))
    p95 = differences[int(len(differences) * 0.95)]
    sys.stdout.write(
        f"\n{len(differences)} clicks of two browsers, 20-30 ms each way with 5 % spikes up to 200 ms: "
        f"apart p50 {median(differences):.1f}, p95 {p95:.1f}, max {differences[-1]:.1f} ms\n"
    )
    assert len(differences) >= CLICKS / 2
    assert p95 <= GENEROUS_MS
    await ben.at("stop").click()
    await expect(ana.at("playhead")).to_have_attribute("data-state", "stopped")
    await expect(ana.at("playing-at")).to_have_text(await ben.at("playing-at").inner_text())


async def test_clicks_are_moved_for_a_device_that_is_late(band: list[Studio]) -> None:
    """Whoever moves them by -400 ms, more than is put ahead at a time, hears each that long before the others do."""
    ana, ben = band
    await ana.set_tempo(BPM)
    await ben.has_tempo(BPM)
    for studio in band:
        await together(studio)
    await ana.at("people").click()
    await ana.at("edit-profile").click()
    await ana.at("nudge").fill(str(NUDGE_MS))
    await ana.page.keyboard.press("Enter")
    await ana.page.keyboard.press("Escape")
    await ana.at("play").click()

    async def enough() -> bool:
        return all([await s.page.evaluate("() => window.ear.onsets.length") >= 12 for s in band])

    await until(enough, "both have heard some clicks")
    expected = NUDGE_MS % BEAT_MS
    assert abs(median(apart(await heard(ana), await heard(ben))) - min(expected, BEAT_MS - expected)) <= GENEROUS_MS
    await ana.page.reload()
    await ana.opened()
    await ana.at("people").click()
    await ana.at("edit-profile").click()
    await expect(ana.at("nudge")).to_have_value(str(NUDGE_MS))


async def test_alone_means_alone(band: list[Studio]) -> None:
    """X7 and X11: who plays alone is heard by nobody else; who follows without commanding only leaves."""
    ana, ben = band
    await ana.at("play").click()
    await expect(ana.at("playhead")).to_have_attribute("data-state", "playing")
    await expect(ben.at("playhead")).to_have_attribute("data-state", "stopped")
    following = ben.at("following")
    await expect(following.locator("option")).to_have_count(3)
    await following.select_option(label=f"With {await name_of(ana)}")
    await expect(ben.at("playhead")).to_have_attribute("data-state", "playing")
    await ben.at("stop").click()
    await expect(following).to_have_value("local")
    await expect(ana.at("playhead")).to_have_attribute("data-state", "playing")
    await expect(ben.at("playhead")).to_have_attribute("data-state", "stopped")


async def name_of(studio: Studio) -> str:
    """What the others call this person."""
    name: str = await studio.page.evaluate("() => fetch('/api/me').then((r) => r.json()).then(({user}) => user.name)")
    return name
