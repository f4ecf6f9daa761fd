"""Members and roles."""

import asyncio
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


@pytest.mark.parametrize(
    "restriction", [{"only": "mix"}, {"only": "markers"}, {"only": "tracks", "tracks": ["t_1", "t_2"]}]
)
async def test_an_editor_is_restricted_and_freed(meet: Meet, restriction: dict[str, object]) -> None:
    """The owner sets it, everybody sees it, the ticket tells it; null lifts it; a field left out stays."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    changed = await ann.patch(f"{project}/members/{ben.id}", {"restriction": restriction})
    told = {"tracks": None} | restriction
    assert (changed.status_code, changed.json()["restriction"]) == (200, told)
    await ann.patch(f"{project}/members/{ben.id}", {"credited": False})
    listed = (await ben.get(f"{project}/members")).json()["items"]
    assert [member["restriction"] for member in listed] == [None, told]
    assert (await ben.post(f"{project}/ticket")).json()["restriction"] == told
    assert code(await ben.patch(f"{project}/members/{ben.id}", {"restriction": None})) == (403, "forbidden")
    freed = await ann.patch(f"{project}/members/{ben.id}", {"restriction": None})
    assert freed.json()["restriction"] is None
    assert (await ben.post(f"{project}/ticket")).json()["restriction"] is None


@pytest.mark.parametrize(
    "restriction",
    [{"only": "everything"}, {}, {"only": "tracks"}, {"only": "tracks", "tracks": []}, "mix", {"only": "mix", "x": 1}],
)
async def test_a_restriction_nobody_knows_is_refused(meet: Meet, restriction: object) -> None:
    """And a commenter, a viewer or the owner cannot be restricted at all."""
    ann = await meet("Ann")
    project = await ann.project()
    ben, cleo = await meet("Ben", ann, project), await meet("Cleo", ann, project, "commenter")
    assert code(await ann.patch(f"{project}/members/{ben.id}", {"restriction": restriction})) == (422, "invalid")
    for other in (cleo, ann):
        refused = await ann.patch(f"{project}/members/{other.id}", {"restriction": {"only": "mix"}})
        assert code(refused) == (422, "invalid")


async def test_a_restriction_holds_for_http_too_and_ends_with_the_role(meet: Meet) -> None:
    """Markers, names and restores are forbidden to who may only mix; talk is not. An editor anew is a free one."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    kept = (await ann.post(f"{project}/snapshots", {"name": "x"})).json()["id"]
    await ann.patch(f"{project}/members/{ben.id}", {"restriction": {"only": "mix"}})
    for forbidden in (
        await ben.post(f"{project}/markers", {"tick": 0, "label": "x"}),
        await ben.patch(project, {"name": "Mine"}),
        await ben.post(f"{project}/snapshots/{kept}/restore"),
    ):
        assert code(forbidden) == (403, "forbidden")
        assert forbidden.json()["error"]["only"] == "mix"
    assert (await ben.post(f"{project}/notes", {"body": "Louder?"})).status_code == 201
    await ann.patch(f"{project}/members/{ben.id}", {"restriction": {"only": "markers"}})
    assert (await ben.post(f"{project}/markers", {"tick": 0, "label": "x"})).status_code == 201
    await ann.patch(f"{project}/members/{ben.id}", {"role": "viewer"})
    changed = await ann.patch(f"{project}/members/{ben.id}", {"role": "editor"})
    assert changed.json()["restriction"] is None


async def test_a_project_is_given_to_another_member(meet: Meet) -> None:
    """Both roles change at once; the giver is an editor and may leave; a restriction of the new owner ends."""
    ann, eve = await meet("Ann"), await meet("Eve")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    await ann.patch(f"{project}/members/{ben.id}", {"restriction": {"only": "mix"}})
    assert code(await ann.post(f"{project}/transfer", {"user_id": eve.id})) == (404, "not_found")
    given = await ann.post(f"{project}/transfer", {"user_id": ben.id})
    assert (given.status_code, given.json()["role"], given.json()["owner"]["id"]) == (200, "editor", ben.id)
    members = {m["user"]["id"]: m for m in (await ben.get(f"{project}/members")).json()["items"]}
    assert (members[ben.id]["role"], members[ben.id]["restriction"]) == ("owner", None)
    assert code(await ann.post(f"{project}/transfer", {"user_id": ann.id})) == (403, "forbidden")
    assert (await ann.delete(f"{project}/members/{ann.id}")).status_code == 204
    assert code(await ann.get(project)) == (404, "not_found")
    assert (await ben.post(f"{project}/transfer", {"user_id": ben.id})).json()["role"] == "owner"


async def test_of_two_transfers_at_once_one_holds(meet: Meet) -> None:
    """There is one owner afterwards, and the project's row agrees."""
    ann = await meet("Ann")
    project = await ann.project()
    heirs = [await meet(name, ann, project) for name in ("Ben", "Cleo")]
    answers = await asyncio.gather(*(ann.post(f"{project}/transfer", {"user_id": heir.id}) for heir in heirs))
    assert sorted(answer.is_success for answer in answers) == [False, True]
    members = (await heirs[0].get(f"{project}/members")).json()["items"]
    owners = [member["user"]["id"] for member in members if member["role"] == "owner"]
    assert owners == [(await heirs[0].get(project)).json()["owner"]["id"]]
