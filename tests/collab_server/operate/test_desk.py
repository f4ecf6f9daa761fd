"""What a node answers below /operator/, and to whom."""

import json
from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
import pytest

from collab_server.operate.desk import PAGE_MAX
from collab_server.operate.node import CLOSED, Node
from launch.app import App
from studio.blank import open_doc
from studio.canonical import canonical
from tests.collab_server.conftest import MakePeer
from tests.collab_server.operate.conftest import TOKEN
from tests.collab_server.peer import until
from tests.collab_server.songs import song
from tests.collab_server.world import User, World

BEARER = {"Authorization": f"Bearer {TOKEN}"}
PATHS = ("/operator/rooms", "/operator/connections", f"/operator/rooms/{UUID(int=7)}/state", "/operator/nothing")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": f"Bearer {TOKEN}x"}],
)
async def test_without_the_token_there_is_nothing_to_see(collab: App, path: str, headers: dict[str, str]) -> None:
    """401, whether the place exists or not; and a token in the query does not count."""
    async with httpx.AsyncClient(base_url=collab.http) as client:
        answer = await client.get(f"{path}?token={TOKEN}", headers=headers)
    assert (answer.status_code, answer.text) == (401, "the operators' token is needed\n")


async def test_a_node_without_a_token_has_no_desk(app_environment: dict[str, str], free_port: int) -> None:
    """404 for everybody, also with an empty token."""
    environment = app_environment | {"COLLAB__PORT": str(free_port), "OPERATOR__TOKEN": ""}
    app = App("collab_server", free_port, environment)
    await app.start()
    try:
        async with httpx.AsyncClient(base_url=app.http) as client:
            for headers in ({}, {"Authorization": "Bearer x"}, BEARER):
                assert (await client.get("/operator/rooms", headers=headers)).status_code == 404
    finally:
        await app.stop()


async def test_rooms_and_connections_are_listed(
    world: World, project: UUID, ada: User, collab: App, make_peer: MakePeer
) -> None:
    """Who is connected to what with which role, how much each has edited, and how far the room is."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await make_peer(project, bob).join()
    a.track("t_1")
    a.put("transport", "bpm", 99)
    b.put("transport", "bpm", 98)
    await a.saved()
    await b.saved()
    node = Node(collab.http, TOKEN)
    (room,) = [room for room in await node.rooms() if room["project"] == str(project)]
    assert (room["members"], room["edits"], room["epoch"]) == (2, 3, 1)
    assert room["head"] == await world.rows(project)
    assert room["document_bytes"] > 0
    here = {found["user"]: found for found in await node.connections() if found["project"] == str(project)}
    assert here.keys() == {str(ada.id), str(bob.id)}
    assert (here[str(ada.id)]["name"], here[str(ada.id)]["role"], here[str(ada.id)]["edits"]) == ("Ada", "owner", 2)
    assert here[str(bob.id)]["role"] == "editor"


async def test_a_rooms_edits_are_those_of_people_who_left_too(
    world: World, project: UUID, ada: User, collab: App, make_peer: MakePeer
) -> None:
    """Who edited and left, and whose connection broke, stay counted while the room is open; a new room begins at 0."""
    node, stays = Node(collab.http, TOKEN), await make_peer(project, ada).join()

    async def counted() -> list[tuple[int, int]]:
        rooms = [room for room in await node.rooms() if room["project"] == str(project)]
        return [(room["members"], room["edits"]) for room in rooms]

    for number, gone in enumerate([await make_peer(project, ada).join(), await make_peer(project, ada).join()]):
        gone.put("transport", "bpm", 90 + number)
        gone.put("transport", "swing", 0.5 / (1 + number))
        await gone.saved()
        if number:
            gone.drop()
        else:
            await gone.leave()
    await until(lambda: _is(counted, (1, 4)), "both are gone")
    stays.put("transport", "bpm", 120)
    await stays.saved()
    assert await counted() == [(1, 5)]
    await stays.leave()
    await until(lambda: _is(counted), "the room is closed")
    again = await make_peer(project, ada).join()
    again.put("transport", "bpm", 121)
    await again.saved()
    assert await counted() == [(1, 1)]


async def _is(asked: Callable[[], Awaitable[list[tuple[int, int]]]], *wanted: tuple[int, int]) -> bool:
    return await asked() == list(wanted)


async def test_pages_are_bounded_and_lead_through_everything(
    world: World, ada: User, collab: App, make_peer: MakePeer
) -> None:
    """`offset` and `limit` cut the list; nonsense reads as the default, and no page is longer than the bound."""
    for _ in range(3):
        await make_peer(await world.project(ada), ada).join()
    async with httpx.AsyncClient(base_url=collab.http, headers=BEARER) as client:
        whole = (await client.get("/operator/connections?limit=99999999")).json()
        assert whole["total"] == len(whole["items"]) >= 3
        pages = [
            (await client.get(f"/operator/connections?offset={offset}&limit=1")).json()["items"]
            for offset in range(whole["total"] + 1)
        ]
        assert [item for page in pages for item in page] == whole["items"]
        odd = (await client.get("/operator/connections?offset=-1&limit=x")).json()
    assert odd == whole
    assert whole["total"] <= PAGE_MAX


async def test_the_served_document_is_handed_out_whole(
    world: World, ada: User, collab: App, make_peer: MakePeer
) -> None:
    """A document of a megabyte comes as one line of facts and its encoded state."""
    updates = song(tracks=30, clips=4_000)
    project = await world.project(ada, *updates)
    a = await make_peer(project, ada).join()
    live = await Node(collab.http, TOKEN).live(project)
    assert live is not CLOSED
    async with httpx.AsyncClient(base_url=collab.http, headers=BEARER) as client:
        answer = await client.get(f"/operator/rooms/{project}/state")
    head, _, state = answer.content.partition(b"\n")
    assert json.loads(head) == {"project": str(project), "epoch": 1, "head": 2}
    assert len(state) > 500_000
    doc = open_doc()
    doc.apply_update(state)
    assert canonical(doc) == a.json()


async def test_a_room_that_is_not_open_has_no_document(project: UUID, collab: App) -> None:
    """Nor has what is no id."""
    node = Node(collab.http, TOKEN)
    assert await node.live(project) is CLOSED
    async with httpx.AsyncClient(base_url=collab.http, headers=BEARER) as client:
        assert (await client.get("/operator/rooms/x/state")).status_code == 404
        assert (await client.get("/operator/rooms/")).status_code == 404
