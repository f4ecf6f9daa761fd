"""The database fails in every way: people go on, what is not saved yet is not called saved, and nothing is lost."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from tests.collab_server.peer import Peer, until
from tests.collab_server.world import metric
from tests.faults.band import Band, band, lasts_until
from tests.faults.cluster import Cluster, Node
from tests.faults.figures import Figure, fault_seconds, record, told

UNSAVED_BYTES_MAX = 20_000
EDIT_BYTES_MAX = 2_000
NOT_READY_SECONDS = 3.0
FAILOVERS = 3
WRITE = "set default_transaction_read_only = off"
STANDBY: Final = {
    "on": "alter system set default_transaction_read_only = on",
    "off": "alter system reset default_transaction_read_only",
}
RELOAD = "select pg_reload_conf()"
TERMINATE = """
select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname is not null
"""


async def _through(cluster: Cluster, fault: str, stop: Callable[[], object], start: Callable[[], object]) -> None:
    """The database is away for a while: /ready says so, edits go on among those of one node, and are saved after it."""
    async with band(cluster) as playing:
        neighbours = await _neighbours(cluster, cluster.nodes[0])
        began = time.monotonic()
        await _done(stop())
        noticed = await until(lambda: _statuses(cluster, 503), "no node is ready", NOT_READY_SECONDS)
        edits = playing.edits()
        together = await _hear_each_other(*neighbours)
        await lasts_until(began + fault_seconds())
        assert not playing.absences(began)
        assert playing.edits() > edits
        unsaved = sum([await metric(node.app, "backline_unsaved_bytes") for node in cluster.nodes])
        await _done(start())
        back = time.monotonic()
        recovery = await playing.recovered(back)
        ready = await until(lambda: _statuses(cluster, 200), "every node is ready") + recovery
        for peer in neighbours:
            await peer.saved()
            assert peer.closed is None
            await peer.leave()
    record(
        Figure(
            fault,
            "edits on other nodes and “saved” wait; on the own node everything goes on; nobody can come in",
            f"/ready says so after {told(noticed)}; edits cross on the own node in {told(together)}; {unsaved:,.0f} "
            f"bytes waited; all saved {told(recovery)} and ready {told(ready)} after its return, nobody was cut off",
        )
    )


async def test_a_paused_database_is_waited_for(cluster: Cluster) -> None:
    """PostgreSQL gives no answer and no error (SIGSTOP): what is acknowledged afterwards was committed."""
    fault = f"PostgreSQL paused for {fault_seconds():.0f} s (no answer, no error)"
    await _through(cluster, fault, cluster.freeze_postgres, cluster.thaw_postgres)


async def test_a_stopped_database_is_waited_for(cluster: Cluster) -> None:
    """PostgreSQL is killed and comes back after its recovery."""
    fault = f"PostgreSQL killed, back after {fault_seconds():.0f} s"
    await _through(cluster, fault, cluster.kill_postgres, cluster.start_postgres)


async def test_every_connection_to_the_database_is_dropped_again_and_again(cluster: Cluster) -> None:
    """The server does not write yet, ends all connections, restarts: nobody notices but a later “saved”."""
    async with band(cluster) as playing:
        began = time.monotonic()
        await _standby(cluster, "on")
        await until(lambda: _statuses(cluster, 503), "no node is ready", NOT_READY_SECONDS)
        await _standby(cluster, "off")
        await playing.recovered(time.monotonic())
        for _ in range(FAILOVERS):
            await cluster.world.pool.execute(TERMINATE)
            await playing.recovered(time.monotonic())
        terminated, delay = time.monotonic(), playing.worst_delay(began)
        await cluster.restart_postgres()
        recovery = await playing.recovered(terminated)
        restart_delay = playing.worst_delay(terminated)
        assert not playing.absences(began)
    record(
        Figure(
            "PostgreSQL fails over: read-only, every connection dropped, restarted",
            "“saved” comes later; nobody is cut off",
            f"saved after {told(delay)} at most until connections drop, {told(restart_delay)} with the restart; "
            f"as before {told(recovery)} after it began",
        )
    )


async def test_a_node_cut_off_from_the_database_catches_up(cluster: Cluster) -> None:
    """One node's line to the database swallows everything: its people go on and see the others' edits afterwards."""
    node, other = cluster.nodes
    async with band(cluster) as playing:
        began = time.monotonic()
        node.database.stall()
        noticed = await until(lambda: _status(node, 503), "the node is not ready", NOT_READY_SECONDS)
        assert await other.ready() == 200
        await lasts_until(began + fault_seconds())
        node.database.resume()
        recovery = await playing.recovered(time.monotonic())
        assert not playing.absences(began)
    record(
        Figure(
            f"one node cut off from PostgreSQL for {fault_seconds():.0f} s (half-open)",
            "that node's people: “saved” waits, and the others do not see their edits; they see the others'",
            f"/ready says so after {told(noticed)}; as before {told(recovery)} after its return; nobody was cut off",
        )
    )


async def test_lines_that_never_come_back_are_given_up(cluster: Cluster) -> None:
    """The node's connections to the database stay half open for ever, new ones work: it makes new ones."""
    node = await cluster.add_node(DATABASE__COMMAND_TIMEOUT_SECONDS="2")
    try:
        async with band(cluster, [node, cluster.nodes[0]]) as playing:
            node.database.strand()
            began = time.monotonic()
            recovery = await playing.recovered(began)
            delay = playing.worst_delay(began)
            assert not playing.absences(began)
    finally:
        await cluster.remove_node(node)
    record(
        Figure(
            "one node's connections to PostgreSQL half open for ever (command timeout 2 s; 30 s by default)",
            "that node's people: “saved” waits",
            f"saved after {told(delay)} at most; as before after {told(recovery)}",
        )
    )


async def test_at_the_bound_writers_are_sent_away_and_keep_their_work(cluster: Cluster) -> None:
    """When too much waits for the database, who writes is refused (1013) and comes back later with all of it."""
    bound = {"COLLAB__LIMITS__UNSAVED_BYTES_MAX": str(UNSAVED_BYTES_MAX)}
    node = await cluster.add_node(**bound)
    try:
        async with band(cluster, [node]) as playing:
            cluster.freeze_postgres()
            began, most = time.monotonic(), 0.0
            while not _all_sent_away(playing) or time.monotonic() < began + fault_seconds():
                most = max(most, await metric(node.app, "backline_unsaved_bytes"))
                await asyncio.sleep(0.02)
            cluster.thaw_postgres()
            back = time.monotonic()
            recovery = await playing.recovered(back)
            codes = playing.closes()
    finally:
        await cluster.remove_node(node)
    assert set(codes) == {1013}
    assert UNSAVED_BYTES_MAX < most < UNSAVED_BYTES_MAX + EDIT_BYTES_MAX
    record(
        Figure(
            f"PostgreSQL paused, and more than {UNSAVED_BYTES_MAX:,} bytes wait (64 MiB by default)",
            "writers are disconnected and go on alone; their work comes back with them",
            f"{most:,.0f} bytes unsaved at most; {codes[1013]} refusals with 1013, no other code; "
            f"everybody back and saved {told(recovery)} after its return",
        )
    )


def _all_sent_away(playing: Band) -> bool:
    return all(m.closes[1013] for room in playing.rooms[:-2] for m in room.musicians)


async def _neighbours(cluster: Cluster, node: Node) -> tuple[Peer, Peer]:
    """Two people in a room of their own on one node."""
    world = cluster.world
    ada = await world.user("Ada")
    project = await world.project(ada)
    bob = await world.member(project)
    return await cluster.peer(node, project, ada).join(), await cluster.peer(node, project, bob).join()


async def _hear_each_other(one: Peer, other: Peer) -> float:
    """Seconds until an edit of one is the other's too."""
    one.track("trk_neighbours1")
    return await until(lambda: "trk_neighbours1" in other.json()["tracks"], "neighbours hear each other")


async def _status(node: Node, wanted: int) -> bool:
    return await node.ready() == wanted


async def _statuses(cluster: Cluster, wanted: int) -> bool:
    return [await node.ready() for node in cluster.nodes] == [wanted] * len(cluster.nodes)


async def _standby(cluster: Cluster, yes: str) -> None:
    """The server reads and does not write, as one that is not promoted yet."""
    async with cluster.world.pool.acquire() as connection:
        await connection.execute(WRITE)
        await connection.execute(STANDBY[yes])
        await connection.execute(RELOAD)


async def _done(result: object) -> None:
    if isinstance(result, Awaitable):
        await result
