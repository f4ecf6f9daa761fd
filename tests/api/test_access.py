"""Who had to wait for a lock is asked again: what they were when they came counts for nothing."""

import asyncio
from uuid import UUID

import httpx
import pytest

from api.studio.members import DELETE_MEMBER, UPDATE_MEMBER
from api.studio.projects import SET_OWNER, STEP_DOWN, STEP_UP
from persistence.editing import lock_document
from persistence.pool import Connection, Pool
from tests.api.people import Meet, Musician, code, id_of, until

WAITING = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"
LOCK_MEMBERS = "select from project_members where project_id = $1 for update"


async def waits(pool: Pool) -> None:
    """Until somebody waits for a lock."""

    async def somebody() -> bool:
        return bool(await pool.fetchval(WAITING))

    await until(somebody)


async def transferred(connection: Connection, project: UUID, giver: UUID, heir: UUID) -> None:
    """As the app does it."""
    await connection.execute(STEP_DOWN, project, giver)
    await connection.execute(STEP_UP, project, heir)
    await connection.execute(SET_OWNER, project, heir)


@pytest.mark.parametrize(
    ("role", "refusal"), [(None, (404, "not_found")), ("viewer", (409, "conflict"))], ids=["removed", "demoted"]
)
async def test_whoever_goes_while_they_wait_for_the_document_changes_nothing(
    meet: Meet, pool: Pool, role: str | None, refusal: tuple[int, str]
) -> None:
    """The edit waits for the document's row; meanwhile its author is removed or demoted: it is not committed."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    project_id, ben_id = id_of(project), UUID(ben.id)
    async with pool.acquire() as connection, connection.transaction():
        await lock_document(connection, project_id)
        edit = asyncio.create_task(ben.post(f"{project}/markers", {"tick": 0, "label": "Mine"}))
        await waits(pool)
        if role is None:
            await pool.execute(DELETE_MEMBER, project_id, ben_id)
        else:
            await pool.execute(UPDATE_MEMBER, project_id, ben_id, role, True, None)
    assert code(await edit) == refusal
    assert (await ann.get(f"{project}/markers")).json()["items"] == []


async def owners_order(who: Musician, project: str, other: Musician, what: str) -> httpx.Response:
    """Something an owner alone may do, and for which a row is waited for."""
    match what:
        case "delete":
            return await who.delete(project)
        case "options":
            return await who.patch(f"{project}/options", {"viewers_listen": False})
        case "voice":
            return await who.patch(f"{project}/voice", {"viewers_listen": False})
        case "mute":
            return await who.patch(f"{project}/voice/participants/{other.id}", {"muted": True})
        case "demote":
            return await who.patch(f"{project}/members/{other.id}", {"role": "viewer"})
    return await who.delete(f"{project}/members/{other.id}")


@pytest.mark.parametrize("what", ["delete", "options", "voice", "mute", "demote", "remove"])
async def test_whoever_gave_the_project_away_while_they_waited_is_its_owner_no_more(
    meet: Meet, pool: Pool, what: str
) -> None:
    """What they asked for as its owner is refused, and the project is as it was."""
    ann = await meet("Ann")
    project = await ann.project()
    ben, cleo = await meet("Ben", ann, project), await meet("Cleo", ann, project)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(LOCK_MEMBERS, id_of(project))
        await transferred(connection, id_of(project), UUID(ann.id), UUID(ben.id))
        order = asyncio.create_task(owners_order(ann, project, cleo, what))
        await waits(pool)
    assert code(await order) == (409, "conflict")
    members = {m["user"]["id"]: m["role"] for m in (await ben.get(f"{project}/members")).json()["items"]}
    assert members == {ann.id: "editor", ben.id: "owner", cleo.id: "editor"}
    assert (await ben.get(f"{project}/options")).json()["viewers_listen"] is True
