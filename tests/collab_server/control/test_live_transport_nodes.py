"""One transport across two nodes: one order, another leader after a kill, and the way through the database."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from launch.app import App
from launch.valkey import EmbeddedValkey
from studio.transport import Cause, Mode
from tests.collab_server.control.conftest import MakeMusician
from tests.collab_server.control.musician import Musician
from tests.collab_server.peer import until
from tests.collab_server.world import User, World

HOLDER = "select holder, token from project_transports where project_id = $1"
STEAL = """
update project_transports set holder = $2, token = token + 1, expires_at = clock_timestamp() + interval '3 seconds'
 where project_id = $1
"""


async def test_x3_a_hundred_racing_commands_are_one_order(
    world: World, project: UUID, ada: User, make_musician: MakeMusician, second: App
) -> None:
    """Five clients on two nodes, delays of 0 to 400 ms: all see the same states in the same order, and one position."""
    band: list[Musician] = []
    for number in range(5):
        user = await world.member(project, name=f"Player {number}")
        band.append(await (await make_musician(project, user, second if number % 2 else None).join()).tune())
    await until(lambda: len({musician.state for musician in band}) == 1)
    first = band[0].state.seq
    dice = random.Random(5)

    async def plays(musician: Musician) -> None:
        for _ in range(20):
            await asyncio.sleep(dice.uniform(0, 0.02))
            kind = dice.choice(["play", "stop", "seek"])
            pos = dice.randrange(20_000) if kind == "seek" else None
            await musician.command(kind, pos=pos)

    await asyncio.gather(*(plays(musician) for musician in band))
    await until(lambda: all(len(musician.answers) == 20 for musician in band), "all are answered")
    await until(lambda: len({musician.state for musician in band}) == 1, "all show the same")
    told = [[state for state in musician.states if state.seq > first] for musician in band]
    longest = max(told, key=len)
    assert [state.seq for state in longest] == list(range(first + 1, longest[-1].seq + 1))
    assert all(states == longest for states in told)
    assert {answer["t"] for musician in band for answer in musician.answers.values()} == {"ack"}
    if band[0].state.mode is Mode.PLAYING:
        now = band[0].state.t0 + 10_000
        assert len({musician.position(now) for musician in band}) == 1
    clocks = [musician.now() for musician in band]
    assert max(clocks) - min(clocks) < 3, "two nodes, one clock"


async def test_x8_a_killed_leader_is_followed_by_the_other_node(
    world: World, project: UUID, ada: User, make_musician: MakeMusician, second: App
) -> None:
    """kill -9: within the lease the other node leads, stopped where it was; commands given meanwhile are not lost."""
    leader = await (await make_musician(project, ada, second).join()).tune()
    b = await (await make_musician(project, await world.member(project)).join()).tune()
    assert (await leader.ask("play", pos=960))["t"] == "ack"
    await until(lambda: b.state.mode is Mode.PLAYING)
    before = b.state

    async def kept() -> bool:
        found = await world.pool.fetchval("select position from project_transports where project_id = $1", project)
        return bool(found > 2000)

    await until(kept)
    second.kill()
    killed_at = b.now()
    name = await b.command("stop", pos=4800)
    stale = await b.command("play", if_seq=before.seq, epoch=before.epoch)
    took = await until(lambda: b.state.epoch != before.epoch, seconds=10)
    assert (b.states[-1].mode, took < 9) == (Mode.STOPPED, True)
    restart = next(state for state in b.states if state.cause is Cause.RESTART and state.epoch == b.state.epoch)
    assert 2000 < restart.pos0 <= 960 + (killed_at - before.t0) / 1000 * 1920 + 1
    assert (await b.answer(name))["t"] == "ack"
    assert (await b.answer(stale))["code"] == "stale"
    await until(lambda: b.state.pos0 == 4800)
    await second.start()
    back = await make_musician(project, ada, second).join()
    assert back.state == b.state


async def test_a_leader_that_lost_its_lease_changes_nothing(
    world: World, project: UUID, ada: User, make_musician: MakeMusician
) -> None:
    """The token fences it off: whoever took the lease meanwhile is believed, and the old one follows or leads anew."""
    a = await make_musician(project, ada).join()
    await a.ask("seek", pos=960)
    before = a.state

    async def kept() -> bool:
        seq: int = await world.pool.fetchval("select seq from project_transports where project_id = $1", project)
        return seq == 2

    await until(kept)
    await world.pool.execute(STEAL, project, uuid4())
    name = await a.command("seek", pos=1920)
    await until(lambda: a.state.epoch != before.epoch, "the thief's lease ends, and the node leads anew")
    await a.answer(name)
    assert (await a.ask("seek", pos=2880))["t"] == "ack"
    assert a.state.pos0 == 2880
    row = await world.pool.fetchrow(HOLDER, project)
    assert row is not None
    assert row["token"] >= 3


@pytest.fixture
def own_bus(scratch: Path) -> EmbeddedValkey:
    """A Valkey that runs only while somebody is inside of it."""
    return EmbeddedValkey(scratch / "transport-bus", bound=True)


@pytest.fixture
async def pair(
    app_environment: dict[str, str], scratch: Path, free_ports: Callable[[], int], own_bus: EmbeddedValkey
) -> AsyncIterator[list[App]]:
    """Two nodes whose bus was there when they started, and is not any more."""
    apps = []
    with own_bus as server:
        for _ in range(2):
            port = free_ports()
            environment = {**app_environment, "COLLAB__PORT": str(port), "BUS__URL": server.url}
            apps.append(App("collab_server", port, environment, scratch / f"{uuid4().hex}.log"))
        await asyncio.gather(*(app.start() for app in apps))
    yield apps
    await asyncio.gather(*(app.stop() for app in apps))


async def test_without_a_bus_commands_take_the_way_through_the_database(
    world: World,
    project: UUID,
    ada: User,
    make_musician: MakeMusician,
    pair: list[App],
    own_bus: EmbeddedValkey,
) -> None:
    """Two nodes that hear nothing of each other: the one that does not lead gets answers, and states, all the same.

    When the bus is back, the way is short again.
    """
    leader = await (await make_musician(project, ada, pair[0]).join()).tune()
    other = await (await make_musician(project, await world.member(project), pair[1]).join()).tune()
    assert other.state == leader.state
    answer = await other.ask("play", pos=960)
    assert answer["t"] == "ack", answer
    await until(lambda: other.state.mode is Mode.PLAYING)
    assert other.state == leader.state
    stale = await other.ask("stop", if_seq=1)
    assert stale["code"] == "stale"
    assert (await leader.ask("stop", pos=4711))["t"] == "ack"
    took = await until(lambda: other.state.pos0 == 4711)
    assert took < 2
    with own_bus:

        async def short() -> bool:
            answer = await other.ask("seek", pos=float(len(other.answers)))
            return bool(answer["t"] == "ack" and answer["s"] - answer["r"] < 100)

        await until(short, "a command is answered within 100 ms")
        await until(lambda: leader.state == other.state)


async def test_a_leader_that_slept_is_not_believed(
    world: World, project: UUID, ada: User, make_musician: MakeMusician, second: App
) -> None:
    """SIGSTOP for longer than the lease: the other node leads; awake again, the old one takes that as it is."""
    sleeper = await make_musician(project, ada, second).join()
    b = await make_musician(project, await world.member(project)).join()
    await sleeper.ask("seek", pos=960)
    before = sleeper.state
    await until(lambda: b.state == before)
    assert second.process is not None
    second.process.send_signal(signal.SIGSTOP)
    try:
        name = await sleeper.command("seek", pos=1)  # waits in its socket
        await until(lambda: b.state.epoch != before.epoch, seconds=10)
        assert (await b.ask("seek", pos=4800))["t"] == "ack"
    finally:
        second.process.send_signal(signal.SIGCONT)
    await sleeper.answer(name)
    await until(lambda: sleeper.state == b.state, "both show the same")
    assert b.state.epoch != before.epoch
    assert (await sleeper.ask("seek", pos=2880))["t"] == "ack"
    await until(lambda: b.state.pos0 == sleeper.state.pos0 == 2880)
    assert not [state for state in b.states if state.epoch == before.epoch and state.seq > before.seq]
