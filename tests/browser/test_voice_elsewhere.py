"""Voice with Daily: the page shows the way to Daily's own room, and says so."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.voice.fake_daily import API_KEY, WEBHOOK_SECRET, FakeDaily, fake_daily

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
async def daily() -> AsyncIterator[FakeDaily]:
    """What stands for Daily."""
    async with fake_daily() as fake:
        yield fake


@pytest.fixture(scope="module")
def changes(daily: FakeDaily) -> dict[str, str]:
    """The apps have keys."""
    keys = {"URL": daily.url, "API_KEY": API_KEY, "WEBHOOK_SECRET": WEBHOOK_SECRET}
    named = {f"VOICE__DAILY__{name}": value for name, value in keys.items()}
    return {**named, "VOICE__PROVIDER": "daily"}


async def test_the_way_leads_to_dailys_own_page(visit: Visit, daily: FakeDaily) -> None:
    """It is said beforehand that it opens in a new tab; the way carries a token that lets this person in."""
    ana = await visit()
    await ana.at("people").click()
    await expect(ana.at("voice-elsewhere")).to_have_text("Voices are with Daily here: its room opens in a new tab.")
    await ana.at("voice-enter").click()
    door = ana.at("voice-door")
    await expect(door).to_have_attribute("target", "_blank")
    way = urlsplit(await door.get_attribute("href") or "")
    project = ana.page.url.rsplit("/", 1)[1]
    assert way.path.endswith(f"b-{project.replace('-', '')}")
    assert daily.connect(parse_qs(way.query)["t"][0])
    await ana.light("saved")
