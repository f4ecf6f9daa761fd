"""Invite links: made with a number of uses, listed, withdrawn."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser


async def test_a_link_for_one_person_lets_in_one_and_a_withdrawn_one_nobody(visit: Visit, someone: Visit) -> None:
    """The owner sees which links let people in and how often they did; used up and withdrawn ones are gone."""
    ana, ben, cleo = await visit(), await someone(), await someone()
    await ana.at("share").click()
    await expect(ana.at("invite-withdraw")).to_have_count(0)
    await ana.at("invite-uses").select_option("1")
    await ana.at("invite-make").click()
    once = await ana.at("invite-link").input_value()
    await expect(ana.at("invite")).to_contain_text(["used 0 of 1"])
    await ana.at("invite-viewer").check()
    await expect(ana.at("invite-link")).to_have_count(0)
    await ana.at("invite-uses").select_option(label="as many as like")
    await ana.at("invite-make").click()
    often = await ana.at("invite-link").input_value()
    await expect(ana.at("invite")).to_contain_text(["used 0 times", "used 0 of 1"])
    await ben.join(once)
    await cleo.page.goto(once)
    await expect(cleo.at("trouble")).to_contain_text("used up")
    await ana.page.keyboard.press("Escape")
    await ana.at("share").click()
    await expect(ana.at("invite")).to_contain_text(["Look"])
    await ana.at("invite-withdraw").click()
    await expect(ana.at("invite")).to_have_count(0)
    await cleo.page.goto(often)
    await expect(cleo.at("trouble")).to_contain_text("taken back")
