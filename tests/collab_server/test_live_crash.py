"""Tests of the process itself: killed at bad moments, asked to stop, refused its port."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from launch.app import App
from tests.collab_server.peer import until
from tests.collab_server.row_lock import TERMINATE_WAITING, WAITING, held
from tests.collab_server.servers import own_server
from tests.collab_server.world import User, World
from tests.launch.support import refuses


@pytest.fixture
async def server(app_environment: dict[str, str], scratch: Path, free_ports: Callable[[], int]) -> AsyncIterator[App]:
    """A collab server of this test's own, to be killed."""
    async with own_server(app_environment, free_ports(), scratch) as app:
        yield app
        app.kill()


async def restart(app: App) -> None:
    """kill -9, and another process on the same port."""
    app.kill()
    await app.ended()
    await app.start()


async def test_s13_killed_between_receiving_and_committing(
    world: World, project: UUID, ada: User, database: str, server: App
) -> None:
    """An edit that others have seen but that is not committed is not acknowledged; its client sends it again."""
    bob = await world.member(project)
    a = await world.peer(server, project, ada).join()
    b = await world.peer(server, project, bob).join()
    a.track("t_saved")
    await a.saved()
    async with held(database, project):
        a.track("t_unsaved")
        await until(lambda: "t_unsaved" in b.json()["tracks"], "others see it at once")
        assert a.unsaved
        server.kill()
        await server.ended()
        await world.pool.execute(TERMINATE_WAITING)  # PostgreSQL would go on with what it was told
    await until(lambda: a.closed)
    assert "t_unsaved" not in str(await world.stored(project))
    await server.start()
    await a.join()
    await a.saved()
    await b.join()
    await b.saved()
    await a.same(b)
    assert "t_unsaved" in b.json()["tracks"]
    assert await world.stored(project) == a.json()
    await a.leave()
    await b.leave()


async def test_s13_killed_between_committing_and_telling(
    world: World, project: UUID, ada: User, database: str, server: App
) -> None:
    """The row is there, nobody was told: what is sent again changes nothing, and there is no second row."""
    a = await world.peer(server, project, ada).join()
    a.track("t_0")
    await a.saved()
    rows = await world.rows(project)
    assert server.process is not None
    async with held(database, project):
        a.track("t_1")
        await until(lambda: _count(world, WAITING), "the append waits for the row")
        server.process.send_signal(signal.SIGSTOP)
    await until(lambda: _rows_are(world, project, rows + 1), "the database has committed it")
    assert a.unsaved
    await restart(server)
    await until(lambda: a.closed)
    await a.join()
    await a.saved()
    assert await world.rows(project) == rows + 1
    assert await world.stored(project) == a.json()
    await a.leave()


async def test_s13_nothing_acknowledged_is_lost(world: World, project: UUID, ada: User, server: App) -> None:
    """Three kills in the middle of a stream of edits: every acknowledged marker is in the database right after."""
    bob = await world.member(project)
    peers = [world.peer(server, project, user) for user in (ada, bob)]
    saved: set[str] = set()
    for round in range(3):
        for peer in peers:
            await peer.join()
        for number in range(60 * (round + 1)):
            for peer in peers:
                peer.marker(f"m_{peer.client}_{round}_{number}", number, "x")
            await asyncio.sleep(0)
        await until(lambda: all(peer.acknowledged >= 20 for peer in peers))
        assert [peer.closed for peer in peers] == [None, None], server.log and server.log.read_text()
        for peer in peers:
            peer.acknowledged = 0
        server.kill()
        await server.ended()
        await until(lambda: all(peer.closed for peer in peers))
        stored = (await world.stored(project))["markers"]
        assert isinstance(stored, dict)
        unsaved = {_marker(update) for peer in peers for update in peer.unsaved}
        saved |= {id for peer in peers for id in peer.json()["markers"] if id.startswith(f"m_{peer.client}_")} - unsaved
        assert saved <= stored.keys()
        await server.start()
    for peer in peers:
        await peer.join()
        await peer.saved()
    await peers[0].same(peers[1])
    assert await world.stored(project) == peers[0].json()
    assert len(peers[0].json()["markers"]) == 2 * (60 + 120 + 180)
    for peer in peers:
        await peer.leave()


async def test_sigterm_commits_tells_1012_and_ends_with_0(world: World, project: UUID, ada: User, server: App) -> None:
    """A clean stop loses nothing and asks everybody to come back."""
    a = await world.peer(server, project, ada).join()
    for number in range(200):
        a.marker(f"m_{number}", number, "x")
    await until(lambda: a.acknowledged > 0)
    code = await server.stop()
    await until(lambda: a.closed)
    assert code == 0
    assert a.closed == (1012, "this server restarts: come back")
    acknowledged = {f"m_{number}" for number in range(a.acknowledged)}
    stored = (await world.stored(project))["markers"]
    assert isinstance(stored, dict)
    assert acknowledged <= stored.keys()
    open_sessions = "select count(*) from collaboration_participants where left_at is null and user_id = $1"
    assert await world.pool.fetchval(open_sessions, ada.id) == 0
    await server.start()
    await a.join()
    await a.saved()
    assert await world.stored(project) == a.json()
    await a.leave()


async def test_sigterm_waits_for_a_commit_under_way(
    world: World, project: UUID, ada: User, database: str, server: App
) -> None:
    """What is being committed when the stop comes is committed and acknowledged before the close."""
    a = await world.peer(server, project, ada).join()
    assert server.process is not None
    async with held(database, project):
        a.track("t_1")
        await until(lambda: _count(world, WAITING))
        server.process.terminate()
        await until(lambda: refuses(server), "it no longer takes connections")
    assert await server.ended() == 0
    await until(lambda: a.closed)
    assert not a.unsaved
    assert await world.stored(project) == a.json()


async def test_a_busy_port_is_one_sentence_and_2(app_environment: dict[str, str], scratch: Path, server: App) -> None:
    """A second server on the port says so and ends with 2; the first serves on."""
    log = scratch / f"{uuid4().hex}.log"
    second = App("collab_server", server.port, {**app_environment, "COLLAB__PORT": str(server.port)}, log)
    await second.spawn()
    assert await second.ended() == 2
    assert log.read_text().splitlines()[-1] == f"backline collab server: port {server.port} is in use"
    await server.ready()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TICKETS__SECRET", "short", "TICKETS__SECRET"),
        ("DATABASE__URL", "mysql://x", "DATABASE__URL"),
        ("DATABASE__URL", "postgresql://postgres@127.0.0.1:1/none", "cannot reach the database"),
        ("COLLAB__PORT", "loud", "COLLAB__PORT"),
    ],
)
async def test_a_wrong_setting_is_one_sentence_and_2(
    name: str, value: str, words: str, app_environment: dict[str, str], scratch: Path
) -> None:
    """What is wrong is named; no traceback."""
    log = scratch / f"{uuid4().hex}.log"
    app = App("collab_server", 1, {**app_environment, name: value}, log)
    await app.spawn()
    assert await app.ended() == 2
    text = log.read_text()
    assert words in text.splitlines()[-1]
    assert "Traceback" not in text


def _marker(update: bytes) -> str:
    """The marker that an update of `marker` adds."""
    start = update.index(b"m_")
    return update[start : start + update[start - 1]].decode()


async def _count(world: World, statement: str) -> int:
    count: int = await world.pool.fetchval(statement)
    return count


async def _rows_are(world: World, project: UUID, rows: int) -> bool:
    return await world.rows(project) == rows
