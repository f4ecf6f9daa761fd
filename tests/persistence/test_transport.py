"""One lease per project, fenced by a token; commands of other nodes, each answered once."""

import asyncio
from uuid import UUID, uuid4

import pytest

from persistence.pool import Pool
from persistence.transport import Held, Transports
from tests.persistence.conftest import MakeProject

EXPIRE = "update project_transports set expires_at = clock_timestamp() - interval '1 ms' where project_id = $1"
AGE = "update transport_commands set sent_at = sent_at - interval '1 minute' where project_id = $1"
STATE = {"mode": "playing", "seq": 3}
TEMPO = {"rev": "x"}


@pytest.fixture
def nodes(pool: Pool) -> tuple[Transports, Transports]:
    """Two nodes on one database."""
    return Transports(pool, uuid4()), Transports(pool, uuid4())


async def test_one_of_many_takes_the_lease(pool: Pool, project: UUID) -> None:
    """Of ten nodes that ask at once one gets it, with the first token."""
    reigns = await asyncio.gather(*(Transports(pool, uuid4()).acquire(project) for _ in range(10)))
    (reign,) = [found for found in reigns if found is not None]
    assert (reign.token, reign.position, reign.state) == (1, 0.0, {})


async def test_a_lease_ends_by_the_databases_clock(
    nodes: tuple[Transports, Transports], pool: Pool, project: UUID
) -> None:
    """After it nobody else had it; what was kept comes along, and the old holder writes nothing any more."""
    first, second = nodes
    reign = await first.acquire(project)
    assert reign is not None
    assert await first.save(Held(project, reign.token, 1920.5), "e", 3, STATE, TEMPO)
    assert await first.renew([Held(project, reign.token, 2000)]) == {project}
    assert await second.acquire(project) is None
    await pool.execute(EXPIRE, project)
    taken = await second.acquire(project)
    assert taken is not None
    assert (taken.token, taken.position, taken.state) == (2, 2000, STATE)
    assert not await first.save(Held(project, reign.token, 1), "e", 4, {}, {})
    assert await first.renew([Held(project, reign.token, 1)]) == set()
    await first.release(Held(project, reign.token, 1))
    assert await first.acquire(project) is None


async def test_a_released_lease_is_to_be_had_at_once(nodes: tuple[Transports, Transports], project: UUID) -> None:
    """By anybody, with a new token; the position stays."""
    first, second = nodes
    reign = await first.acquire(project)
    assert reign is not None
    await first.release(Held(project, reign.token, 777.25))
    taken = await second.acquire(project)
    assert taken is not None
    assert (taken.token, taken.position) == (2, 777.25)


async def test_a_node_that_asks_twice_reigns_anew(nodes: tuple[Transports, Transports], project: UUID) -> None:
    """The token rises, so that what it said before is not taken for what it says now."""
    first, _ = nodes
    tokens = [(await first.acquire(project)) for _ in range(2)]
    assert [reign.token for reign in tokens if reign is not None] == [1, 2]


async def test_there_is_no_lease_of_what_is_not_there(
    nodes: tuple[Transports, Transports], pool: Pool, project: UUID
) -> None:
    """An unknown project and a deleted one have none."""
    first, _ = nodes
    assert await first.acquire(uuid4()) is None
    await pool.execute("update projects set deleted_at = now() where id = $1", project)
    assert await first.acquire(project) is None


async def test_a_glance_reads_only_what_is_news(
    nodes: tuple[Transports, Transports], pool: Pool, make_project: MakeProject
) -> None:
    """Many projects at once: holder and whether it is free always, the state only where it is another one."""
    first, second = nodes
    ours, theirs = await make_project(), await make_project()
    for project in (ours, theirs):
        reign = await first.acquire(project)
        assert reign is not None
        await first.save(Held(project, 1, 5), "e", 3, STATE, TEMPO)
    await pool.execute(EXPIRE, theirs)
    found = await second.peek({ours: (1, 3), theirs: (0, 0), uuid4(): (0, 0)})
    assert set(found) == {ours, theirs}
    assert (found[ours].free, found[ours].state, found[ours].tempo) == (False, None, None)
    assert (found[theirs].free, found[theirs].state, found[theirs].tempo) == (True, STATE, TEMPO)


async def test_commands_are_answered_once(nodes: tuple[Transports, Transports], pool: Pool, project: UUID) -> None:
    """In the order in which they came, to the node that posted them; old ones are for nobody."""
    first, second = nodes
    for number in range(3):
        await second.post(project, {"number": number})
    waiting = await first.waiting([project])
    assert [posted.command for posted in waiting] == [{"number": 0}, {"number": 1}, {"number": 2}]
    await first.answer(waiting[0].id, {"t": "ack"})
    assert [posted.id for posted in await first.waiting([project])] == [posted.id for posted in waiting[1:]]
    assert await first.answers() == []
    assert await second.answers() == [(project, {"number": 0}, {"t": "ack"})]
    await pool.execute(AGE, project)
    assert await first.waiting([project]) == []
    assert sorted(command["number"] for _, command, answer in await second.answers() if answer is None) == [1, 2]
    assert await second.answers() == []


async def test_the_databases_clock_goes_on(nodes: tuple[Transports, Transports]) -> None:
    """Milliseconds since 1970, within a transaction or not."""
    first, _ = nodes
    before = await first.clock()
    assert 1.7e12 < before < await first.clock()
