"""One session per project from first join to last leave, also when nodes die in between."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from persistence.pool import Pool
from persistence.sessions import Admitted, Arrival, Sessions
from tests.persistence.conftest import MakeProject, MakeUser

SESSIONS = "select id, started_at, ended_at from collaboration_sessions where project_id = $1 order by started_at"
PARTICIPANT = "select * from collaboration_participants where connection_id = $1"
UNSEEN = "update collaboration_participants set seen_at = seen_at - interval '5 minutes' where connection_id = any ($1)"
OPEN_WITHOUT_ANYBODY = """
select count(*) from collaboration_sessions s
 where ended_at is null
   and not exists (select from collaboration_participants p where p.session_id = s.id and p.left_at is null)
"""
IN_A_CLOSED_SESSION = """
select count(*) from collaboration_participants p join collaboration_sessions s on s.id = p.session_id
 where p.left_at is null and s.ended_at is not null
"""
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def sessions(pool: Pool) -> Sessions:
    return Sessions(pool, uuid4())


async def test_a_session_lasts_from_first_join_to_last_leave(
    sessions: Sessions, pool: Pool, project: UUID, make_user: MakeUser
) -> None:
    """Both joins share one session; the first leave keeps it open, the last closes it; the next join opens another."""
    ann, bob = uuid4(), uuid4()
    first = await sessions.joined(project, ann, await make_user(), "owner")
    assert await sessions.joined(project, bob, await make_user(), "viewer") == first
    await sessions.left(ann, 7)
    assert (await pool.fetch(SESSIONS, project))[0]["ended_at"] is None
    await sessions.left(bob, 0)
    assert (await pool.fetch(SESSIONS, project))[0]["ended_at"] is not None
    assert (await pool.fetchrow(PARTICIPANT, ann))["edits"] == 7  # type: ignore[index]
    assert await sessions.joined(project, uuid4(), await make_user(), "owner") != first


async def test_only_a_node_that_did_not_see_its_people_leave_may_be_lost(
    sessions: Sessions, pool: Pool, project: UUID, user: UUID
) -> None:
    """Who is there or was swept counts, for a while; who left, or is with this very node, does not."""
    there = uuid4()
    other = Sessions(pool, there)
    left, stays = uuid4(), uuid4()
    await sessions.joined(project, uuid4(), user, "editor")
    await other.joined(project, left, user, "editor")
    await other.left(left, 0)
    assert await sessions.lost(project, MINUTE) == set()
    await other.joined(project, stays, user, "editor")
    assert await sessions.lost(project, MINUTE) == {there}
    await pool.execute(UNSEEN, [stays])
    await sessions.sweep(MINUTE)
    assert await sessions.lost(project, MINUTE) == set()
    assert await sessions.lost(project, 10 * MINUTE) == {there}


async def test_joins_at_once_open_one_session(sessions: Sessions, pool: Pool, project: UUID, user: UUID) -> None:
    """Ten connections of a new project end in the same session."""
    joined = await asyncio.gather(*(sessions.joined(project, uuid4(), user, "editor") for _ in range(10)))
    assert len(set(joined)) == 1
    assert len(await pool.fetch(SESSIONS, project)) == 1


async def test_joins_beside_leaves_never_lose_the_session(
    sessions: Sessions, pool: Pool, make_project: MakeProject, user: UUID
) -> None:
    """However a join meets the last leave, nobody stands in a closed session and no empty one stays open."""
    for _ in range(15):
        project = await make_project()
        first = [uuid4() for _ in range(3)]
        for connection in first:
            await sessions.joined(project, connection, user, "editor")
        second = [uuid4() for _ in range(3)]
        await asyncio.gather(
            *(sessions.left(connection, 1) for connection in first),
            *(sessions.joined(project, connection, user, "editor") for connection in second),
        )
        assert await pool.fetchval(IN_A_CLOSED_SESSION) == 0
        await asyncio.gather(*(sessions.left(connection, 1) for connection in second))
        assert all(row["ended_at"] is not None for row in await pool.fetch(SESSIONS, project))


async def test_a_dead_nodes_connections_are_swept(
    sessions: Sessions, pool: Pool, project: UUID, make_user: MakeUser
) -> None:
    """Who was not seen is closed at the moment of the last sign of life; who was seen stays."""
    dead, alive = uuid4(), uuid4()
    await sessions.joined(project, dead, await make_user(), "editor")
    await sessions.joined(project, alive, await make_user(), "editor")
    await pool.execute(UNSEEN, [dead, alive])
    assert await sessions.seen({alive: 4}) == set()
    assert await sessions.sweep(MINUTE) == 1
    row = await pool.fetchrow(PARTICIPANT, dead)
    assert row is not None
    assert row["left_at"] == row["seen_at"]
    assert (await pool.fetch(SESSIONS, project))[0]["ended_at"] is None
    await pool.execute(UNSEEN, [alive])
    assert await sessions.sweep(MINUTE) == 1
    closed = (await pool.fetch(SESSIONS, project))[0]
    assert closed["ended_at"] is not None
    assert closed["ended_at"] >= closed["started_at"]
    assert await sessions.sweep(MINUTE) == 0


async def test_who_was_swept_by_mistake_comes_back(sessions: Sessions, pool: Pool, project: UUID, user: UUID) -> None:
    """A node that was only paused learns which of its connections were closed, and joins them again."""
    connection = uuid4()
    first = await sessions.joined(project, connection, user, "editor")
    await pool.execute(UNSEEN, [connection])
    await sessions.sweep(MINUTE)
    assert await sessions.seen({connection: 9}) == {connection}
    second = await sessions.joined(project, connection, user, "editor")
    assert second != first
    assert await sessions.seen({connection: 9}) == set()
    await sessions.left(connection, 11)
    assert (await pool.fetchrow(PARTICIPANT, connection))["edits"] == 11  # type: ignore[index]


async def test_a_leave_that_crashed_half_way_is_finished(
    sessions: Sessions, pool: Pool, project: UUID, user: UUID
) -> None:
    """A session whose participants all left but which nobody closed is closed by the next sweep."""
    connection = uuid4()
    await sessions.joined(project, connection, user, "editor")
    await pool.execute("update collaboration_participants set left_at = now() where connection_id = $1", connection)
    await sessions.sweep(MINUTE)
    assert await pool.fetchval(OPEN_WITHOUT_ANYBODY) == 0
    assert (await pool.fetch(SESSIONS, project))[0]["ended_at"] is not None


async def test_a_leave_of_a_stranger_is_nothing(sessions: Sessions) -> None:
    """Leaving twice, or without having joined, changes nothing and raises nothing."""
    await sessions.left(uuid4(), 3)
    assert await sessions.seen({}) == set()


SET_PLAN = "update users set plan = $2 where id = $1"
ADD_MEMBER = "insert into project_members (project_id, user_id, role) values ($1, $2, $3)"


async def test_a_plan_counts_people_and_not_their_windows(
    pool: Pool, make_project: MakeProject, make_user: MakeUser
) -> None:
    """Solo: one person plays, in as many tabs as they like; viewers are counted apart; a leave makes a place."""
    project = await make_project()
    owner = await pool.fetchval("select owner_id from projects where id = $1", project)
    await pool.execute(SET_PLAN, owner, "solo")
    people = {role: await make_user() for role in ("editor", "viewer", "commenter")}
    for role, person in {**people, "owner": owner}.items():
        await pool.execute(ADD_MEMBER, project, person, role)
    node = Sessions(pool, uuid4())
    first, second, late = (Arrival(uuid4(), project, who) for who in (people["editor"], people["editor"], owner))
    looker, talker = (Arrival(uuid4(), project, people[role]) for role in ("viewer", "commenter"))
    admitted = await node.admit([first, looker, talker, second])
    full = {arrival: admitted[arrival.connection_id].full for arrival in (first, looker, talker, second)}
    assert full == {first: "", looker: "", talker: "solo", second: ""}
    assert (await node.admit([late]))[late.connection_id].full == "solo"
    assert await pool.fetchrow(PARTICIPANT, late.connection_id) is None
    await node.left_many({first.connection_id: 0, second.connection_id: 0})
    assert (await node.admit([late]))[late.connection_id].full == ""


async def test_two_nodes_never_give_the_last_place_twice(
    pool: Pool, make_project: MakeProject, make_user: MakeUser
) -> None:
    """However many arrive at the same moment on however many nodes, there are as many as the default plan says."""
    project = await make_project()
    nodes = [Sessions(pool, uuid4(), "band") for _ in range(4)]
    arrivals = []
    for _ in range(20):
        person = await make_user()
        await pool.execute(ADD_MEMBER, project, person, "editor")
        arrivals.append(Arrival(uuid4(), project, person))
    batches = [node.admit(arrivals[number::4]) for number, node in enumerate(nodes)]
    found = [admitted.full for answer in await asyncio.gather(*batches) for admitted in answer.values()]
    assert sorted(found) == [""] * 5 + ["band"] * 15


async def test_without_a_plan_nobody_is_counted(pool: Pool, make_project: MakeProject, make_user: MakeUser) -> None:
    """Role, credit and restriction come with the place; a stranger gets none."""
    project = await make_project()
    ben, eve = await make_user(), await make_user()
    await pool.execute(ADD_MEMBER, project, ben, "editor")
    await pool.execute(
        "update project_members set restriction = $2, credited = false where user_id = $1", ben, {"only": "mix"}
    )
    known, stranger = Arrival(uuid4(), project, ben), Arrival(uuid4(), project, eve)
    admitted = await Sessions(pool, uuid4()).admit([known, stranger])
    assert admitted == {known.connection_id: Admitted("editor", False, {"only": "mix"}, could_write=True)}


@pytest.mark.parametrize(("roles", "could"), [("viewer", False), ("viewer editor commenter", True), ("editor", True)])
async def test_a_membership_remembers_whether_it_could_ever_write(
    pool: Pool, project: UUID, make_user: MakeUser, roles: str, could: bool
) -> None:
    """Whatever server changed the role, and however often."""
    ben = await make_user()
    first, *later = roles.split()
    await pool.execute(ADD_MEMBER, project, ben, first)
    for role in later:
        await pool.execute("update project_members set role = $2 where user_id = $1", ben, role)
    arrival = Arrival(uuid4(), project, ben)
    assert (await Sessions(pool, uuid4()).admit([arrival]))[arrival.connection_id].could_write is could


async def test_who_was_removed_and_comes_back_is_known_by_their_writing(
    pool: Pool, project: UUID, make_user: MakeUser
) -> None:
    """They may have been away since before they were removed: whoever wrote something could write."""
    ben = await make_user()
    await pool.execute(
        "insert into document_clients (project_id, client_id, user_id) values ($1, 77, $2)", project, ben
    )
    await pool.execute(ADD_MEMBER, project, ben, "viewer")
    arrival = Arrival(uuid4(), project, ben)
    assert (await Sessions(pool, uuid4()).admit([arrival]))[arrival.connection_id].could_write
