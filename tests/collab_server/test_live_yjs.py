"""Tests of real Yjs clients (y-websocket) against the real server, beside pycrdt peers."""

from typing import Any
from uuid import UUID

from studio.roles import Role
from tests.collab_server.conftest import MakePeer
from tests.collab_server.peer import until
from tests.collab_server.providers import Studio, node, studio
from tests.collab_server.world import User, World
from tests.provider_peer.peer import Client

__all__ = ["node", "studio"]

YJS = "y-websocket-3"
TRACK = {"kind": "audio", "name": "Bass", "order": "a", "gain_db": 0, "pan": 0, "mute": False, "output": "master"}
TRACK |= {"deleted": None}


async def synced(client: Client) -> bool:
    """Whether the provider says so."""
    return (await client.state()).synced


async def closed(client: Client) -> dict[str, Any] | None:
    """Why the provider gave up for good, if it did."""
    return (await client.state()).closed


async def is_json(client: Client, wanted: dict[str, Any]) -> bool:
    """Whether the client sees exactly this."""
    return await client.json() == wanted


async def test_yjs_and_pycrdt_edit_one_song(
    world: World, project: UUID, ada: User, studio: Studio, make_peer: MakePeer
) -> None:
    """Maps, numbers and texts beyond ASCII written by either are the same for both and in the journal."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await studio.join(YJS, project, bob)
    await b.edit(["set", "tracks", "t_1", "", TRACK], ["set", "transport", "", "bpm", 97.5])
    a.marker("m_1", 960, "Vers é 😀")
    a.note("n_1", "é😀 more")
    await a.saved()
    await until(lambda: "t_1" in a.json()["tracks"])
    await until(lambda: is_json(b, a.json()))
    await b.edit(["insert", "notes", "n_1", "body", 3, " and"])
    await until(lambda: a.json()["notes"]["n_1"]["body"] == "é😀 and more")
    await until(lambda: _stored_is(world, project, a.json()))


async def test_s1_yjs_comes_back_after_500_offline_edits(
    world: World, project: UUID, ada: User, studio: Studio, make_peer: MakePeer
) -> None:
    """Both sides edit apart, 500 times each; reconnected, everything of both is there."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await studio.join(YJS, project, bob)
    a.track("t_1")
    await a.saved()
    await until(lambda: is_json(b, a.json()))
    a.drop()
    await b.disconnect()
    for number in range(500):
        a.marker(f"m_a{number}", number, "a")
        marker = {"tick": number, "end": None, "label": "b", "color": "#ffcc00", "kind": "cue", "by": "", "at": 0}
        await b.edit(["set", "markers", f"m_b{number}", "", {**marker, "deleted": None}])
    await b.connect()
    await a.join()
    await a.saved()
    await until(lambda: len(a.json()["markers"]) == 1_000)
    await until(lambda: is_json(b, a.json()))
    await until(lambda: _stored_is(world, project, a.json()))


async def test_s5_a_yjs_viewer_reads_and_cannot_write(
    world: World, project: UUID, ada: User, studio: Studio, make_peer: MakePeer
) -> None:
    """A viewer's edit stays on its own screen; the client is warned once and stays connected."""
    eve = await world.member(project, Role.VIEWER, "Eve")
    a, e = await make_peer(project, ada).join(), await studio.join(YJS, project, eve)
    a.track("t_1")
    await a.saved()
    await until(lambda: is_json(e, a.json()))
    before = len((await e.state()).warnings)
    await e.edit(["set", "transport", "", "bpm", 33])
    await e.edit(["set", "transport", "", "bpm", 34])

    async def warned() -> bool:
        return len((await e.state()).warnings) > before

    await until(warned)
    a.field("tracks", "t_1", "name", "after")
    await a.saved()
    state = await e.state()
    assert len(state.warnings) == before + 1
    assert "role viewer may not write" in state.warnings[-1]
    assert state.connected
    assert a.json()["transport"]["bpm"] == 120
    assert (await world.stored(project)) == a.json()


async def test_s7_a_yjs_clients_invalid_value_is_repaired(
    world: World, project: UUID, ada: User, studio: Studio, make_peer: MakePeer
) -> None:
    """A string for a number comes back to its author as the server's value."""
    a, b = await make_peer(project, ada).join(), await studio.join(YJS, project, ada)
    await b.edit(["set", "transport", "", "bpm", "fast"])
    await b.edit(["set", "transport", "", "swing", 0.25])
    await until(lambda: a.json()["transport"]["swing"] != 0)
    await until(lambda: is_json(b, a.json()))
    assert a.json()["transport"]["bpm"] == 120


async def test_s8_yjs_presence_across_clients(
    world: World, project: UUID, ada: User, studio: Studio, make_peer: MakePeer
) -> None:
    """Each sees the other with the server's name and role; who leaves disappears; nobody is thrown out for
    re-sending what it heard."""
    bob = await world.member(project, name="Bob")
    a, b = await make_peer(project, ada).join(), await studio.join(YJS, project, bob)
    client = (await b.state()).client
    await b.show(cursor=960, user={"name": "Somebody else", "role": "owner"})
    await until(lambda: (a.seen(client) or {}).get("cursor") == 960)
    shown = a.seen(client)
    assert shown is not None
    assert (shown["user"]["name"], shown["user"]["role"]) == ("Bob", "editor")
    a.show(cursor=1)

    async def sees_ada() -> bool:
        state = (await b.state()).people.get(str(a.client)) or {}
        return bool(state.get("user", {}).get("name") == "Ada")

    await until(sees_ada)
    await b.disconnect()
    await until(lambda: a.seen(client) is None)
    await b.connect()
    await until(lambda: a.seen(client))
    assert (await b.state()).closed is None


async def test_s11_a_removed_yjs_client_gives_up_for_good(
    world: World, project: UUID, ada: User, studio: Studio
) -> None:
    """4403 is permanent to y-websocket 3.1: it says `closed` and does not come back."""
    bob = await world.member(project)
    b = await studio.join(YJS, project, bob)
    await world.pool.execute("delete from project_members where project_id = $1 and user_id = $2", project, bob.id)
    took = await until(lambda: closed(b))
    assert took < 1.5
    assert await closed(b) == {"code": 4403, "reason": "access revoked"}


async def test_s12_a_yjs_client_with_somebody_elses_id_takes_another(
    world: World, project: UUID, ada: User, studio: Studio, make_peer: MakePeer
) -> None:
    """Yjs notices at the sync that its id is in use and draws a new one; what it then writes counts, and the owner of
    the id goes on."""
    eve = await world.member(project, name="Eve")
    a = await make_peer(project, ada).join()
    a.track("t_1")
    await a.saved()
    e = await studio.join(YJS, project, eve, client=a.client)
    assert (await e.state()).client != a.client
    await e.edit(["set", "transport", "", "bpm", 66])
    await until(lambda: a.json()["transport"]["bpm"] == 66)
    a.field("tracks", "t_1", "name", "mine")
    await a.saved()
    await until(lambda: is_json(e, a.json()))


async def test_u1_a_yjs_client_undoes_only_its_own(
    world: World, project: UUID, ada: User, studio: Studio, make_peer: MakePeer
) -> None:
    """What others did since stays."""
    a, b = await make_peer(project, ada).join(), await studio.join(YJS, project, ada)
    await b.edit(["set", "transport", "", "bpm", 90])
    await until(lambda: a.json()["transport"]["bpm"] == 90)
    a.put("transport", "swing", 0.25)
    await a.saved()
    await until(lambda: is_json(b, a.json()))
    await b.undo()
    await until(lambda: a.json()["transport"]["bpm"] == 120)
    assert a.json()["transport"]["swing"] == 0.25


async def test_an_expired_ticket_is_permanent_until_a_fresh_one(
    world: World, project: UUID, ada: User, studio: Studio
) -> None:
    """4401 stops the provider; with a new ticket in `params` it connects again and is synced."""
    b = await studio.join(YJS, project, ada)
    await b.disconnect()
    await b.connect(token=world.ticket(project, ada, now=1_000_000_000.0))
    await until(lambda: closed(b))
    assert await closed(b) == {"code": 4401, "reason": "the ticket has expired"}
    await b.connect(token=world.ticket(project, ada))
    await until(lambda: synced(b))


async def _stored_is(world: World, project: UUID, wanted: dict[str, Any]) -> bool:
    return await world.stored(project) == wanted
