"""Markers over HTTP, through the document."""

import pytest

from persistence.pool import open_pool
from tests.api.people import Meet, code

ROWS = "select id, tick, label from studio_markers where project_id = $1 order by tick"


async def test_a_marker_stands_in_the_document_and_in_its_row(meet: Meet, database: str) -> None:
    """Add, list, change, delete: document, list and projection agree after each."""
    ann = await meet("Ann")
    project = await ann.project()
    made = await ann.post(f"{project}/markers", {"tick": 960, "label": "Verse", "kind": "section", "end": 3840})
    assert made.status_code == 201
    marker = made.json()
    assert (marker["tick"], marker["end"], marker["label"], marker["kind"]) == (960, 3840, "Verse", "section")
    assert marker["by"] == ann.id
    place = f"{project}/markers/{marker['id']}"
    document = (await ann.get(f"{project}/document")).json()
    assert document["markers"][marker["id"]]["label"] == "Verse"
    changed = await ann.patch(place, {"label": "Chorus", "end": None})
    assert changed.json() == marker | {"label": "Chorus", "end": None}
    assert (await ann.get(f"{project}/markers")).json()["items"] == [changed.json()]
    pool = await open_pool(database)
    rows = await pool.fetch(ROWS, project.rsplit("/", 1)[1])
    assert [tuple(row) for row in rows] == [(marker["id"], 960, "Chorus")]
    assert (await ann.delete(place)).status_code == 204
    assert await pool.fetch(ROWS, project.rsplit("/", 1)[1]) == []
    await pool.close()
    assert (await ann.get(f"{project}/markers")).json()["items"] == []
    assert code(await ann.patch(place, {"label": "x"})) == (404, "not_found")
    assert code(await ann.delete(place)) == (404, "not_found")


async def test_markers_come_in_the_order_of_the_song(meet: Meet) -> None:
    """By tick, page after page."""
    ann = await meet("Ann")
    project = await ann.project()
    for tick in (4000, 0, 2000, 2000, 1000):
        await ann.post(f"{project}/markers", {"tick": tick, "label": str(tick)})
    ticks, cursor = [], None
    for _ in range(3):
        page = (
            await ann.get(f"{project}/markers", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        ).json()
        ticks += [marker["tick"] for marker in page["items"]]
        cursor = page["next_cursor"]
    assert (ticks, cursor) == ([0, 1000, 2000, 2000, 4000], None)


@pytest.mark.parametrize(
    "body",
    [
        {"label": "x"},
        {"tick": -1, "label": "x"},
        {"tick": 1.5, "label": "x"},
        {"tick": "1", "label": "x"},
        {"tick": True, "label": "x"},
        {"tick": 10**400, "label": "x"},
        {"tick": 2**31 + 1, "label": "x"},
        {"tick": 5, "end": 5, "label": "x"},
        {"tick": 5, "label": "x" * 81},
        {"tick": 5, "label": "🎵" * 41},
        {"tick": 5, "label": "nul\0"},
        {"tick": 5, "label": "x", "kind": "verse"},
        {"tick": 5, "label": "x", "color": "red"},
        {"tick": 5, "label": "x", "by": "somebody"},
    ],
)
async def test_a_marker_that_is_none_is_refused(meet: Meet, body: object) -> None:
    """Wrong values are a typed refusal, and the document stays as it was."""
    ann = await meet("Ann")
    project = await ann.project()
    assert code(await ann.post(f"{project}/markers", body)) == (422, "invalid")
    assert (await ann.get(f"{project}/document")).json()["markers"] == {}


async def test_an_end_before_the_beginning_is_refused(meet: Meet) -> None:
    """Also when only one of the two is sent."""
    ann = await meet("Ann")
    project = await ann.project()
    marker = (await ann.post(f"{project}/markers", {"tick": 100, "end": 200, "label": "x"})).json()
    place = f"{project}/markers/{marker['id']}"
    assert code(await ann.patch(place, {"tick": 300})) == (422, "invalid")
    assert code(await ann.patch(place, {"end": 50})) == (422, "invalid")
    assert code(await ann.patch(place, {"tick": None})) == (422, "invalid")
    assert (await ann.patch(place, {})).json() == marker
