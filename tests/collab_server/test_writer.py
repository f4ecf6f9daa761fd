"""Tests of the journal's writer with real rooms and a real journal."""

import pytest

from collab_server.settings import CollabSettings
from persistence.journal import Refused
from persistence.pool import Pool
from tests.collab_server.house import acknowledged, house, say
from tests.collab_server.peer import until
from tests.collab_server.row_lock import WAITING, held
from tests.collab_server.world import User, World


async def test_many_rooms_are_one_commit(world: World, pool: Pool, ada: User) -> None:
    """What ten rooms have pending at one moment is one commit; each author hears of its own edits only after it."""
    projects = [await world.project(ada) for _ in range(10)]
    async with house(pool) as home:
        rooms = [await home.open(project) for project in projects]
        sent = []
        for hosted, person in rooms:
            sent.append([person.track("t_1"), person.field("tracks", "t_1", "name", "Bass")])
            for update in sent[-1]:
                say(hosted, person, update)
        await until(lambda: len(home.rows) == 10)
        assert home.metrics.commits == 1
        assert home.metrics.committed_updates >= 10
        assert dict(home.rows) == dict.fromkeys(projects, 2)
        assert [acknowledged(person) for _, person in rooms] == sent
        for project, (_, person) in zip(projects, rooms, strict=True):
            assert await world.stored(project) == person.json()


async def test_edits_during_a_commit_are_the_next_one(world: World, pool: Pool, ada: User, database: str) -> None:
    """One flush is in flight; what comes meanwhile waits and is one commit, in order."""
    project = await world.project(ada)
    async with house(pool) as home:
        hosted, person = await home.open(project)
        async with held(database, project):
            first = person.track("t_1")
            say(hosted, person, first)
            await until(lambda: world.pool.fetchval(WAITING))
            later = [person.field("tracks", "t_1", "gain_db", -number) for number in range(20)]
            for update in later:
                say(hosted, person, update)
            assert acknowledged(person) == []
            assert home.writer.unsaved_bytes > 0
        await home.writer.idle()
        await until(lambda: len(home.rows) == 2)
        assert home.rows == [(project, 2), (project, 3)]
        assert acknowledged(person) == [first, *later]
        assert home.writer.unsaved_bytes == 0
        assert await world.stored(project) == person.json()


@pytest.mark.parametrize("why", [Refused.MISSING, Refused.EPOCH, Refused.QUARANTINED])
async def test_a_refused_room_does_not_hold_up_the_others(why: Refused, world: World, pool: Pool, ada: User) -> None:
    """A deleted, rebuilt or quarantined document is refused by name; another room of the same flush lands."""
    bad, good = await world.project(ada), await world.project(ada)
    async with house(pool) as home:
        rooms = {project: await home.open(project) for project in (bad, good)}
        if why is Refused.MISSING:
            await world.pool.execute("update projects set deleted_at = now() where id = $1", bad)
        elif why is Refused.EPOCH:
            await world.pool.execute("update documents set epoch = 2 where project_id = $1", bad)
        else:
            await world.journal.quarantine(bad, "odd")
        for hosted, person in rooms.values():
            say(hosted, person, person.track("t_1"))
        await until(lambda: home.rows and home.refusals)
        assert home.refusals == {bad: why}
        assert home.rows == [(good, 2)]
        assert acknowledged(rooms[bad][1]) == []
        assert len(acknowledged(rooms[good][1])) == 1


async def test_acknowledgements_alone_need_no_commit(world: World, pool: Pool, ada: User) -> None:
    """A repeated update is acknowledged without a row."""
    project = await world.project(ada)
    async with house(pool) as home:
        hosted, person = await home.open(project)
        update = person.track("t_1")
        say(hosted, person, update)
        await until(lambda: home.rows)
        say(hosted, person, update)
        await until(lambda: len(home.rows) == 2)
        assert home.rows == [(project, 2), (project, None)]
        assert acknowledged(person) == [update, update]
        assert await world.rows(project) == 2


async def test_a_state_is_encoded_when_compaction_is_due(world: World, pool: Pool, ada: User) -> None:
    """After so many rows the flight carries the whole document, as of that row."""
    project = await world.project(ada)
    async with house(pool, CollabSettings(compact_after_rows=3)) as home:
        hosted, person = await home.open(project)
        hosted.chores.rows = 3
        say(hosted, person, person.track("t_1"))
        await until(lambda: home.rows)
        assert home.states == [hosted.room.state()]
