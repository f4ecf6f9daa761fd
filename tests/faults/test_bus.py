"""The bus fails in every way: edits cross the nodes all the same, roles count, and presence comes back."""

import time

from tests.collab_server.peer import Peer, until
from tests.faults.band import band, lasts_until
from tests.faults.cluster import Cluster
from tests.faults.figures import Figure, fault_seconds, record, told
from tests.faults.trio import FADE_SECONDS, all_seen, trio_of

POLL_BOUND_SECONDS = 1.0
ROLE_SECONDS = 1.0
SEEN_SECONDS = 3.0
DEMOTE = "update project_members set role = 'viewer' where project_id = $1 and user_id = $2"
REMOVE = "delete from project_members where project_id = $1 and user_id = $2"
SLOW_SECONDS = 0.3
NOTICED_SECONDS = 4.0


async def test_edits_cross_in_under_a_second_while_redis_is_stopped(cluster: Cluster) -> None:
    """The poll of heads is the second doorbell: nobody's edit takes a second to the other node."""
    async with band(cluster) as playing:
        began = time.monotonic()
        await cluster.kill_valkey()
        await lasts_until(began + fault_seconds())
        worst, typical = playing.pulse.worst(began), playing.pulse.typical(began)
        delay = playing.worst_delay(began)
        back = time.monotonic()
        await cluster.start_valkey()
        recovery = await playing.recovered(back)
    assert worst < POLL_BOUND_SECONDS
    record(
        Figure(
            f"Redis stopped for {fault_seconds():.0f} s",
            "cursors of people on other nodes stand still; edits from there come a little later",
            f"edits cross in {told(typical)} (median), {told(worst)} at most; saved after {told(delay)} at most; "
            f"as before {told(recovery)} after its return",
        )
    )


async def test_roles_count_and_presence_returns_while_redis_is_stopped(cluster: Cluster) -> None:
    """PostgreSQL tells of roles within a second; who came meanwhile is seen by everybody once Redis is back."""
    here, there = cluster.nodes
    async with trio_of(cluster, here, there) as trio:
        await cluster.kill_valkey()
        try:
            _, bob, carol = trio.users
            await cluster.world.pool.execute(DEMOTE, trio.project, bob.id)
            demoted = await until(lambda: _role(trio.carol, trio.bob) == "viewer", "the role counts", ROLE_SECONDS)
            await cluster.world.pool.execute(REMOVE, trio.project, carol.id)
            removed = await until(lambda: trio.carol.closed, "who is removed is out", ROLE_SECONDS)
            dora = await cluster.peer(there, trio.project, await cluster.world.member(trio.project)).join()
            dora.show(cursor=1)
        finally:
            await cluster.start_valkey()
        seen = await until(lambda: all_seen(trio.ada, trio.bob, dora), "all are seen again", SEEN_SECONDS)
        assert trio.carol.closed is not None
        assert trio.carol.closed[0] == 4403
        await until(lambda: not trio.ada.seen(trio.carol.client), "who was removed is gone everywhere", FADE_SECONDS)
        await dora.leave()
    record(
        Figure(
            "Redis stopped: roles and presence",
            "who comes in meanwhile is seen on the own node only",
            f"a changed role counts after {told(demoted)}, a removed member is out after {told(removed)}; everybody "
            f"sees everybody {told(seen)} after its return",
        )
    )


async def test_redis_restarted_empty_costs_nothing(cluster: Cluster) -> None:
    """Who is present and what is edited goes on after a restart that remembers nothing."""
    async with band(cluster) as playing:
        began = time.monotonic()
        await cluster.kill_valkey()
        await cluster.start_valkey()
        recovery = await playing.recovered(began)
        worst, delay = playing.pulse.worst(began), playing.worst_delay(began)
    assert worst < POLL_BOUND_SECONDS
    record(
        Figure(
            "Redis restarted empty",
            "nothing; cursors of people on other nodes jump once",
            f"edits cross in {told(worst)} at most; saved after {told(delay)} at most; "
            f"as before after {told(recovery)}",
        )
    )


async def test_a_slow_redis_slows_what_crosses_and_nothing_else(cluster: Cluster) -> None:
    """With 300 ms on every line to Redis, edits are saved as fast as ever, and cross as late as Redis is."""
    async with band(cluster) as playing:
        for node in cluster.nodes:
            node.bus.latency_seconds = SLOW_SECONDS
        began = time.monotonic()
        await lasts_until(began + fault_seconds())
        worst, typical, delay = playing.pulse.worst(began), playing.pulse.typical(began), playing.worst_delay(began)
        back = time.monotonic()
        for node in cluster.nodes:
            node.bus.latency_seconds = 0.0
        recovery = await playing.recovered(back)
    assert delay < SLOW_SECONDS
    record(
        Figure(
            f"Redis slow: {SLOW_SECONDS * 1000:.0f} ms to it and back to each node",
            "edits and cursors of people on other nodes come later by as much",
            f"edits cross in {told(typical)} (median), {told(worst)} at most; saved after {told(delay)} at most; "
            f"as before after {told(recovery)}",
        )
    )


async def test_a_node_cut_off_from_redis_is_heard_all_the_same(cluster: Cluster) -> None:
    """The line swallows everything and closes nothing: within seconds both sides ask the database instead."""
    async with band(cluster) as playing:
        cluster.nodes[0].bus.stall()
        began = time.monotonic()
        noticed = began + NOTICED_SECONDS
        await lasts_until(noticed + fault_seconds())
        first, worst, delay = playing.pulse.worst(began), playing.pulse.worst(noticed), playing.worst_delay(began)
        back = time.monotonic()
        cluster.nodes[0].bus.resume()
        recovery = await playing.recovered(back)
    assert first < NOTICED_SECONDS
    assert worst < POLL_BOUND_SECONDS
    record(
        Figure(
            f"one node cut off from Redis for {fault_seconds() + NOTICED_SECONDS:.0f} s (half-open)",
            "cursors of people on that node stand still; edits come a little later once it is noticed",
            f"edits cross in {told(first)} at most until it is noticed, then in {told(worst)}; saved after "
            f"{told(delay)} at most; as before {told(recovery)} after its return",
        )
    )


def _role(witness: Peer, who: Peer) -> object:
    shown = witness.seen(who.client) or {}
    return shown.get("user", {}).get("role")
