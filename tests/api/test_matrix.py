"""Who may call what: every route for nobody, a stranger, and each role (requirements F8, F10, F61).

The table is written by hand. A route that is not in it fails the test, so no route can be forgotten.
"""

import uuid
from dataclasses import dataclass

import httpx
import pytest
from fastapi import FastAPI

from tests.api.people import Meet, Musician, code

METHODS = ("get", "post", "patch", "put", "delete")
ROLES = ("viewer", "commenter", "editor", "owner")
PUBLIC = {"GET /live", "GET /ready", "GET /metrics", "POST /api/guests", "POST /api/voice/webhooks/{provider}"}
SIGNED_IN = {
    "GET /api/me",
    "PATCH /api/me",
    "GET /api/trash",
    "GET /api/projects",
    "POST /api/projects",
    "GET /api/invites/{token}",
    "POST /api/invites/{token}/accept",
}

READ, COMMENT, EDIT, OWN = range(4)
"""The least of ROLES that may."""


@dataclass(frozen=True)
class Rule:
    """The least role, and a body that is fine."""

    least: int
    body: object = None


PROJECT = "/api/projects/{project_id}"
RULES = {
    f"GET {PROJECT}": Rule(READ),
    f"PATCH {PROJECT}": Rule(EDIT, {"name": "Other"}),
    f"DELETE {PROJECT}": Rule(OWN),
    f"POST {PROJECT}/ticket": Rule(READ),
    f"GET {PROJECT}/document": Rule(READ),
    f"GET {PROJECT}/export": Rule(EDIT),
    f"GET {PROJECT}/options": Rule(READ),
    f"PATCH {PROJECT}/options": Rule(OWN, {"commenters_transport": True}),
    f"GET {PROJECT}/history": Rule(READ),
    f"GET {PROJECT}/sessions": Rule(READ),
    f"GET {PROJECT}/moments": Rule(READ),
    f"GET {PROJECT}/moments/{{seq}}": Rule(READ),
    f"GET {PROJECT}/moments/{{seq}}/compare": Rule(READ),
    f"POST {PROJECT}/moments/{{seq}}/restore": Rule(EDIT),
    f"POST {PROJECT}/changes/undo": Rule(EDIT, {"person": str(uuid.UUID(int=1)), "from_seq": 1, "to_seq": 1}),
    f"GET {PROJECT}/trash": Rule(READ),
    f"POST {PROJECT}/trash/{{root}}/{{entity_id}}/restore": Rule(EDIT),
    f"DELETE {PROJECT}/trash/{{root}}/{{entity_id}}": Rule(OWN),
    f"POST {PROJECT}/undelete": Rule(OWN),
    f"POST {PROJECT}/transfer": Rule(OWN, {"user_id": "{user_id}"}),
    f"POST {PROJECT}/tracks/{{track_id}}/lock": Rule(EDIT),
    f"DELETE {PROJECT}/tracks/{{track_id}}/lock": Rule(EDIT),
    f"POST {PROJECT}/voice": Rule(READ),
    f"GET {PROJECT}/voice": Rule(READ),
    f"PATCH {PROJECT}/voice": Rule(OWN, {"viewers_listen": False}),
    f"DELETE {PROJECT}/voice": Rule(READ),
    f"PATCH {PROJECT}/voice/participants/{{user_id}}": Rule(OWN, {"muted": True}),
    f"DELETE {PROJECT}/voice/participants/{{user_id}}": Rule(OWN),
    f"GET {PROJECT}/members": Rule(READ),
    f"PATCH {PROJECT}/members/{{user_id}}": Rule(OWN, {"credited": True}),
    f"DELETE {PROJECT}/members/{{user_id}}": Rule(OWN),
    f"POST {PROJECT}/invites": Rule(OWN, {"role": "viewer"}),
    f"GET {PROJECT}/invites": Rule(OWN),
    f"DELETE {PROJECT}/invites/{{invite_id}}": Rule(OWN),
    f"GET {PROJECT}/markers": Rule(READ),
    f"POST {PROJECT}/markers": Rule(EDIT, {"tick": 0, "label": "x"}),
    f"PATCH {PROJECT}/markers/{{marker_id}}": Rule(EDIT, {"label": "y"}),
    f"DELETE {PROJECT}/markers/{{marker_id}}": Rule(EDIT),
    f"GET {PROJECT}/notes": Rule(READ),
    f"POST {PROJECT}/notes": Rule(COMMENT, {"body": "x"}),
    f"PATCH {PROJECT}/notes/{{note_id}}": Rule(EDIT, {"body": "y"}),
    f"DELETE {PROJECT}/notes/{{note_id}}": Rule(EDIT),
    f"GET {PROJECT}/snapshots": Rule(READ),
    f"POST {PROJECT}/snapshots": Rule(EDIT, {"name": "x"}),
    f"GET {PROJECT}/snapshots/{{snapshot_id}}": Rule(READ),
    f"DELETE {PROJECT}/snapshots/{{snapshot_id}}": Rule(OWN),
    f"GET {PROJECT}/snapshots/{{snapshot_id}}/compare": Rule(READ),
    f"POST {PROJECT}/snapshots/{{snapshot_id}}/restore": Rule(EDIT),
    f"POST {PROJECT}/snapshots/{{snapshot_id}}/fork": Rule(READ),
}


def routes(app: FastAPI) -> set[str]:
    """Every route as "METHOD /template"."""
    return {
        f"{method.upper()} {path}"
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if method in METHODS
    }


async def stage(owner: Musician, other: Musician) -> dict[str, str]:
    """A project with one of everything; the ids by their names in the templates."""
    project = await owner.project()
    await other.post(f"/api/invites/{await owner.invite(project, 'viewer')}/accept")
    parts = {
        "marker_id": await owner.post(f"{project}/markers", {"tick": 0, "label": "x"}),
        "note_id": await owner.post(f"{project}/notes", {"body": "x"}),
        "snapshot_id": await owner.post(f"{project}/snapshots", {"name": "x"}),
        "invite_id": await owner.post(f"{project}/invites", {"role": "viewer"}),
    }
    ids = {name: str(made.json()["id"]) for name, made in parts.items()}
    thrown = (await owner.post(f"{project}/markers", {"tick": 0, "label": "thrown away"})).json()["id"]
    await owner.delete(f"{project}/markers/{thrown}")
    ids |= {"root": "markers", "entity_id": thrown, "seq": "1", "track_id": "master"}
    return ids | {"project_id": project.rsplit("/", 1)[1], "user_id": other.id, "token": "x" * 43}


async def call(somebody: Musician, route: str, ids: dict[str, str], body: object) -> httpx.Response:
    method, template = route.split(" ")
    if isinstance(body, dict):
        body = {key: ids.get(value[1:-1], value) if isinstance(value, str) else value for key, value in body.items()}
    return await somebody.call(method, template.format(**ids), body)


def test_the_table_names_every_route(app: FastAPI) -> None:
    """Nothing is served that this page does not decide about."""
    assert routes(app) == PUBLIC | SIGNED_IN | RULES.keys()


async def test_nobody_is_401_everywhere(app: FastAPI, http: httpx.AsyncClient) -> None:
    """Without a token there is nothing but what is public."""
    ids = dict.fromkeys(("project_id", "user_id", "invite_id", "snapshot_id"), str(uuid.uuid4()))
    ids |= {"token": "x" * 43, "seq": "1", "root": "notes", "entity_id": "n_0", "track_id": "master"}
    ids |= {"marker_id": "m_000000000000", "note_id": "n_000000000000"}
    for route in routes(app) - PUBLIC:
        method, template = route.split(" ")
        body = RULES[route].body if route in RULES else None
        sent = {} if body is None else {"json": body}
        answer = await http.request(method, template.format(**ids), **sent)  # type: ignore[arg-type]
        assert code(answer) == (401, "unauthenticated"), route


@pytest.mark.parametrize("route", RULES)
async def test_a_stranger_finds_nothing(meet: Meet, route: str) -> None:
    """What one is no member of does not exist, whatever one asks of it."""
    owner, other, stranger = await meet("Ann"), await meet("Ben"), await meet("Sam")
    ids = await stage(owner, other)
    assert code(await call(stranger, route, ids, RULES[route].body)) == (404, "not_found")


@pytest.mark.parametrize("route", RULES)
async def test_each_role_may_what_the_table_says(meet: Meet, route: str) -> None:
    """Lesser roles are told forbidden and change nothing, and then each greater one succeeds."""
    owner, other = await meet("Ann"), await meet("Ben")
    rule = RULES[route]
    ids = await stage(owner, other)
    for rank, role in enumerate(ROLES):
        if rank > rule.least:  # the first who may finds what the others could not touch
            ids = await stage(owner, other)
        project = f"/api/projects/{ids['project_id']}"
        caller = owner if role == "owner" else await meet("Cleo", owner, project, role)
        answer = await call(caller, route, ids, rule.body)
        if rank < rule.least:
            assert code(answer) == (403, "forbidden"), (route, role)
        else:
            assert answer.is_success, (route, role, answer.text)
