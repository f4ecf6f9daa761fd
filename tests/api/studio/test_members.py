"""Members and roles."""

from uuid import uuid4

import pytest

from tests.api.people import Meet, code


async def test_members_are_listed_with_their_roles(meet: Meet) -> None:
    """The longest standing first, by cursor."""
    ann = await meet("Ann")
    project = await ann.project()
    await meet("Ben", ann, project, "editor")
    await meet("Cleo", ann, project, "viewer")
    first = (await ann.get(f"{project}/members", params={"limit": 2})).json()
    rest = (await ann.get(f"{project}/members", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    seen = [(member["user"]["name"], member["role"], member["credited"]) for member in first["items"] + rest["items"]]
    assert seen == [("Ann", "owner", True), ("Ben", "editor", True), ("Cleo", "viewer", True)]
    assert rest["next_cursor"] is None


async def test_the_owner_changes_roles_and_credits(meet: Meet) -> None:
    """A field left out stays."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project, "editor")
    changed = await ann.patch(f"{project}/members/{ben.id}", {"role": "viewer"})
    assert (changed.json()["role"], changed.json()["credited"]) == ("viewer", True)
    changed = await ann.patch(f"{project}/members/{ben.id}", {"credited": False})
    assert (changed.json()["role"], changed.json()["credited"]) == ("viewer", False)
    assert (await ben.get(project)).json()["role"] == "viewer"


@pytest.mark.parametrize("body", [{"role": "owner"}, {"role": "admin"}, {"credited": 1}, {"user_id": "x"}, None])
async def test_a_role_nobody_can_be_given_is_refused(meet: Meet, body: object) -> None:
    """There is one owner, and roles are the four there are."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    assert code(await ann.patch(f"{project}/members/{ben.id}", body)) == (422, "invalid")
    assert (await ben.get(project)).json()["role"] == "editor"


async def test_the_owner_is_fixed(meet: Meet) -> None:
    """The owner can neither be demoted nor removed, nor leave."""
    ann = await meet("Ann")
    project = await ann.project()
    assert code(await ann.patch(f"{project}/members/{ann.id}", {"role": "viewer"})) == (409, "owner_is_fixed")
    assert code(await ann.delete(f"{project}/members/{ann.id}")) == (409, "owner_is_fixed")
    ben = await meet("Ben", ann, project)
    assert code(await ben.delete(f"{project}/members/{ann.id}")) == (403, "forbidden")
    assert (await ann.get(project)).json()["role"] == "owner"


async def test_a_removed_member_finds_nothing(meet: Meet) -> None:
    """Removal and leaving both end every right at once."""
    ann = await meet("Ann")
    project = await ann.project()
    ben, cleo = await meet("Ben", ann, project), await meet("Cleo", ann, project, "viewer")
    assert (await ann.delete(f"{project}/members/{ben.id}")).status_code == 204
    assert (await cleo.delete(f"{project}/members/{cleo.id}")).status_code == 204
    for gone in (ben, cleo):
        assert code(await gone.get(project)) == (404, "not_found")
        assert code(await gone.post(f"{project}/ticket")) == (404, "not_found")
    assert code(await ann.delete(f"{project}/members/{ben.id}")) == (404, "not_found")


async def test_somebody_who_is_no_member_is_missing(meet: Meet) -> None:
    """Changing or removing a stranger is 404."""
    ann = await meet("Ann")
    project = await ann.project()
    for stranger in (uuid4(), "nobody"):
        assert code(await ann.patch(f"{project}/members/{stranger}", {"role": "viewer"})) == (404, "not_found")
        assert code(await ann.delete(f"{project}/members/{stranger}")) == (404, "not_found")
