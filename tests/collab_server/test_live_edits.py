"""Tests of edits against the real server: sent, relayed, committed, repaired, merged."""

import asyncio
import math
from uuid import UUID

import pytest

from collab_server import wire
from collab_server.wire import Kind
from studio.canonical import canonical
from tests.collab_server.conftest import MakePeer
from tests.collab_server.peer import Peer, until
from tests.collab_server.rooms import open_room
from tests.collab_server.songs import song
from tests.collab_server.world import User, World

KEPT = "select count(*) from studio_snapshots where project_id = $1 and reason = $2"


async def test_two_people_edit_one_song(world: World, project: UUID, ada: User, make_peer: MakePeer) -> None:
    """Edits reach the other at once, are acknowledged after the commit, and the journal replays to what both see."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await make_peer(project, bob).join()
    a.track("t_1", name="Bass")
    b.track("t_2", name="Drums")
    a.put("transport", "bpm", 97)
    await a.saved()
    await b.saved()
    await a.same(b)
    assert (a.acknowledged, b.acknowledged) == (2, 1)
    assert await world.stored(project) == a.json() == b.json()
    changes = await world.pool.fetch(
        "select author_id, edits, paths from document_changes where project_id = $1", project
    )
    assert {(row["author_id"], path) for row in changes for path in row["paths"]} >= {
        (ada.id, "tracks/t_1"),
        (ada.id, "transport/bpm"),
        (bob.id, "tracks/t_2"),
    }


async def test_s1_500_offline_edits_each_are_merged(
    world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """After a long time apart everything both did is there; the document before the merge is kept as a snapshot."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await make_peer(project, bob).join()
    a.track("t_shared")
    await a.saved()
    await a.same(b)
    before = a.json()
    a.drop()
    b.drop()
    for number in range(250):
        a.track(f"t_a{number % 20}", name=f"a {number}")
        a.field("tracks", "t_shared", "gain_db", -(number % 60))
        b.marker(f"m_b{number}", 960 * number, f"b {number}")
        b.field("tracks", "t_shared", "pan", (number % 100) / 100)
    await a.join()
    await a.saved()
    await b.join()
    await b.saved()
    await a.same(b)
    merged = a.json()
    assert len(merged["markers"]) == 250
    assert {f"t_a{number}" for number in range(20)} <= merged["tracks"].keys()
    assert merged["tracks"]["t_shared"]["gain_db"] == -(249 % 60)
    assert merged["tracks"]["t_shared"]["pan"] == 0.49
    assert await world.stored(project) == merged

    async def kept() -> list[bytes]:
        rows = await world.pool.fetch(
            "select state from studio_snapshots where project_id = $1 and reason = 'before_merge' order by created_at",
            project,
        )
        return [row["state"] for row in rows]

    await until(kept, "snapshot before the merge")
    assert (
        canonical(open_room([(await kept())[0]], clients={}).doc)["tracks"]["t_shared"] == before["tracks"]["t_shared"]
    )


async def test_s1_a_room_is_kept_before_offline_work_once_in_a_while(
    world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """A few bytes are many edits when each overwrites the last: they do not make the server store all of it each time,
    and neither does leaving in between."""
    a = await make_peer(project, ada).join()
    a.track("t_1")
    await a.saved()

    async def kept(reason: str) -> int:
        return int(await world.pool.fetchval(KEPT, project, reason))

    async def left(times: int) -> bool:
        return await kept("last_leave") == times

    for times in range(1, 4):
        await a.leave()
        await until(lambda: left(times), "the room is kept and let go")  # noqa: B023
        for number in range(250):
            a.field("tracks", "t_1", "gain_db", -(number % 60))
        await a.join()
        await a.saved()
    await a.leave()
    await until(lambda: left(4), "the room is kept and let go")
    assert await kept("before_merge") == 1


async def test_s2_a_lost_update_is_asked_for(world: World, project: UUID, ada: User, make_peer: MakePeer) -> None:
    """Of two updates the first is lost: the second is not applied, the server asks with Step1, and all converge."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await make_peer(project, bob).join()
    asked = a.heard.count(Kind.STEP1)
    a.muted = True
    a.track("t_1")
    a.muted = False
    a.field("tracks", "t_1", "name", "Bass")
    await a.saved()
    await a.same(b)
    assert a.heard.count(Kind.STEP1) == asked + 1
    assert b.json()["tracks"]["t_1"]["name"] == "Bass"
    assert await world.stored(project) == b.json()


async def test_s2_the_second_update_before_the_first(
    world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """Updates that arrive the wrong way round end in the same document, once in the journal."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await make_peer(project, bob).join()
    a.muted = True
    first, second = a.track("t_1"), a.field("tracks", "t_1", "name", "Bass")
    for update in (second, first):
        a.unsaved.append(update)
        a.send(wire.encode_update(update))
    await a.saved()
    await a.same(b)
    assert await world.stored(project) == b.json() == a.json()


async def test_s3_the_same_update_three_times(world: World, project: UUID, ada: User, make_peer: MakePeer) -> None:
    """Repeats are acknowledged and grow the journal by nothing."""
    a = await make_peer(project, ada).join()
    update = a.track("t_1")
    await a.saved()
    rows = await world.rows(project)
    for _ in range(2):
        a.unsaved.append(update)
        a.send(wire.encode_update(update))
    await a.saved()
    assert a.acknowledged == 3
    assert await world.rows(project) == rows


@pytest.mark.parametrize("value", [math.nan, math.inf, "loud", True], ids=str)
async def test_s7_an_invalid_value_is_repaired_before_others_hear_it(
    value: object, world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """A listener's document is valid after every single message it hears."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await make_peer(project, bob).join()
    a.track("t_1")
    await a.same(b)
    a.field("tracks", "t_1", "gain_db", value)
    await a.saved()
    await a.same(b)
    gain = b.json()["tracks"]["t_1"]["gain_db"]
    assert isinstance(gain, int | float)
    assert not isinstance(gain, bool)
    assert math.isfinite(gain)
    assert await world.stored(project) == b.json()


async def test_presence_is_echoed_to_its_sender(project: UUID, ada: User, make_peer: MakePeer) -> None:
    """A y-websocket client lives on hearing itself."""
    a = await make_peer(project, ada).join()
    a.show(cursor=7)
    await until(lambda: a.seen(a.client))


async def test_s17_two_clients_open_a_new_project_at_once(
    world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """However many open it first, there is one seed and one master."""
    peers = [make_peer(project, ada) for _ in range(6)]
    await asyncio.gather(*(peer.join() for peer in peers))
    masters = [track for track in peers[0].json()["tracks"].values() if track["kind"] == "master"]
    assert len(masters) == 1
    assert all(peer.json() == peers[0].json() for peer in peers)
    assert await world.rows(project) == 1


async def test_s22_25_clients_join_a_large_project_at_once(world: World, ada: User, make_peer: MakePeer) -> None:
    """64 tracks and 500 clips: each of 25 newcomers of the same second has everything within 2 s."""
    project = await world.project(ada, *song(tracks=64, clips=500))
    peers = [make_peer(project, ada) for _ in range(25)]
    loop = asyncio.get_running_loop()
    started = loop.time()
    took = await asyncio.gather(*(_joined(peer, started) for peer in peers))
    assert max(took) < 2.0, took
    whole = peers[0].json()
    assert len(whole["clips"]) == 500
    assert all(peer.json() == whole for peer in peers)


async def _joined(peer: Peer, started: float) -> float:
    await peer.join()
    return asyncio.get_running_loop().time() - started
