"""Nodes die, stall, lose their clients or the time: the others go on, and who moves over is there at once."""

import asyncio
import os
import signal
import time
from pathlib import Path

from tests.collab_server.peer import until
from tests.faults.band import Band, band, lasts_until
from tests.faults.cluster import PRESENCE_EXPIRY_SECONDS, Cluster, Node
from tests.faults.figures import Figure, fault_seconds, record, told
from tests.faults.trio import fades, moves, trio_of

CLOCK_JUMP_SECONDS = 600
STOPPED_SECONDS, RUNNING_SECONDS = 0.4, 0.1
SHIFTED = Path(__file__).parent / "shifted"


async def test_a_killed_nodes_people_go_on_at_another(cluster: Cluster) -> None:
    """kill -9: its people are away for no longer than their own back-off, and their presence comes with them."""
    here, there = cluster.nodes
    async with band(cluster) as playing, trio_of(cluster, here, there) as trio:
        began = time.monotonic()
        await there.kill()
        try:
            recovery, seen = await asyncio.gather(playing.recovered(began), moves(trio))
            away, own = _longest(playing, began)
            await fades(trio)
        finally:
            await there.start()
    record(
        Figure(
            "kill -9 of a node",
            "a blink: their clients come back on another node",
            f"{told(away)} away at most, {told(own)} of it their own back-off; present again {told(seen)} after the "
            f"kill; everything saved and crossing {told(recovery)} after it",
        )
    )


async def test_clients_of_a_node_that_hears_them_no_more_go_on_at_another(cluster: Cluster) -> None:
    """Half-open: nothing passes between a node and its clients. Who gives up and moves over is seen there at once."""
    here, there = cluster.nodes
    async with band(cluster) as playing, trio_of(cluster, here, there) as trio:
        there.door.stall()
        began = time.monotonic()
        await lasts_until(began + 1)
        for musician in playing.at(there):
            musician.hang_up()
        gave_up = time.monotonic()
        try:
            recovery, seen = await asyncio.gather(playing.recovered(gave_up), moves(trio))
            fading = await fades(trio)
        finally:
            there.door.cut()
            there.door.resume()
    record(
        Figure(
            "one node cut off from its clients (half-open)",
            "nothing comes until the client gives the line up (y-websocket: after 30 s), then it is on another node",
            f"present there {told(seen)} after giving up, everything saved and crossing after {told(recovery)}; "
            f"who does not return fades {told(fading)} later (expiry {PRESENCE_EXPIRY_SECONDS} s; 30 s by default)",
        )
    )


async def test_a_slow_node_slows_nobody_elsewhere(cluster: Cluster) -> None:
    """A node that gets a fifth of its time, in pieces: what people on other nodes do crosses as fast as ever."""
    slow = await cluster.add_node()
    try:
        async with band(cluster, [cluster.nodes[0], slow, cluster.nodes[1]]) as playing:
            calm = time.monotonic()
            await lasts_until(calm + 1)
            before = playing.pulse.worst(calm)
            began = time.monotonic()
            while time.monotonic() < began + fault_seconds():
                slow.signal(signal.SIGSTOP)
                await asyncio.sleep(STOPPED_SECONDS)
                slow.signal(signal.SIGCONT)
                await asyncio.sleep(RUNNING_SECONDS)
            worst, typical = playing.pulse.worst(began), playing.pulse.typical(began)
            slowest = playing.worst_delay(began)
            recovery = await playing.recovered(time.monotonic())
            assert not playing.absences(began)
    finally:
        slow.signal(signal.SIGCONT)
        await cluster.remove_node(slow)
    assert worst < STOPPED_SECONDS
    record(
        Figure(
            f"a slow node among fast ones (stopped {STOPPED_SECONDS:.1f} of every "
            f"{STOPPED_SECONDS + RUNNING_SECONDS:.1f} s)",
            "its own people: everything comes in jerks; the others: nothing",
            f"edits between the fast nodes: {told(typical)} (median), {told(worst)} at most, {told(before)} at most "
            f"before; saved after {told(slowest)} at most on the slow one; as before after {told(recovery)}",
        )
    )


async def test_a_clock_that_jumps_moves_nobody(cluster: Cluster, scratch: Path) -> None:
    """Ten minutes forward, then ten minutes back: who is in notices nothing, and who comes in is let in or told why."""
    shift = scratch / "shift"
    shift.write_text("0")
    node = await cluster.add_node(PYTHONPATH=f"{SHIFTED}:{os.environ['PYTHONPATH']}", SHIFT_FILE=str(shift))
    try:
        async with band(cluster, [node, cluster.nodes[0]]) as playing:
            began = time.monotonic()
            refusals = []
            for jump in (CLOCK_JUMP_SECONDS, -CLOCK_JUMP_SECONDS):
                shift.write_text(str(jump))
                jumped = time.monotonic()
                refusals.append(await _newcomer(cluster, node))
                await lasts_until(jumped + fault_seconds() / 2)
                await playing.recovered(jumped)
            worst, delay = playing.pulse.worst(began), playing.worst_delay(began)
            shift.write_text("0")
            assert not playing.absences(began)
    finally:
        await cluster.remove_node(node)
    assert worst < 1
    assert delay < 1
    record(
        Figure(
            "a node's clock jumps by 10 minutes, forward and back",
            "nothing" if not any(refusals) else "nothing; newcomers are refused by that node (4401) until it is right",
            f"edits cross in {told(worst)} at most, saved after {told(delay)} at most",
        )
    )


async def _newcomer(cluster: Cluster, node: Node) -> str:
    """Why somebody with a new ticket is not let in, "" if they are. A ticket of the wrong time is the one reason."""
    ada = await cluster.world.user("Ada")
    peer = await cluster.peer(node, await cluster.world.project(ada), ada).connect()
    await until(lambda: peer.synced or peer.closed, "let in or refused")
    code, reason = peer.closed or (0, "")
    await peer.leave()
    assert code in (0, 4401)
    return reason


def _longest(playing: Band, since: float) -> tuple[float, float]:
    """The longest absence, and the client's own pauses in it."""
    longest = max(playing.absences(since), key=lambda absence: absence.seconds)
    return longest.seconds, longest.own_pause
