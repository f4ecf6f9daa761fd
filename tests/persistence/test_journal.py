"""The journal numbers contiguously, refuses alone what it must refuse, and loads exactly what was committed."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from persistence.body import Entry, encode
from persistence.errors import CorruptState, NotFound, Quarantined, TailGone
from persistence.journal import Asked, Batch, Change, Head, Journal, Refused
from persistence.pool import Pool
from tests.persistence.conftest import MakeProject, MakeUser

HEAD = "select head from documents where project_id = $1"
CHANGES = "select seq, author_id, origin, edits, paths from document_changes where project_id = $1 order by id"
STATE_ROW = "select epoch, seq, state, sha256 from document_states where project_id = $1"
DELETE_PROJECT = "update projects set deleted_at = now() where id = $1"


def batch(
    project: UUID,
    *updates: bytes,
    epoch: int = 1,
    author: UUID | None = None,
    clients: tuple[tuple[int, UUID], ...] = (),
    origin: str = "edit",
    paths: tuple[str, ...] = ("tracks/t_1/name",),
) -> Batch:
    body = encode(Entry(author, update) for update in updates)
    return Batch(project, epoch, body, len(updates), (Change(author, origin, len(updates), paths),), clients)


@pytest.fixture(scope="module")
def journal(pool: Pool) -> Journal:
    return Journal(pool)


async def test_one_append_takes_many_documents(journal: Journal, make_project: MakeProject) -> None:
    """Each document of one append gets its own next number."""
    projects = [await make_project() for _ in range(5)]
    await journal.append([batch(projects[0], b"a")])
    answers = await journal.append([batch(project, b"b", b"c") for project in projects])
    assert answers == {project: 3 if project == projects[0] else 2 for project in projects}


async def test_the_row_and_its_history_are_what_was_given(
    journal: Journal, pool: Pool, project: UUID, user: UUID
) -> None:
    """The body is kept byte for byte; every change keeps its author, origin, count and paths, in order."""
    paths = ("clips/c_1/pos", "clips/é😀/in", "")
    given = Batch(
        project,
        1,
        b"\x01\x01x",
        3,
        (Change(user, "edit", 2, paths), Change(None, "repair", 1, ()), Change(user, "ai:j", 1, ("a",))),
    )
    assert await journal.append([given]) == {project: 2}
    assert (await journal.load(project)).tail[-1] == (2, b"\x01\x01x")
    rows = [tuple(row) for row in await pool.fetch(CHANGES, project)][1:]
    assert rows == [(2, user, "edit", 2, list(paths)), (2, None, "repair", 1, []), (2, user, "ai:j", 1, ["a"])]


async def test_a_path_may_hold_any_key_a_client_can_write(journal: Journal, pool: Pool, project: UUID) -> None:
    """U+0000 in a key, which PostgreSQL's text cannot hold, does not stop the commit."""
    assert await journal.append([batch(project, b"a", paths=("clips/a\0b/x",))]) == {project: 2}
    assert (await pool.fetch(CHANGES, project))[-1]["paths"] == ["clips/a�b/x"]


async def test_refusals_are_told_each_and_the_rest_is_committed(
    journal: Journal, pool: Pool, make_project: MakeProject, make_user: MakeUser
) -> None:
    """A missing, a deleted, an outdated, a quarantined and a forged batch do not hinder a sound one."""
    sound, deleted, outdated, sick, forged = [await make_project() for _ in range(5)]
    missing, owner, thief = uuid4(), await make_user(), await make_user()
    await pool.execute(DELETE_PROJECT, deleted)
    await journal.quarantine(sick, "a reason")
    await journal.append([batch(forged, b"a", clients=((77, owner),))])
    answers = await journal.append(
        [
            batch(missing, b"x"),
            batch(deleted, b"x"),
            batch(outdated, b"x", epoch=2),
            batch(sick, b"x"),
            batch(forged, b"x", b"y", clients=((78, thief), (77, thief))),
            batch(sound, b"x", clients=((77, thief),)),
        ]
    )
    assert answers == {
        missing: Refused.MISSING,
        deleted: Refused.MISSING,
        outdated: Refused.EPOCH,
        sick: Refused.QUARANTINED,
        forged: Refused.CLIENT_TAKEN,
        sound: 2,
    }
    assert [row.seq for row in (await journal.load(forged)).tail] == [1, 2]


async def test_S12_a_client_id_belongs_to_its_first_user(journal: Journal, project: UUID, make_user: MakeUser) -> None:
    """The same user may name it again; another user's whole batch is refused, within one batch too."""
    first, second = await make_user(), await make_user()
    assert await journal.append([batch(project, b"a", clients=((5, first),))]) == {project: 2}
    assert await journal.append([batch(project, b"b", clients=((5, first), (5, first)))]) == {project: 3}
    assert await journal.append([batch(project, b"c", clients=((5, second),))]) == {project: Refused.CLIENT_TAKEN}
    both = ((2**53 - 1, first), (2**53 - 1, second))
    assert await journal.append([batch(project, b"d", clients=both)]) == {project: Refused.CLIENT_TAKEN}
    loaded = await journal.load(project)
    assert loaded.head == 3
    assert loaded.clients[5] == first


async def test_S12_two_users_claim_one_client_id_at_once(
    journal: Journal, make_project: MakeProject, make_user: MakeUser
) -> None:
    """However the two appends meet at the row lock, one wins and the other is refused."""
    users = [await make_user(), await make_user()]
    for _ in range(20):
        project = await make_project()
        answers = await asyncio.gather(
            *(journal.append([batch(project, b"x", clients=((9, user),))]) for user in users)
        )
        told = [answer[project] for answer in answers]
        assert sorted(told, key=str) == [2, Refused.CLIENT_TAKEN]
        assert (await journal.load(project)).clients[9] == users[told.index(2)]


async def test_eight_concurrent_appenders_number_contiguously(
    journal: Journal, make_project: MakeProject, make_user: MakeUser
) -> None:
    """Eight writers to the same four documents, in any order of rooms: no gap, no double, no deadlock, nothing lost."""
    projects = [await make_project() for _ in range(4)]
    rounds = 25
    answered: dict[UUID, list[int]] = {project: [] for project in projects}

    async def appender(number: int) -> None:
        user = await make_user()
        order = projects[number % 4 :] + projects[: number % 4]
        for turn in range(rounds):
            clients = ((number * 1000 + turn, user),)
            answers = await journal.append([batch(p, b"%d.%d" % (number, turn), clients=clients) for p in order])
            for project, seq in answers.items():
                assert isinstance(seq, int)
                answered[project].append(seq)

    await asyncio.gather(*(appender(number) for number in range(8)))
    for project in projects:
        assert sorted(answered[project]) == list(range(2, 2 + 8 * rounds))
        loaded = await journal.load(project)
        assert [row.seq for row in loaded.tail] == list(range(1, 2 + 8 * rounds))
        assert len({row.body for row in loaded.tail}) == 1 + 8 * rounds
        assert len(loaded.clients) == 8 * rounds


@pytest.mark.parametrize(
    ("poison", "told"),
    [
        ({"origin": "nonsense"}, "document_changes_origin_check"),
        ({"edits": 0}, "document_updates_edits_check"),
        ({"edits": 2**40}, "out of int32 range"),
        ({"clients": ((-1, UUID(int=1)),)}, "document_clients_client_id_check"),
        ({"paths": ("tracks/\ud800",)}, "surrogates"),
    ],
)
async def test_what_the_database_will_not_take_sets_aside_one_document(
    journal: Journal, make_project: MakeProject, poison: dict[str, Any], told: str
) -> None:
    """A batch that breaks a constraint quarantines its document, with the reason; the others are committed."""
    good, bad, other = [await make_project() for _ in range(3)]
    edits = poison.pop("edits", None)
    rotten = batch(bad, b"x", **poison)
    rotten = rotten if edits is None else replace(rotten, edits=edits)
    answers = await journal.append([batch(good, b"x"), rotten, batch(other, b"x")])
    assert answers == {good: 2, bad: Refused.QUARANTINED, other: 2}
    with pytest.raises(Quarantined, match=told):
        await journal.load(bad)


async def test_one_batch_per_document(journal: Journal, project: UUID) -> None:
    """Two batches of one document in one append are a mistake of the caller, told before anything is sent."""
    with pytest.raises(ValueError, match="one batch"):
        await journal.append([batch(project, b"x"), batch(project, b"y")])


async def test_tail_is_what_came_after(journal: Journal, project: UUID) -> None:
    """Rows after a position in order; nothing after the head; NotFound for a stranger."""
    for update in (b"a", b"b", b"c"):
        await journal.append([batch(project, update)])
    assert [row.seq for row in await journal.tail(project, 2)] == [3, 4]
    assert await journal.tail(project, 4) == []
    with pytest.raises(NotFound):
        await journal.tail(uuid4(), 0)


async def test_compaction_replaces_rows_and_keeps_history(journal: Journal, pool: Pool, project: UUID) -> None:
    """The covered rows go, the others and the history stay; a tail that reaches back too far says so."""
    for update in (b"a", b"b", b"c"):
        await journal.append([batch(project, update)])
    await journal.compact(project, 1, 3, b"state at 3")
    loaded = await journal.load(project)
    assert (loaded.state, [row.seq for row in loaded.tail], loaded.head) == (b"state at 3", [4], 4)
    assert [row["seq"] for row in await pool.fetch(CHANGES, project)] == [1, 2, 3, 4]
    assert [row.seq for row in await journal.tail(project, 3)] == [4]
    with pytest.raises(TailGone):
        await journal.tail(project, 2)
    await journal.compact(project, 1, 4, b"state at 4")
    with pytest.raises(TailGone):
        await journal.tail(project, 3)


@pytest.mark.parametrize(("epoch", "seq"), [(1, 2), (1, 99), (2, 4), (0, 4)])
async def test_a_late_or_foreign_compaction_changes_nothing(
    journal: Journal, project: UUID, epoch: int, seq: int
) -> None:
    """An older state, one beyond the head and one of another epoch leave every row as it was."""
    for update in (b"a", b"b", b"c"):
        await journal.append([batch(project, update)])
    await journal.compact(project, 1, 3, b"state at 3")
    before = await journal.load(project)
    await journal.compact(project, epoch, seq, b"other")
    assert await journal.load(project) == before


async def test_compaction_beside_appends_loses_no_row(journal: Journal, project: UUID) -> None:
    """While one writer appends and another compacts, every load is whole: state plus contiguous rows to the head."""
    done = asyncio.Event()

    async def appender() -> None:
        for turn in range(100):
            await journal.append([batch(project, b"%d" % turn)])
        done.set()

    async def compactor() -> int:
        count = 0
        while not done.is_set():
            loaded = await journal.load(project)
            await journal.compact(project, 1, loaded.head, b"state at %d" % loaded.head)
            count += 1
        return count

    _, first, second = await asyncio.gather(appender(), compactor(), compactor())
    assert first > 1
    assert second > 1
    loaded = await journal.load(project)
    assert loaded.head == 101
    assert loaded.state == b"state at %d" % (101 - len(loaded.tail))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("update document_states set state = state || '\\x00' where project_id = $1", "sha256"),
        ("update document_states set epoch = 2 where project_id = $1", "epoch 2"),
        ("update document_states set seq = 9 where project_id = $1", "beyond the head"),
        ("delete from document_updates where project_id = $1 and seq = 3", "not all there"),
        ("delete from document_states where project_id = $1", "not all there"),
        ("update documents set head = 9 where project_id = $1", "not all there"),
    ],
)
async def test_a_corrupt_document_is_refused_and_left_alone(
    journal: Journal, pool: Pool, project: UUID, damage: str, told: str
) -> None:
    """Whatever does not fit together raises CorruptState, and nothing about it is rewritten."""
    for update in (b"a", b"b", b"c"):
        await journal.append([batch(project, update)])
    await journal.compact(project, 1, 2, b"state at 2")
    await pool.execute(damage, project)
    before = await pool.fetch(STATE_ROW, project), await pool.fetchval(HEAD, project)
    with pytest.raises(CorruptState, match=told):
        await journal.load(project)
    assert (await pool.fetch(STATE_ROW, project), await pool.fetchval(HEAD, project)) == before


async def test_an_empty_document_is_never_opened(journal: Journal, pool: Pool, project: UUID) -> None:
    """A document without a single row is corrupt, not blank."""
    await pool.execute("delete from document_updates where project_id = $1", project)
    await pool.execute("update documents set head = 0 where project_id = $1", project)
    with pytest.raises(CorruptState):
        await journal.load(project)


async def test_of_many_those_are_told_that_have_moved(journal: Journal, pool: Pool, make_project: MakeProject) -> None:
    """Who is where it is believed to be, or not even there, is left out; of the others it is told where they are."""
    same, ahead, behind, rebuilt, deleted, sick = projects = [await make_project() for _ in range(6)]
    missing = uuid4()
    await journal.append([batch(project, b"x") for project in projects])
    await pool.execute(DELETE_PROJECT, deleted)
    await journal.quarantine(sick, "a reason")
    known = [(same, 1, 2), (ahead, 1, 3), (behind, 1, 1), (rebuilt, 2, 2), (deleted, 1, 2), (sick, 1, 2)]
    assert await journal.moved(Asked.about([*known, (missing, 1, 0)])) == {
        behind: Head(1, 2, set_aside=False),
        rebuilt: Head(1, 2, set_aside=False),
        deleted: None,
        sick: Head(1, 2, set_aside=True),
        missing: None,
    }


async def test_load_tells_what_is_not_there(journal: Journal, pool: Pool, project: UUID) -> None:
    """Strangers and deleted projects are NotFound; a quarantined one gives its first reason."""
    with pytest.raises(NotFound):
        await journal.load(uuid4())
    await journal.quarantine(project, "first\0")
    await journal.quarantine(project, "second")
    with pytest.raises(Quarantined, match="first�"):
        await journal.load(project)
    await pool.execute(DELETE_PROJECT, project)
    with pytest.raises(NotFound):
        await journal.load(project)


async def test_a_large_state_round_trips(journal: Journal, project: UUID) -> None:
    """Sixteen megabytes are stored, checked and loaded in one statement."""
    state = bytes(range(256)) * (1 << 16)
    await journal.compact(project, 1, 1, state)
    assert (await journal.load(project)).state == state


async def test_a_freed_client_id_is_leased_to_one_alone(journal: Journal, project: UUID) -> None:
    """Of many that ask at once one gets it; nobody does before it was freed, and it can be freed again."""
    nobody = UUID(int=0)
    await journal.append([batch(project, b"u", clients=((4001, nobody),))])
    assert await journal.lease(project) is None
    for _ in range(2):
        await journal.free(project, 4001)
        leased = await asyncio.gather(*(journal.lease(project) for _ in range(6)))
        assert sorted(leased, key=str) == [4001, None, None, None, None, None]
    assert await journal.clients(project) == {4001: nobody}
