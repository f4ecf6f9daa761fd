"""The caller's own account."""

import pytest

from tests.api.people import Meet, code


async def test_me_is_the_account_of_the_token(meet: Meet) -> None:
    """Two tokens, two accounts."""
    ann, ben = await meet("Ann"), await meet("Ben")
    assert (await ann.get("/api/me")).json() == {"user": ann.user}
    assert (await ben.get("/api/me")).json() == {"user": ben.user}


async def test_name_and_color_change_alone_or_together(meet: Meet) -> None:
    """What is left out stays."""
    ann = await meet("Ann")
    assert (await ann.patch("/api/me", {"name": "Anna"})).json()["user"] == ann.user | {"name": "Anna"}
    changed = (await ann.patch("/api/me", {"color": "#0a0b0c"})).json()["user"]
    assert (changed["name"], changed["color"]) == ("Anna", "#0a0b0c")
    assert (await ann.get("/api/me")).json()["user"] == changed


@pytest.mark.parametrize(
    "body", [{"color": "red"}, {"color": "#0A0B0C"}, {"name": ""}, {"kind": "member"}, {"name": True}]
)
async def test_what_is_not_allowed_changes_nothing(meet: Meet, body: object) -> None:
    """A refused change leaves the account as it was."""
    ann = await meet("Ann")
    assert code(await ann.patch("/api/me", body)) == (422, "invalid")
    assert (await ann.get("/api/me")).json()["user"] == ann.user
