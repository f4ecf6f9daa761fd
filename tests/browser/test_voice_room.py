"""The voice room in the page, before a server that stands for LiveKit."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.voice.fake_livekit import KEY, SECRET, FakeLiveKit, fake_livekit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
async def livekit() -> AsyncIterator[FakeLiveKit]:
    """What stands for a LiveKit server."""
    async with fake_livekit() as fake:
        yield fake


@pytest.fixture(scope="module")
def app_environment(app_environment: dict[str, str], livekit: FakeLiveKit) -> dict[str, str]:
    """The apps' environment, with keys."""
    keys = {"VOICE__LIVEKIT__URL": livekit.url, "VOICE__LIVEKIT__API_KEY": KEY, "VOICE__LIVEKIT__API_SECRET": SECRET}
    return {**app_environment, **keys, "VOICE__LOOK_SECONDS": "0"}


async def test_two_talk_and_the_owner_decides(visit: Visit, someone: Visit, livekit: FakeLiveKit) -> None:
    """The way in carries a token for this person; who is in is listed; the owner mutes and removes."""
    ana, ben = await visit(), await someone()
    await ben.join(await ana.invite_link("editor"))
    await ben.at("people").click()
    await expect(ben.at("voice-state")).to_have_text("Nobody is talking.")
    await ben.at("voice-enter").click()
    door = urlsplit(await ben.at("voice-door").get_attribute("href") or "")
    given = parse_qs(door.query)
    person = livekit.connect(given["token"][0])
    assert given["liveKitUrl"] == [livekit.url.replace("http", "ws", 1)]
    await ana.at("people").click()
    await expect(ana.at("voice-member")).to_have_count(1)
    await ana.at("voice-mute").click()
    await expect(ana.at("voice-member")).to_contain_text("Muted by the owner")
    assert person.permission.can_publish is False
    await ana.at("voice-remove").click()
    await expect(ana.at("voice-member")).to_have_count(0)
