"""Tests of every provider that people have, in one room, against the real server."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from studio.roles import Role
from tests.collab_server.conftest import MakePeer
from tests.collab_server.peer import until
from tests.collab_server.providers import HOCUSPOCUS, KINDS, Studio, node, studio, when
from tests.collab_server.world import User, World
from tests.provider_peer.peer import Client, State

__all__ = ["node", "studio"]


def cursors(state: State) -> set[object]:
    """The cursors of everybody who is present."""
    return {person.get("cursor") for person in state.people.values() if person}


def shows(client: Client, root: str, id: str, key: str, value: object) -> Callable[[], Awaitable[bool]]:
    """A condition on a document."""

    async def asked() -> bool:
        return bool((await client.json())[root].get(id, {}).get(key) == value)

    return asked


async def marker(world: World, project: UUID) -> dict[str, Any]:
    """The marker m_1 as it is stored."""
    markers: dict[str, dict[str, Any]] = (await world.stored(project))["markers"]  # type: ignore[assignment]
    return markers["m_1"]


async def test_every_provider_in_one_room(world: World, project: UUID, ada: User, studio: Studio) -> None:
    """All see each other's edits and presence, all are told that theirs are saved, and all hold what is stored."""
    clients = {kind: await studio.join(kind, project, ada) for kind in KINDS}
    author = clients["hocuspocus-4"]
    await author.edit(*(["set", "markers", f"m_{kind}", "", {"tick": 960, "label": "?"}] for kind in KINDS))
    for kind, client in clients.items():
        await until(shows(client, "markers", f"m_{kind}", "label", "?"), kind)
        await client.edit(["set", "markers", f"m_{kind}", "label", kind])
        await client.show(cursor=kind)
    for seen_by, client in clients.items():
        for kind in KINDS:
            await until(shows(client, "markers", f"m_{kind}", "label", kind), f"{kind} seen by {seen_by}")
        await until(
            when(client, lambda s: {p.get("cursor") for p in s.people.values() if p} >= set(KINDS)),
            f"all seen by {seen_by}",
        )
    for kind in HOCUSPOCUS:
        await until(when(clients[kind], lambda s: s.unsynced == 0), f"{kind} knows that everything is saved")
    stored = await world.stored(project)
    for client in clients.values():
        assert (await client.json())["markers"] == stored["markers"]


@pytest.mark.parametrize("kind", HOCUSPOCUS)
async def test_a_hocuspocus_provider_is_told_that_it_is_saved_after_the_commit(
    kind: str, world: World, project: UUID, ada: User, studio: Studio
) -> None:
    """Every edit counts until it is in the journal, and then no more."""
    client = await studio.join(kind, project, ada)
    for number in range(5):
        assert await client.edit(["set", "markers", "m_1", "", {"tick": number, "label": "x"}])
    await until(when(client, lambda s: s.unsynced == 0), "saved")
    assert (await marker(world, project))["tick"] == 4


@pytest.mark.parametrize("kind", HOCUSPOCUS)
async def test_a_hocuspocus_viewer_reads_only(
    kind: str, world: World, project: UUID, ada: User, make_peer: MakePeer, studio: Studio
) -> None:
    """It is told its scope, what it writes stays unsynced for ever, and nobody else sees it."""
    viewer = await world.member(project, role=Role.VIEWER)
    a = await make_peer(project, ada).join()
    client = await studio.join(kind, project, viewer, role=Role.VIEWER)
    assert (await client.state()).scope == "readonly"
    await until(when(client, lambda s: s.unsynced == 0), "nothing to save")
    await client.edit(["set", "markers", "m_1", "", {"tick": 1, "label": "x"}])
    a.marker("m_2", 2, "y")
    await a.saved()
    await until(shows(client, "markers", "m_2", "label", "y"), "it hears")
    assert (await client.state()).unsynced == 1
    assert "m_1" not in a.json()["markers"]


@pytest.mark.parametrize("kind", HOCUSPOCUS)
async def test_many_documents_share_one_socket(kind: str, world: World, ada: User, studio: Studio) -> None:
    """Each has its own content and its own permission: one that is refused leaves the others alone."""
    projects = [await world.project(ada) for _ in range(3)]
    stranger = await world.user()
    clients = [await studio.join(kind, project, ada, shared="one") for project in projects]
    refused = await studio.open(kind, await world.project(ada), stranger, shared="one")
    await until(when(refused, lambda s: s.closed), "refused")
    for number, client in enumerate(clients):
        await client.edit(["set", "markers", "m_1", "", {"tick": number, "label": f"{number}"}])
    for number, (client, project) in enumerate(zip(clients, projects, strict=True)):
        await until(when(client, lambda s: s.unsynced == 0 and s.connected), "saved")
        assert (await marker(world, project))["label"] == f"{number}"


async def test_two_providers_of_one_document_on_one_socket(project: UUID, ada: User, studio: Studio) -> None:
    """sessionAwareness: the same document twice on one socket, each with an address of its own."""
    one = await studio.join("hocuspocus-4", project, ada, shared="two", session=True)
    two = await studio.join("hocuspocus-4", project, ada, shared="two", session=True)
    await one.edit(["set", "markers", "m_1", "", {"tick": 1, "label": "here"}])
    await until(shows(two, "markers", "m_1", "label", "here"), "seen")
    await two.show(cursor=2)
    await until(when(one, lambda s: 2 in cursors(s)), "present")
    await until(when(one, lambda s: s.unsynced == 0), "saved")


async def test_stateless_messages_reach_everybody_else_who_has_them(
    world: World, project: UUID, ada: User, studio: Studio
) -> None:
    """What one provider says is heard by the others once; a viewer is not listened to."""
    viewer = await world.member(project, role=Role.VIEWER)
    one, two = await studio.join("hocuspocus-4", project, ada), await studio.join("hocuspocus-3", project, ada)
    mute = await studio.join("hocuspocus-4", project, viewer, role=Role.VIEWER)
    await mute.say("psst")
    await one.say("take five")
    await until(when(two, lambda s: s.heard), "heard")
    assert ((await two.state()).heard, (await one.state()).heard) == (["take five"], [])
    assert (await mute.state()).heard == ["take five"]


@pytest.mark.parametrize("kind", HOCUSPOCUS)
async def test_who_was_offline_brings_its_work_along(
    kind: str, world: World, project: UUID, ada: User, studio: Studio
) -> None:
    """Edits made while disconnected arrive with the reconnect and are saved."""
    client = await studio.join(kind, project, ada)
    await client.disconnect()
    await until(when(client, lambda s: not s.connected), "gone")
    await client.edit(["set", "markers", "m_1", "", {"tick": 7, "label": "offline"}])
    await client.connect()
    await until(when(client, lambda s: s.connected and s.unsynced is not None and s.unsynced <= 0), "back")
    # (2.15 sends what it queued while it was away as well, and counts below zero)
    assert (await marker(world, project))["tick"] == 7
