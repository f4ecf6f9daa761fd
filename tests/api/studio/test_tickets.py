"""Tickets for the collab server."""

import time
from datetime import datetime
from uuid import UUID, uuid4

from fastapi import FastAPI

from persistence.sessions import Arrival, Sessions
from presence.tickets import verify
from studio.roles import Role
from tests.api.people import Meet

SECRET = "a secret of the tests, long enough to sign with"


async def test_a_ticket_vouches_for_the_membership(meet: Meet) -> None:
    """The collab server's own check reads the caller, the project and the role as it is now."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project, "commenter")
    project_id = UUID(project.rsplit("/", 1)[1])
    given = (await ben.post(f"{project}/ticket")).json()
    principal = verify(given["ticket"], SECRET, project_id, time.time())
    assert (principal.user_id, principal.name, principal.color) == (UUID(ben.id), "Ben", ben.user["color"])
    assert (principal.role, principal.project_id, principal.credited) == (Role.COMMENTER, project_id, True)
    assert given["ws_url"] == f"ws://studio.test:8001/y/{project_id}"
    assert (given["role"], given["epoch"], given["user"]) == ("commenter", 1, ben.user)
    assert 290 <= datetime.fromisoformat(given["expires_at"]).timestamp() - time.time() <= 300


async def test_a_new_role_is_in_the_next_ticket(meet: Meet) -> None:
    """Nothing about a role is remembered between tickets."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project, "editor")
    await ann.patch(f"{project}/members/{ben.id}", {"role": "viewer"})
    assert (await ben.post(f"{project}/ticket")).json()["role"] == "viewer"


async def test_a_ticket_tells_how_many_places_are_taken(app: FastAPI, meet: Meet) -> None:
    """Null without a plan; with one, how many may play, how many do, and how many look on."""
    ann = await meet("Ann")
    project = await ann.project()
    eve = await meet("Eve", ann, project, "viewer")
    assert (await ann.post(f"{project}/ticket")).json()["places"] is None
    pool = app.state.services.pool
    await pool.execute("update users set plan = 'band' where id = $1", UUID(ann.id))
    book, project_id = Sessions(pool, uuid4()), UUID(project.rsplit("/", 1)[1])
    for who in (ann, ann, eve):
        await book.admit([Arrival(uuid4(), project_id, UUID(who.id))])
    places = (await eve.post(f"{project}/ticket")).json()["places"]
    assert places == {"plan": "band", "max": 5, "taken": 1, "viewers": 1}
