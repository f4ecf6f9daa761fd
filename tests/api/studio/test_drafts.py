"""Drafts: unsent work of another lineage, which its author alone can look at and start a new project from."""

import asyncio
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from pycrdt import Map

from api.app import running
from api.services import Services
from api.settings import Settings
from persistence.snapshots import Snapshots
from studio.binding import new_entity
from studio.blank import blank, open_doc
from tests.api.people import Meet, Musician, client_of, code
from tests.collab_server.gate.forge import Section, Struct, encode

MARKER = {"tick": 960, "label": "Unsent", "kind": "cue", "color": "#d9b13b", "deleted": None}


def unsent() -> bytes:
    """A song of another lineage, with a marker in it and a gain that nobody may have."""
    doc = open_doc(777)
    doc.apply_update(blank("another", "Another song", "u", 0, 778))
    with doc.transaction():
        doc.get("markers", type=Map)["m_unsent"] = new_entity(MARKER.items())
        doc.get("tracks", type=Map)["t_loud"] = new_entity({"name": "Loud", "gain_db": 99}.items())
    return doc.get_update()


async def keep(app: FastAPI, who: Musician, project: str, state: bytes) -> str:
    """What the collab server does with it."""
    services: Services = app.state.services
    made = await Snapshots(services.pool).save(
        UUID(project.rsplit("/", 1)[1]),
        kind="draft",
        reason="lineage",
        name="Unsent work",
        author=UUID(who.id),
        parent=None,
        epoch=1,
        seq=1,
        state=state,
        canonical=None,
    )
    return f"{project}/snapshots/{made}"


async def test_a_draft_is_compared_and_forked_by_its_author(app: FastAPI, meet: Meet) -> None:
    """It reads as if it were laid over the live document and repaired; the live document stays as it is."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    await ann.post(f"{project}/markers", {"tick": 0, "label": "Live"})
    draft = await keep(app, ben, project, unsent())
    before = (await ben.get(f"{project}/document")).json()
    shown = (await ben.get(draft)).json()
    assert labels(shown["document"]["markers"].values()) == ["Live", "Unsent"]
    assert shown["document"]["tracks"]["t_loud"]["gain_db"] == 6
    compared = (await ben.get(f"{draft}/compare")).json()["items"]
    assert {"marker “Unsent” was deleted", "track “Loud” was deleted"} <= {item["text"] for item in compared}
    fork = await ben.post(f"{draft}/fork")
    assert fork.status_code == 201, fork.text
    copied = (await ben.get(f"/api/projects/{fork.json()['id']}/markers")).json()["items"]
    assert labels(copied) == ["Live", "Unsent"]
    assert (await ben.get(f"{project}/document")).json() == before
    assert [item["kind"] for item in (await ben.get(f"{project}/snapshots")).json()["items"]] == ["draft"]
    assert (await ann.get(f"{project}/snapshots")).json()["items"] == []
    assert code(await ann.get(f"{draft}/compare")) == (404, "not_found")


DEEP = bytes((1, 1, 5, 0, 0x28, 1, 6)) + b"tracks" + b"\x01k\x01" + b"\x75\x01" * 50_000 + b"\x7e\x00"
"""Lists in lists: a segmentation fault in yrs."""


@pytest.mark.parametrize("state", [b"", b"\xff" * 30, b"\x01\x05", DEEP], ids=["empty", "bytes", "cut", "deep"])
async def test_a_draft_that_cannot_be_read_harms_nobody(app: FastAPI, meet: Meet, state: bytes) -> None:
    """Nobody judged its bytes: they are read in another process, and the answer is a conflict."""
    ann = await meet("Ann")
    project = await ann.project()
    draft = await keep(app, ann, project, state)
    assert code(await ann.get(f"{draft}/compare")) == (409, "conflict")
    assert code(await ann.post(f"{draft}/fork")) == (409, "conflict")
    assert (await ann.get(f"{project}/document")).status_code == 200


async def test_a_draft_that_takes_long_is_given_up(app: FastAPI, meet: Meet) -> None:
    """A megabyte that would keep yrs busy for a minute gets five seconds of a processor."""
    ann = await meet("Ann")
    firsts = [Struct(8, 1, b"\x01\x78", parent="tracks", key="k")] * 80_000
    draft = await keep(app, ann, await ann.project(), encode([Section(5, 0, firsts)], {}))
    before = getrusage(RUSAGE_CHILDREN)
    assert code(await ann.get(draft)) == (409, "conflict")
    after = getrusage(RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 10


async def test_whoever_reads_a_draft_holds_no_connection(settings: Settings, meet: Meet) -> None:
    """Of an app with a single connection others are answered, again and again, while a draft is being read."""
    ann = await meet("Ann")
    project = await ann.project()
    single = settings.model_copy(update={"database": settings.database.model_copy(update={"connections_max": 1})})
    async with running(single) as app, client_of(app) as http:
        draft = await keep(app, ann, project, unsent())
        reader = Musician(http, ann.user, ann.token)
        for question in (reader.get(draft), reader.post(f"{draft}/restore"), reader.post(f"{draft}/fork")):
            reading, answered = asyncio.create_task(question), 0
            while not reading.done():
                assert (await reader.get("/api/me")).status_code == 200
                answered += 1
            assert (await reading).is_success
            assert answered > 10


async def test_only_a_few_drafts_are_read_at_once(app: FastAPI, meet: Meet) -> None:
    """Whoever comes when all readers are at work is told when to ask again; nobody waits in a line."""
    ann = await meet("Ann")
    draft = await keep(app, ann, await ann.project(), unsent())
    answers = await asyncio.gather(*(ann.get(draft) for _ in range(8)))
    refused = [answer for answer in answers if not answer.is_success]
    assert 2 <= len(answers) - len(refused) < 8
    assert {code(answer) for answer in refused} == {(503, "drafts_busy")}
    assert {answer.headers["Retry-After"] for answer in refused} == {"5"}
    assert (await ann.get(draft)).status_code == 200


def labels(markers: Any) -> list[str]:
    return sorted(marker["label"] for marker in markers)
