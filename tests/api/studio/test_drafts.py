"""Drafts: unsent work of another lineage, which its author alone can look at and start a new project from."""

from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from pycrdt import Map

from api.services import Services
from persistence.snapshots import Snapshots
from studio.binding import new_entity
from studio.blank import blank, open_doc
from tests.api.people import Meet, Musician, code

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


def labels(markers: Any) -> list[str]:
    return sorted(marker["label"] for marker in markers)
