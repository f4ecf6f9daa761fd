"""The record of live sessions."""

from uuid import UUID, uuid4

from persistence.pool import open_pool
from persistence.sessions import Sessions
from tests.api.people import Meet


async def test_a_session_names_its_participants(meet: Meet, database: str) -> None:
    """Who was there, as what, and how many edits they made; open until the last one left."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    project_id = UUID(project.rsplit("/", 1)[1])
    pool = await open_pool(database)
    kept, first, second = Sessions(pool, uuid4()), uuid4(), uuid4()
    await kept.joined(project_id, first, UUID(ann.id), "owner")
    await kept.joined(project_id, second, UUID(ben.id), "editor")
    (session,) = (await ann.get(f"{project}/sessions")).json()["items"]
    assert session["ended_at"] is None
    await kept.left(first, 3)
    await kept.left(second, 4)
    await pool.close()
    (session,) = (await ben.get(f"{project}/sessions")).json()["items"]
    assert session["ended_at"] is not None
    seen = {p["user"]["name"]: (p["role"], p["edits"], p["left_at"] is not None) for p in session["participants"]}
    assert seen == {"Ann": ("owner", 3, True), "Ben": ("editor", 4, True)}


async def test_a_project_nobody_opened_has_no_sessions(meet: Meet) -> None:
    """An empty page, not an error."""
    ann = await meet("Ann")
    assert (await ann.get(f"{await ann.project()}/sessions")).json() == {"items": [], "next_cursor": None}
