"""Invitations, and what happens when several people want the last use."""

import asyncio
from uuid import UUID

import pytest

from api.studio.members import DECIDE, DELETE_MEMBER
from persistence.pool import open_pool
from tests.api.people import Meet, Musician, code, until

EXPIRE = "update project_invites set expires_at = now() - interval '1 second' where project_id = $1"
WAITING = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"


async def test_an_invitation_makes_a_member(meet: Meet) -> None:
    """Create, look at, accept."""
    ann, ben = await meet("Ann"), await meet("Ben")
    project = await ann.project("Night drive")
    made = (await ann.post(f"{project}/invites", {"role": "commenter", "max_uses": 2, "expires_in": 3600})).json()
    assert made["url"] == f"http://studio.test/join/{made['token']}"
    assert (made["role"], made["max_uses"], made["uses"]) == ("commenter", 2, 0)
    seen = (await ben.get(f"/api/invites/{made['token']}")).json()
    assert seen["project"] == {"id": project.rsplit("/", 1)[1], "name": "Night drive"}
    assert (seen["role"], seen["invited_by"]) == ("commenter", {"name": "Ann", "color": ann.user["color"]})
    joined = (await ben.post(f"/api/invites/{made['token']}/accept")).json()
    assert (joined["project"]["role"], joined["project"]["member_count"]) == ("commenter", 2)


async def test_the_list_of_invitations_keeps_their_secrets(meet: Meet) -> None:
    """A token is shown once; uses are counted; withdrawn ones are not listed."""
    ann = await meet("Ann")
    project = await ann.project()
    token = await ann.invite(project, "editor")
    await meet("Ben", ann, project)
    listed = await ann.get(f"{project}/invites")
    assert token not in listed.text
    assert [invite["uses"] for invite in listed.json()["items"]] == [1, 0]
    newest = listed.json()["items"][0]["id"]
    assert (await ann.delete(f"{project}/invites/{newest}")).status_code == 204
    assert code(await ann.delete(f"{project}/invites/{newest}")) == (404, "not_found")
    assert [invite["uses"] for invite in (await ann.get(f"{project}/invites")).json()["items"]] == [0]


async def test_concurrent_accepts_of_the_last_uses(meet: Meet) -> None:
    """Of ten people and three uses, exactly three join; the others are told it is used up."""
    ann = await meet("Ann")
    project = await ann.project()
    token = await ann.invite(project, "editor", max_uses=3)
    crowd = [await meet(f"Fan {n}") for n in range(10)]
    answers = await asyncio.gather(*(fan.post(f"/api/invites/{token}/accept") for fan in crowd))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [410] * 7
    assert {code(answer) for answer in answers if answer.status_code != 200} == {(410, "invite_exhausted")}
    assert (await ann.get(project)).json()["member_count"] == 4
    assert (await ann.get(f"{project}/invites")).json()["items"][0]["uses"] == 3


async def test_accepting_twice_uses_nothing_up(meet: Meet) -> None:
    """One member, many clicks at once: one use, and every click is answered with the project."""
    ann, ben, cleo = await meet("Ann"), await meet("Ben"), await meet("Cleo")
    project = await ann.project()
    token = await ann.invite(project, "editor", max_uses=2)
    answers = await asyncio.gather(*(ben.post(f"/api/invites/{token}/accept") for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await cleo.post(f"/api/invites/{token}/accept")).status_code == 200
    assert (await ben.post(f"/api/invites/{token}/accept")).status_code == 200
    assert code(await cleo.get(f"/api/invites/{token}")) == (410, "invite_exhausted")


async def test_an_invitation_raises_a_role_but_never_lowers_one(meet: Meet) -> None:
    """An editor stays an editor behind a viewer's link; a viewer becomes an editor; the owner stays the owner."""
    ann = await meet("Ann")
    project = await ann.project()
    ben, cleo = await meet("Ben", ann, project, "editor"), await meet("Cleo", ann, project, "viewer")
    low, high = await ann.invite(project, "viewer"), await ann.invite(project, "editor")
    assert (await ben.post(f"/api/invites/{low}/accept")).json()["project"]["role"] == "editor"
    assert (await cleo.post(f"/api/invites/{high}/accept")).json()["project"]["role"] == "editor"
    assert (await ann.post(f"/api/invites/{high}/accept")).json()["project"]["role"] == "owner"
    uses = {invite["role"]: invite["uses"] for invite in (await ann.get(f"{project}/invites")).json()["items"][:2]}
    assert uses == {"viewer": 0, "editor": 1}


async def test_what_is_no_longer_open_says_why(meet: Meet, database: str) -> None:
    """Withdrawn, expired, of a deleted project, never made: each has its code, and nobody joins."""
    ann, ben = await meet("Ann"), await meet("Ben")
    withdrawn, expired, deleted = [await ann.project() for _ in range(3)]
    tokens = [await ann.invite(project, "editor") for project in (withdrawn, expired, deleted)]
    invite = (await ann.get(f"{withdrawn}/invites")).json()["items"][0]["id"]
    await ann.delete(f"{withdrawn}/invites/{invite}")
    pool = await open_pool(database)
    await pool.execute(EXPIRE, expired.rsplit("/", 1)[1])
    await pool.close()
    await ann.delete(deleted)
    expected = [(410, "invite_revoked"), (410, "invite_expired"), (404, "not_found"), (404, "not_found")]
    for token, refusal in zip([*tokens, "x" * 43], expected, strict=True):
        assert code(await ben.get(f"/api/invites/{token}")) == refusal
        assert code(await ben.post(f"/api/invites/{token}/accept")) == refusal
    assert (await ben.get("/api/projects")).json()["items"] == []


async def test_an_old_link_does_not_undo_a_demotion(meet: Meet) -> None:
    """Whom the owner made a viewer stays one behind a link that is older; a newer one raises again."""
    ann = await meet("Ann")
    project = await ann.project()
    old = await ann.invite(project, "editor")
    ben = await meet("Ben", ann, project)
    await ann.patch(f"{project}/members/{ben.id}", {"role": "viewer"})
    assert (await ben.get(f"/api/invites/{old}")).json()["role"] == "viewer"
    assert (await ben.post(f"/api/invites/{old}/accept")).json()["project"]["role"] == "viewer"
    assert (await ann.get(f"{project}/invites")).json()["items"][-1]["uses"] == 0
    new = await ann.invite(project, "editor")
    assert (await ben.post(f"/api/invites/{new}/accept")).json()["project"]["role"] == "editor"


async def test_whoever_leaves_and_comes_back_by_an_old_link_is_what_they_were(meet: Meet) -> None:
    """A restriction outlives the membership, and a demotion; a link that was made since knows nothing of them."""
    ann = await meet("Ann")
    project = await ann.project()
    old = await ann.invite(project, "editor")
    ben, cleo = await meet("Ben", ann, project), await meet("Cleo", ann, project)
    await ann.patch(f"{project}/members/{ben.id}", {"restriction": {"only": "mix"}})
    await ann.patch(f"{project}/members/{cleo.id}", {"role": "commenter"})
    for who in (ben, cleo):
        await who.delete(f"{project}/members/{who.id}")
        assert (await who.post(f"/api/invites/{old}/accept")).status_code == 200
    assert await roles(ann, project) == {ben.id: ("editor", "mix"), cleo.id: ("commenter", None)}
    await ben.delete(f"{project}/members/{ben.id}")
    await ben.post(f"/api/invites/{await ann.invite(project, 'editor')}/accept")
    assert (await roles(ann, project))[ben.id] == ("editor", None)


async def roles(owner: Musician, project: str) -> dict[str, tuple[str, str | None]]:
    """The others' roles and restrictions."""
    members = (await owner.get(f"{project}/members")).json()["items"]
    return {
        member["user"]["id"]: (member["role"], (member["restriction"] or {}).get("only"))
        for member in members
        if member["role"] != "owner"
    }


async def test_an_old_link_lets_nobody_back_in_who_was_removed(meet: Meet) -> None:
    """Also not on a later attempt, nor after the owner has let them in again by a new link with a smaller role."""
    ann = await meet("Ann")
    project = await ann.project()
    old = await ann.invite(project, "editor")
    ben = await meet("Ben", ann, project)
    await ann.delete(f"{project}/members/{ben.id}")
    for _ in range(2):
        assert code(await ben.get(f"/api/invites/{old}")) == (410, "invite_outdated")
        assert code(await ben.post(f"/api/invites/{old}/accept")) == (410, "invite_outdated")
    assert code(await ben.get(project)) == (404, "not_found")
    await ben.post(f"/api/invites/{await ann.invite(project, 'viewer')}/accept")
    assert (await ben.post(f"/api/invites/{old}/accept")).json()["project"]["role"] == "viewer"


async def test_a_click_during_a_removal_does_not_outlive_it(meet: Meet, database: str) -> None:
    """Whoever opens the link while the owner's decision is under way is out when that is done."""
    ann = await meet("Ann")
    project = await ann.project()
    old = await ann.invite(project, "editor")
    ben = await meet("Ben", ann, project)
    project_id = UUID(project.rsplit("/", 1)[1])
    pool = await open_pool(database)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(DELETE_MEMBER, project_id, UUID(ben.id))
        click = asyncio.create_task(ben.post(f"/api/invites/{old}/accept"))

        async def waits() -> bool:
            return bool(await pool.fetchval(WAITING))

        await until(waits)
        await connection.execute(DECIDE, project_id, UUID(ben.id), None, None)
    await pool.close()
    assert code(await click) == (410, "invite_outdated")
    assert await roles(ann, project) == {}


@pytest.mark.parametrize(
    "body",
    [
        {"role": "owner"},
        {"max_uses": 0},
        {"max_uses": 1001},
        {"expires_in": 1},
        {"expires_in": 10**12},
        {"max_uses": True},
    ],
)
async def test_an_invitation_has_limits(meet: Meet, body: object) -> None:
    """Nobody is invited as owner, for ever, or by the thousands."""
    ann = await meet("Ann")
    assert code(await ann.post(f"{await ann.project()}/invites", body)) == (422, "invalid")
