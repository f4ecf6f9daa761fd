"""Tests of who may come in and who has to go, against the real server."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import pytest

from launch.app import App
from presence.bus import open_bus
from presence.events import AccessRevoked, ProjectDeleted, RoleChanged
from studio.roles import Role
from tests.collab_server.conftest import MakePeer
from tests.collab_server.control.musician import Musician
from tests.collab_server.peer import Peer, until
from tests.collab_server.servers import own_server
from tests.collab_server.world import User, World

SET_ROLE = "update project_members set role = $3 where project_id = $1 and user_id = $2"
REMOVE = "delete from project_members where project_id = $1 and user_id = $2"
ADMITTING = """
select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()
"""


async def closing(peer: Peer) -> tuple[int, str]:
    """Connect and wait for the close code."""
    await peer.connect()
    await until(lambda: peer.closed, "closed")
    assert peer.closed is not None
    return peer.closed


async def test_without_a_good_ticket_nobody_comes_in(world: World, project: UUID, ada: User, collab: App) -> None:
    """No ticket, a forged, foreign or expired one: 4401 with the reason; an unknown project: 4404."""
    base = f"{collab.ws}/y/{project}"
    other = await world.project(ada)
    assert await closing(Peer(5, base)) == (4401, "a ticket is needed")
    assert (await closing(Peer(5, f"{base}?token=forged")))[0] == 4401
    assert (await closing(Peer(5, f"{base}?token={world.ticket(other, ada)}")))[0] == 4401
    expired = world.ticket(project, ada, now=time.time() - 1_000)
    assert await closing(Peer(5, f"{base}?token={expired}")) == (4401, "the ticket has expired")
    assert (await closing(Peer(5, f"{collab.ws}/y/not-a-project?token=x")))[0] == 4404
    missing = uuid4()
    assert (await closing(Peer(5, f"{collab.ws}/y/{missing}?token={world.ticket(missing, ada)}")))[0] == 4404


async def test_a_stranger_with_a_ticket_is_turned_away(world: World, project: UUID, make_peer: MakePeer) -> None:
    """The ticket opens the handshake; the membership in the database decides."""
    stranger = await world.user("Eve")
    assert (await closing(make_peer(project, stranger)))[0] == 4403


@pytest.fixture
async def narrow(app_environment: dict[str, str], scratch: Path, free_ports: Callable[[], int]) -> AsyncIterator[App]:
    """A collab server with two places for a person in a project, of either kind."""
    kinds = ("MEMBERS_PER_ROOM", "CONTROL_SOCKETS_PER_PROJECT")
    limits = {f"COLLAB__LIMITS__{kind}_AND_PERSON_MAX": "2" for kind in kinds}
    async with own_server(app_environment, free_ports(), scratch, **limits) as app:
        yield app


async def test_nobody_takes_the_places_of_all_the_others(world: World, project: UUID, ada: User, narrow: App) -> None:
    """A person has so many connections to a room and no more: 1013, while the next person comes in, and so does the
    same one when a place is free again."""
    bob = await world.member(project)
    tabs = [await world.peer(narrow, project, ada).join() for _ in range(2)]
    assert await closing(world.peer(narrow, project, ada)) == (1013, "too many connections of one person")
    tabs.append(await world.peer(narrow, project, bob).join())
    await tabs.pop(0).leave()
    late = world.peer(narrow, project, ada)
    await until(lambda: comes_in(late), "a place is free")
    address = f"{narrow.ws}/ctl/{project}?token="
    lines = [await Musician(address + world.ticket(project, ada)).join() for _ in range(2)]
    third = await Musician(address + world.ticket(project, ada)).connect()
    await until(lambda: third.closed, "closed")
    assert third.closed == (1013, "too many control sockets of one person")
    lines.append(await Musician(address + world.ticket(project, bob)).join())
    for peer in (*tabs, late):
        await peer.leave()
    for line in lines:
        await line.leave()


async def comes_in(peer: Peer) -> bool:
    """Whether it is let in now."""
    await peer.connect()
    await until(lambda: peer.synced or peer.closed)
    return peer.synced


async def test_who_is_removed_on_the_way_in_does_not_stay(
    world: World, project: UUID, ada: User, database: str, make_peer: MakePeer
) -> None:
    """The membership was read before it ended, and the news of its end came before the person was in the room."""
    bob = await world.member(project)
    a = await make_peer(project, ada).join()
    late = make_peer(project, bob)
    connection = await asyncpg.connect(database)
    try:
        async with connection.transaction():
            await connection.execute("select from collaboration_sessions where project_id = $1 for update", project)
            await late.connect()
            await until(lambda: world.pool.fetchval(ADMITTING))
            await world.pool.execute(REMOVE, project, bob.id)
            a.track("t_1")
            await a.saved()
    finally:
        await connection.close()
    await until(lambda: late.closed)
    assert late.closed is not None
    assert late.closed[0] == 4403


async def test_a_deleted_project_opens_for_nobody(world: World, ada: User, make_peer: MakePeer) -> None:
    """4404, as if it had never been."""
    project = await world.project(ada)
    await world.pool.execute("update projects set deleted_at = now() where id = $1", project)
    assert (await closing(make_peer(project, ada)))[0] == 4404


async def test_s9_frames_before_the_ticket_count_for_nothing(
    world: World, project: UUID, ada: User, collab: App, make_peer: MakePeer
) -> None:
    """What is sent on a socket without a ticket reaches nobody; the socket is closed."""
    a = await make_peer(project, ada).join()
    ghost = Peer(6, f"{collab.ws}/y/{project}")
    await ghost.connect()
    ghost.track("t_ghost")
    await until(lambda: ghost.closed)
    assert ghost.closed == (4401, "a ticket is needed")
    a.track("t_1")
    await a.saved()
    assert "t_ghost" not in await _tracks(world, project)


async def test_s9_half_a_handshake_is_closed_after_5_seconds(collab: App) -> None:
    """A connection that never finishes its request costs a socket for 5 s and not longer."""
    with socket.create_connection(("127.0.0.1", collab.port)) as half:
        half.setblocking(False)
        loop = asyncio.get_running_loop()
        started = loop.time()
        await loop.sock_sendall(half, b"GET /y/x HTTP/1.1\r\nHost: localhost\r\n")
        async with asyncio.timeout(15):
            while await loop.sock_recv(half, 4096):
                pass
        assert 3 < loop.time() - started < 10


async def test_frames_sent_before_the_room_is_open_are_heard(world: World, ada: User, make_peer: MakePeer) -> None:
    """A client may speak at once; what it says waits until the project is loaded."""
    project = await world.project(ada)
    eager = await make_peer(project, ada).connect()
    eager.track("t_1")
    await eager.saved()
    assert "t_1" in await _tracks(world, project)


async def test_an_old_epoch_is_4409(world: World, project: UUID, ada: User, collab: App, make_peer: MakePeer) -> None:
    """Who returns with the state of another lineage is told before anything is merged; the right epoch comes in."""
    url = make_peer(project, ada).url
    assert (await closing(Peer(5, f"{url}&epoch=2")))[0] == 4409
    right = Peer(6, f"{url}&epoch=1")
    await right.join()
    await right.leave()


async def test_s10_an_editor_becomes_a_viewer_during_a_drag(
    world: World, project: UUID, ada: User, redis_url: str, make_peer: MakePeer
) -> None:
    """Earlier frames stay, later ones are dropped, the client is told; back in the role, its work is merged."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await make_peer(project, bob).join()
    b.track("t_1")
    for step in range(20):
        b.field("tracks", "t_1", "gain_db", -step)
    await b.saved()
    async with open_bus(redis_url) as bus:
        await world.pool.execute(SET_ROLE, project, bob.id, "viewer")
        bus.publish(RoleChanged(project, bob.id, Role.VIEWER))
        await until(lambda: b.denied)
        b.field("tracks", "t_1", "gain_db", -50)
        a.put("transport", "bpm", 90)
        await a.saved()
        await until(lambda: b.json()["transport"]["bpm"] == 90)
        assert a.json()["tracks"]["t_1"]["gain_db"] == -19
        assert (len(b.denied), b.closed) == (1, None)
        await world.pool.execute(SET_ROLE, project, bob.id, "editor")
        bus.publish(RoleChanged(project, bob.id, Role.EDITOR))
    b.drop()
    await b.join()
    await b.saved()
    await a.same(b)
    assert a.json()["tracks"]["t_1"]["gain_db"] == -50


async def test_s11_a_removed_member_is_closed_at_once_and_stays_out(
    world: World, project: UUID, ada: User, redis_url: str, make_peer: MakePeer
) -> None:
    """4403 within a second on every socket of theirs; their ticket opens nothing any more; others stay."""
    bob = await world.member(project)
    a = await make_peer(project, ada).join()
    tabs = [await make_peer(project, bob).join() for _ in range(2)]
    async with open_bus(redis_url) as bus:
        await world.pool.execute(REMOVE, project, bob.id)
        bus.publish(AccessRevoked(project, bob.id))
        took = await until(lambda: all(tab.closed for tab in tabs))
    assert took < 1.0
    assert [tab.closed for tab in tabs] == [(4403, "access revoked")] * 2
    assert (await closing(tabs[0]))[0] == 4403
    a.track("t_1")
    await a.saved()


async def test_s21_a_membership_changed_in_the_database_acts_within_a_second(
    world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """With nobody ringing the bus: a role counts, and a removed member is closed, at most a second later."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await make_peer(project, bob).join()
    await world.pool.execute(SET_ROLE, project, bob.id, "viewer")
    assert await until(lambda: b.denied) < 1.0
    b.put("transport", "bpm", 33)
    await world.pool.execute(REMOVE, project, bob.id)
    assert await until(lambda: b.closed) < 1.0
    assert b.closed is not None
    assert b.closed[0] == 4403
    assert a.json()["transport"]["bpm"] == 120
    assert a.closed is None


async def test_s5_a_reader_who_returns_is_not_called_a_forger(
    world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """A viewer's honest answer to Step1, which repeats the deletions it knows, is no attempt to write."""
    eve = await world.member(project, Role.VIEWER, "Eve")
    a, e = await make_peer(project, ada).join(), await make_peer(project, eve).join()
    a.track("t_1")
    a.field("tracks", "t_1", "name", "another")
    await a.saved()
    await a.same(e)
    e.drop()
    await e.join()
    a.field("tracks", "t_1", "name", "later")
    await a.same(e)
    assert e.denied == []


async def test_a_deleted_project_closes_its_sockets(
    world: World, ada: User, redis_url: str, make_peer: MakePeer
) -> None:
    """Everybody inside hears 4404."""
    project = await world.project(ada)
    a = await make_peer(project, ada).join()
    async with open_bus(redis_url) as bus:
        await world.pool.execute("update projects set deleted_at = now() where id = $1", project)
        bus.publish(ProjectDeleted(project))
        await until(lambda: a.closed)
    assert a.closed == (4404, "the project was deleted")


async def test_a_corrupt_document_is_refused_and_left_alone(
    world: World, ada: User, collab: App, make_peer: MakePeer
) -> None:
    """4500 for that room alone, a log line that names the project and the reason, and not a byte of the row changed."""
    broken, sound = await world.project(ada), await world.project(ada)
    doc = await world.journal.load(broken)
    await world.journal.compact(broken, doc.epoch, doc.head, b"\x00\x00")
    await world.pool.execute("update document_states set state = $2 where project_id = $1", broken, b"junk")
    before = await world.pool.fetchrow("select * from document_states where project_id = $1", broken)
    a = await make_peer(sound, ada).join()
    assert (await closing(make_peer(broken, ada)))[0] == 4500
    a.track("t_1")
    await a.saved()
    assert a.closed is None
    assert await world.pool.fetchrow("select * from document_states where project_id = $1", broken) == before
    assert collab.log is not None
    lines = [line for line in collab.log.read_text().splitlines() if str(broken) in line and "room refused" in line]
    assert len(lines) == 1
    assert "sha256" in lines[0]


async def test_a_document_that_is_none_is_refused(world: World, ada: User, make_peer: MakePeer) -> None:
    """A state that can be read but holds no studio document never opens as a blank one."""
    project = await world.project(ada)
    doc = await world.journal.load(project)
    await world.journal.compact(project, doc.epoch, doc.head, b"\x00\x00")
    assert (await closing(make_peer(project, ada)))[0] == 4500
    assert await world.pool.fetchval("select state from document_states where project_id = $1", project) == b"\x00\x00"


async def test_a_quarantined_document_is_refused(world: World, ada: User, make_peer: MakePeer) -> None:
    """What an operator has to look at first stays closed with 4500."""
    project = await world.project(ada)
    await world.journal.quarantine(project, "looked odd")
    assert (await closing(make_peer(project, ada)))[0] == 4500


async def _tracks(world: World, project: UUID) -> dict[str, object]:
    tracks = (await world.stored(project))["tracks"]
    assert isinstance(tracks, dict)
    return tracks


async def test_a_plan_that_is_full_says_so(world: World, project: UUID, ada: User, make_peer: MakePeer) -> None:
    """1013 with the plan's name for one more who would play; a viewer comes in; when somebody leaves, there is room."""
    await world.pool.execute("update users set plan = 'solo' where id = $1", ada.id)
    bob, eve = await world.member(project), await world.member(project, Role.VIEWER)
    a = await make_peer(project, ada).join()
    again = await make_peer(project, ada).join()
    b = make_peer(project, bob)
    assert await closing(b) == (1013, "plan: 1 of 1 places taken (solo)")
    await make_peer(project, eve).join()
    await a.leave()
    await again.leave()

    async def admitted() -> bool:
        await b.connect()
        await until(lambda: b.synced or b.closed)
        return b.synced

    await until(admitted)
