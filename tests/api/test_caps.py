"""What one account may have and make: typed refusals, and nothing else changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from api.app import running
from api.services import Services
from api.settings import Settings
from persistence.snapshots import RESTORES_KEPT
from tests.api.people import Meet, Musician, client_of, code

COUNT = "select count(*) from studio_snapshots where project_id = $1 and reason = 'before_restore'"
COPY = """
insert into studio_snapshots (project_id, kind, reason, name, epoch, seq, state, sha256, created_at)
select project_id, kind, reason, name, epoch, seq, state, sha256, created_at - interval '1 minute' * n
  from studio_snapshots, generate_series(1, $2::int) n where project_id = $1 and reason = 'before_restore'
"""


@asynccontextmanager
async def strict(settings: Settings, who: Musician, **limits: int) -> AsyncIterator[Musician]:
    """The same person, in an app with these limits."""
    small = settings.model_copy(update={"api": settings.api.model_copy(update=limits)})
    async with running(small) as app, client_of(app) as http:
        yield Musician(http, who.user, who.token)


async def test_projects_have_a_number(settings: Settings, meet: Meet) -> None:
    """New ones and forks are refused beyond it, and deleting one makes no room: it is still there."""
    ann = await meet("Ann")
    async with strict(settings, ann, projects_per_owner_max=2) as one:
        project = await one.project()
        snapshot = (await one.post(f"{project}/snapshots", {"name": "x"})).json()["id"]
        other = await one.project()
        await one.delete(other)
        for path in ("/api/projects", f"{project}/snapshots/{snapshot}/fork"):
            refused = await one.post(path)
            assert code(refused) == (409, "too_many_projects")
            assert refused.json()["error"]["limit"] == 2
        assert len((await one.get("/api/projects")).json()["items"]) == 1


async def test_named_snapshots_have_a_number(settings: Settings, meet: Meet) -> None:
    """One more is refused until one is deleted."""
    ann = await meet("Ann")
    async with strict(settings, ann, snapshots_per_project_max=2) as one:
        project = await one.project()
        first, _ = [(await one.post(f"{project}/snapshots", {"name": "x"})).json()["id"] for _ in range(2)]
        assert code(await one.post(f"{project}/snapshots", {"name": "x"})) == (409, "too_many_snapshots")
        assert (await one.delete(f"{project}/snapshots/{first}")).status_code == 204
        assert (await one.post(f"{project}/snapshots", {"name": "x"})).status_code == 201


async def test_open_invitations_have_a_number(settings: Settings, meet: Meet) -> None:
    """One more is refused until one is withdrawn."""
    ann = await meet("Ann")
    async with strict(settings, ann, invites_per_project_max=2) as one:
        project = await one.project()
        first, _ = [(await one.post(f"{project}/invites", {})).json()["id"] for _ in range(2)]
        assert code(await one.post(f"{project}/invites", {})) == (409, "too_many_invites")
        await one.delete(f"{project}/invites/{first}")
        assert (await one.post(f"{project}/invites", {})).status_code == 201


@pytest.mark.parametrize("what", ["projects", "invites", "snapshots"])
async def test_a_number_holds_for_what_is_made_at_once(what: str, settings: Settings, meet: Meet) -> None:
    """However many are asked for in one moment, there are as many as there may be, and the rest is refused."""
    ann = await meet("Ann")
    limits = {"projects_per_owner_max": 3, "invites_per_project_max": 3, "snapshots_per_project_max": 3}
    async with strict(settings, ann, **limits) as one:
        path = "/api/projects" if what == "projects" else f"{await one.project()}/{what}"
        answers = await asyncio.gather(*(one.post(path, {"name": "x"} if what != "invites" else {}) for _ in range(12)))
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [409] * 9


async def test_making_things_has_a_rate(settings: Settings, meet: Meet) -> None:
    """Projects and invitations count together; beyond it 429 says how long to wait."""
    ann = await meet("Ann")
    async with strict(settings, ann, made_per_hour_max=2) as one:
        project = await one.project()
        await one.invite(project, "viewer")
        for path, body in (("/api/projects", {}), (f"{project}/invites", {"role": "viewer"})):
            refused = await one.post(path, body)
            assert code(refused) == (429, "rate_limited")
            assert 1 <= int(refused.headers["Retry-After"]) <= 3600


async def test_heavy_work_has_a_rate(settings: Settings, meet: Meet) -> None:
    """Snapshots, restores, forks and undoing count together: each takes or makes a whole document."""
    ann = await meet("Ann")
    async with strict(settings, ann, heavy_per_hour_max=3) as one:
        project = await one.project()
        snapshot = f"{project}/snapshots/{(await one.post(f'{project}/snapshots', {'name': 'x'})).json()['id']}"
        for _ in range(2):
            assert (await one.post(f"{snapshot}/restore")).status_code == 200
        asked: list[tuple[str, Any]] = [
            (f"{project}/snapshots", {"name": "x"}),
            (f"{snapshot}/restore", None),
            (f"{snapshot}/fork", None),
            (f"{project}/moments/1/restore", None),
            (f"{project}/changes/undo", {"person": ann.id, "from_seq": 1, "to_seq": 1}),
        ]
        for path, body in asked:
            assert code(await one.post(path, body)) == (429, "rate_limited"), path
        assert len((await one.get(f"{project}/snapshots")).json()["items"]) == 3
        assert (await one.get(snapshot)).status_code == 200


async def test_of_the_states_before_restores_the_newest_stay(app: FastAPI, meet: Meet) -> None:
    """However often somebody restores, there is a number of them; the last way back is always there."""
    services: Services = app.state.services
    ann = await meet("Ann")
    project = await ann.project()
    snapshot = (await ann.post(f"{project}/snapshots", {"name": "x"})).json()["id"]
    await ann.post(f"{project}/snapshots/{snapshot}/restore")
    project_id = UUID(project.rsplit("/", 1)[1])
    await services.pool.execute(COPY, project_id, RESTORES_KEPT + 5)
    before = (await ann.post(f"{project}/snapshots/{snapshot}/restore")).json()["before"]
    assert await services.pool.fetchval(COUNT, project_id) == RESTORES_KEPT
    assert (await ann.get(f"{project}/snapshots/{before}")).status_code == 200


async def test_who_may_delete_a_snapshot(meet: Meet) -> None:
    """The owner any, an editor the named ones of their own alone, a viewer none: the way back from a restore stays."""
    ann = await meet("Ann")
    project = await ann.project()
    ben, vic = await meet("Ben", ann, project), await meet("Vic", ann, project, "viewer")
    hers, his = [(await who.post(f"{project}/snapshots", {"name": "x"})).json()["id"] for who in (ann, ben)]
    before = (await ben.post(f"{project}/snapshots/{his}/restore")).json()["before"]
    for who, snapshot in ((ben, hers), (ben, before), (vic, his)):
        assert code(await who.delete(f"{project}/snapshots/{snapshot}")) == (403, "forbidden")
    for who, snapshot in ((ben, his), (ann, hers), (ann, before)):
        assert (await who.delete(f"{project}/snapshots/{snapshot}")).status_code == 204
        assert code(await who.delete(f"{project}/snapshots/{snapshot}")) == (404, "not_found")
