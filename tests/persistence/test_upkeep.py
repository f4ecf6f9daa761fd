"""What operators do to stored documents."""

import asyncio
from uuid import UUID, uuid4

from persistence.editing import edit, read
from persistence.journal import Journal
from persistence.pool import Pool
from persistence.upkeep import (
    count_projects,
    create_project,
    every_project,
    find_user,
    new_epoch,
    release,
    set_aside,
)
from studio.blank import blank
from studio.edits import rename
from tests.persistence.conftest import MakeProject

EPOCHS = """
select d.epoch, s.epoch from documents d left join document_states s using (project_id) where project_id = $1
"""


async def test_quarantine_is_set_and_lifted_once(pool: Pool, project: UUID) -> None:
    """The second time says so; the first reason stays."""
    assert await set_aside(pool, project, "first")
    assert not await set_aside(pool, project, "second")
    reason = "select quarantine_reason from documents where project_id = $1"
    assert await pool.fetchval(reason, project) == "first"
    assert await release(pool, project)
    assert not await release(pool, project)
    assert not await set_aside(pool, uuid4(), "nobody")


async def test_an_epoch_takes_the_state_along(pool: Pool, make_project: MakeProject) -> None:
    """One document, then all of them; what was stored can still be loaded."""
    one, other = await make_project(), await make_project()
    doc, seq, epoch = await read(pool, one)
    await Journal(pool).compact(one, epoch, seq, doc.get_update())
    (made,) = await new_epoch(pool, one)
    assert made == (one, 2, 1, False)
    assert tuple(await pool.fetchrow(EPOCHS, one) or ()) == (2, 2)
    assert {lineage.project_id for lineage in await new_epoch(pool, None)} >= {one, other}
    assert (await read(pool, one))[2] == 3
    assert (await read(pool, other))[2] == 2


async def test_compactions_never_leave_a_state_of_an_old_epoch(pool: Pool, make_project: MakeProject) -> None:
    """New epochs beside compactions of the old one: the document can always be loaded."""
    for _ in range(20):
        project = await make_project()
        doc, seq, epoch = await read(pool, project)
        journal = Journal(pool)
        await asyncio.gather(
            new_epoch(pool, project), *(journal.compact(project, epoch, seq, doc.get_update()) for _ in range(3))
        )
        assert (await read(pool, project))[2] == 2


async def test_every_project_is_met_once(pool: Pool, make_project: MakeProject) -> None:
    """In order, without deleted ones."""
    made = {await make_project() for _ in range(3)}
    gone = await make_project()
    await pool.execute("update projects set deleted_at = now() where id = $1", gone)
    met = [project async for project in every_project(pool)]
    assert met == sorted(met)
    assert made <= set(met)
    assert gone not in met
    assert len(met) == await count_projects(pool)


async def test_a_new_project_has_its_owner_and_its_seed(pool: Pool, user: UUID) -> None:
    """It is loaded, edited and found like any other; its owner is found by id or address."""
    project = uuid4()
    await create_project(pool, project, user, "Song", blank(str(project), "Song", str(user), 0, 1))
    await edit(pool, project, user, "rename", lambda doc: rename(doc, "Other"))
    role = "select role from project_members where project_id = $1 and user_id = $2"
    assert await pool.fetchval(role, project, user) == "owner"
    await pool.execute("update users set email = 'Ada@example.org' where id = $1", user)
    assert await find_user(pool, str(user)) == user
    assert await find_user(pool, "ada@example.org") == user
    assert await find_user(pool, "nobody") is None
