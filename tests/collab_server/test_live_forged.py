"""Tests of what clients forge against the real server: frames, roles, roots, presence, client ids."""

from uuid import UUID

import pytest
from pycrdt import Map, merge_updates

from collab_server import wire
from collab_server.closing import CloseCode
from collab_server.gate.awareness import Entry
from collab_server.wire import Kind
from studio.roles import Role
from tests.collab_server.conftest import MakePeer
from tests.collab_server.peer import until
from tests.collab_server.world import User, World


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\x00\x02\x05ab", CloseCode.MALFORMED),
        (b"\x00\x02\x03\x00\x00\x00", CloseCode.MALFORMED),
        (b"\x00\x07\x00", CloseCode.MALFORMED),
        (b"\x00\x02\x08" + b"\xff" * 8, CloseCode.MALFORMED),
        (b"\x00\x00\x02\xff\xff", CloseCode.MALFORMED),
        (b"\x01\x04\xff\xff\xff\xff", CloseCode.MALFORMED),
        (b"\xff" * 9, CloseCode.MALFORMED),
        (wire.encode_update(bytes(2 * 1024 * 1024 + 10)), CloseCode.TOO_LARGE),
        (wire.encode_update(bytes(1024 * 1024 + 10)), CloseCode.TOO_LARGE),
    ],
    ids=["cut", "trailing", "subtype", "junk", "vector", "awareness", "varint", "2 MiB", "1 MiB"],
)
async def test_s4_hostile_frames_close_their_sender_alone(
    message: bytes, code: CloseCode, world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """The offender gets the right code; everybody else, and the document, notice nothing."""
    eve = await world.member(project, name="Eve")
    a, e = await make_peer(project, ada).join(), await make_peer(project, eve).join()
    before = a.json()
    e.send(message)
    await until(lambda: e.closed)
    assert e.closed is not None
    assert e.closed[0] == code
    a.track("t_1")
    await a.saved()
    assert a.closed is None
    assert a.json()["transport"] == before["transport"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.COMMENTER])
async def test_s5_what_a_reader_forges_reaches_nobody(
    role: Role, world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """Update, Step2 and an edit hidden in a merged update: not applied, not relayed, not recorded, denied once."""
    eve = await world.member(project, role, "Eve")
    a = await make_peer(project, ada).join()
    e = await make_peer(project, eve, Role.EDITOR).join()  # the role in the database counts, not the ticket's
    a.track("t_1")
    await a.saved()
    await a.same(e)
    before, rows = a.json(), await world.rows(project)
    known = e.doc.get_update()
    forged = e.track("t_evil")
    e.send(wire.encode_step2(forged))
    e.send(wire.encode_update(merge_updates(known, forged)))
    e.send(wire.encode_step1(b"\x00"))
    steps = e.heard.count(Kind.STEP2)
    await until(lambda: e.heard.count(Kind.STEP2) > steps, "the server has read everything")
    a.field("tracks", "t_1", "name", "after")
    await a.saved()
    assert e.denied == [f"role {role.value} may not write"]
    assert e.closed is None
    assert "t_evil" not in a.json()["tracks"]
    assert a.json().keys() == before.keys()
    assert await world.stored(project) == a.json()
    assert await world.rows(project) == rows + 1


@pytest.mark.parametrize("root", ["meta", "assets", "backdoor"])
async def test_s6_only_the_server_writes_its_roots(
    root: str, world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """An editor who writes meta, assets or an unknown root is sent away and nothing is kept."""
    eve = await world.member(project, name="Eve")
    a, e = await make_peer(project, ada).join(), await make_peer(project, eve).join()
    before = await world.stored(project)
    e.doc[root] = e.doc.get(root, type=Map)
    e.put(root, "evil", 1)
    await until(lambda: e.closed)
    assert e.closed is not None
    assert e.closed[0] == CloseCode.NOT_ALLOWED
    assert await world.stored(project) == before == a.json()


async def test_s8_presence_cannot_be_forged(world: World, project: UUID, ada: User, make_peer: MakePeer) -> None:
    """Entries for somebody else's client id are ignored, `user` is the server's, and the connection is kept."""
    eve = await world.member(project, name="Eve")
    a, e = await make_peer(project, ada).join(), await make_peer(project, eve).join()
    a.show(cursor=1)
    await until(lambda: e.seen(a.client))
    e.say_presence(
        [
            Entry(a.client, 500, '{"cursor":666,"user":{"name":"Ada"}}'),
            Entry(e.client, 1, '{"cursor":2,"user":{"name":"Ada","role":"owner","id":"x"}}'),
        ]
    )
    await until(lambda: a.seen(e.client))
    shown = a.seen(e.client)
    assert shown is not None
    assert shown["cursor"] == 2
    assert shown["user"] == {
        "id": str(eve.id),
        "name": "Eve",
        "color": "#aa3355",
        "role": "editor",
        "credited": True,
    }
    mine = e.seen(a.client)
    assert mine is not None
    assert mine["cursor"] == 1
    assert mine["user"]["name"] == "Ada"
    e.track("t_1")
    await e.saved()
    assert e.closed is None
    await e.leave()
    await until(lambda: a.seen(e.client) is None)


async def test_s12_a_client_id_of_somebody_else_is_refused(
    world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """Another user with a used client id is sent away with 4403 and told to pick a new one; the owner stays."""
    eve = await world.member(project, name="Eve")
    a = await make_peer(project, ada).join()
    a.track("t_1")
    await a.saved()
    e = await make_peer(project, eve, client=a.client).join()
    e.put("transport", "bpm", 66)
    await until(lambda: e.closed)
    assert e.closed is not None
    assert e.closed[0] == CloseCode.NOT_ALLOWED
    assert "pick a new one" in e.closed[1]
    tab = make_peer(project, ada, client=a.client)
    tab.track("t_other_tab")
    await tab.connect()
    await until(lambda: tab.synced or tab.closed)
    a.field("tracks", "t_1", "name", "mine")
    await a.saved()
    assert a.closed is None
