"""Without a voice provider the page says so, kindly, and everything else goes on."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


async def test_without_a_provider_the_page_says_so(visit: Visit) -> None:
    """One sentence, no button that could not work, and the studio goes on."""
    ana = await visit()
    await ana.at("people").click()
    await expect(ana.at("voice-state")).to_have_text("This studio has no voice: nobody has set it up.")
    await expect(ana.at("voice-enter")).to_have_count(0)
    await ana.light("saved")
