"""What a demoted editor wrote too late becomes a private draft; who never wrote leaves nothing behind."""

from typing import Any
from uuid import UUID, uuid4

from pycrdt import Doc, Map

from collab_server.closing import CloseCode
from collab_server.unsent import UNSENT_BYTES_MAX, UNSENT_MAX, Unsent, merged
from collab_server.wire import Kind, encode_step1, encode_step2
from persistence.drafts import DRAFTS_MAX, keep_draft
from persistence.editing import read
from persistence.pool import Pool
from studio.canonical import canonical
from studio.roles import Role
from tests.collab_server.author import Author, Change
from tests.collab_server.conftest import MakePeer
from tests.collab_server.peer import until
from tests.collab_server.rooms import Hands, Person, open_room
from tests.collab_server.world import User, World

SET_ROLE = "update project_members set role = $3 where project_id = $1 and user_id = $2"
DRAFTS = """
select id, author_id, kind, reason, name, state from studio_snapshots
 where project_id = $1 and reason = 'demoted' order by created_at
"""


LINEAGE = """
select id, author_id, kind, reason, name, state from studio_snapshots
 where project_id = $1 and reason = 'lineage' order by created_at
"""


def desk(*people: Person) -> Hands:
    hands = Hands(open_room())
    hands.join(*people)
    return hands


def without(track: str) -> Change:
    """Takes a track out, as an undone insertion does: nothing but a deletion."""
    return lambda roots: roots["tracks"].pop(track)


def test_a_demoted_editors_later_updates_are_kept_in_order() -> None:
    """Earlier edits stay in the document; later ones are denied once and laid by, whole."""
    bob = Person(11)
    hands = desk(bob)
    hands.edit(bob, bob.track("t_1"))
    hands.do(hands.room.change_role(bob.member, Role.VIEWER))
    late = [bob.field("tracks", "t_1", "gain_db", -step) for step in range(5)]
    hands.edit(bob, *late)
    assert bob.member.unsent is not None
    assert (bob.member.unsent.taken(), hands.unsent) == (late, [bob.member])
    assert [said for said, _ in bob.heard()].count(Kind.AUTH) == 1
    assert canonical(hands.room.doc)["tracks"]["t_1"]["gain_db"] == 0
    update = merged(late)
    assert update is not None
    hands.room.doc.apply_update(update)
    assert canonical(hands.room.doc)["tracks"]["t_1"]["gain_db"] == -4


def test_the_offline_work_of_somebody_who_could_write_here_is_kept() -> None:
    """They come back as a viewer with a Step2: its new structs are laid by; repeating what is known is nothing."""
    bob = Person(11)
    hands = desk(bob)
    hands.edit(bob, bob.track("t_1"))
    hands.do(hands.room.leave(bob.member))
    known = bob.doc.get_update()
    again = Person(0, role=Role.VIEWER, user=bob.user, could_write=True)
    hands.join(again)
    hands.do(hands.room.edit(again.member, known, merge=True))
    assert hands.unsent == []
    bob.field("tracks", "t_1", "gain_db", -9)
    hands.do(hands.room.edit(again.member, bob.doc.get_update(hands.room.vector()), merge=True))
    assert again.member.unsent is not None
    assert len(again.member.unsent.taken()) == 1


def test_offline_work_that_only_deletes_is_kept_too() -> None:
    """A Step2 repeats every deletion that is known: one that is news is laid by, the others are nothing to anybody."""
    ada, bob = Person(10), Person(0, role=Role.VIEWER, could_write=True)
    hands = desk(ada)
    hands.edit(ada, ada.track("t_1"), ada.track("t_2"), ada.edit(without("t_1")))
    hands.join(bob.know(ada.doc.get_update()))
    hands.do(hands.room.edit(bob.member, bob.doc.get_update(hands.room.vector()), merge=True))
    assert hands.unsent == []
    bob.edit(without("t_2"))
    hands.do(hands.room.edit(bob.member, bob.doc.get_update(hands.room.vector()), merge=True))
    assert hands.unsent == [bob.member]
    assert "t_2" in canonical(hands.room.doc)["tracks"]


def test_a_reader_hears_whether_a_deletion_that_it_was_told_of_is_one() -> None:
    """It may have been lost with its node; nothing is kept of it, as it was nobody's here."""
    ada, eve = Person(10), Person(20, role=Role.VIEWER)
    hands = desk(ada, eve)
    hands.edit(ada, ada.track("t_1"), ada.track("t_2"))
    known, lost = ada.edit(without("t_1")), ada.edit(without("t_2"))
    hands.edit(ada, known)
    for brought, told in ((known, []), (lost, [Kind.AUTH])):
        eve.take()
        hands.do(hands.room.edit(eve.member, brought, merge=True))
        assert [kind for kind, _ in eve.heard()] == told
    assert (hands.unsent, "t_2" in canonical(hands.room.doc)["tracks"]) == ([], True)


def test_who_never_could_write_here_leaves_nothing_behind() -> None:
    """A viewer or commenter who forges updates fills neither memory nor database; nor do unreadable bytes."""
    for role in (Role.VIEWER, Role.COMMENTER):
        eve = Person(12, role=role)
        hands = desk(eve)
        hands.edit(eve, eve.track("t_evil"))
        hands.do(hands.room.edit(eve.member, eve.doc.get_update(), merge=True))
        assert hands.unsent == []
    bob = Person(11)
    hands = desk(bob)
    hands.do(hands.room.change_role(bob.member, Role.VIEWER))
    hands.edit(bob, b"\x01\x05")
    assert bob.member.unsent is not None
    assert bob.member.unsent.taken() == []


def test_the_buffer_is_bounded() -> None:
    """In bytes and in number; the first ones are kept, as the later lean on them."""
    unsent = Unsent()
    big = b"x" * (UNSENT_BYTES_MAX // 2)
    for update in (big, big + b"x", big, b"x"):
        unsent.lay_by(update)
    assert unsent.taken() == [big, big]
    small = Unsent()
    for _ in range(UNSENT_MAX + 1):
        small.lay_by(b"x")
    assert len(small.taken()) == UNSENT_MAX


async def test_s10_late_edits_become_one_draft_that_grows(
    world: World, pool: Pool, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """After a pause, and again when the connection leaves: one draft, of nobody else's, readable over the document."""
    bob = await world.member(project)
    b = await make_peer(project, bob).join()
    b.track("t_1")
    await b.saved()
    await pool.execute(SET_ROLE, project, bob.id, "viewer")
    await until(lambda: b.denied, seconds=1)
    b.field("tracks", "t_1", "name", "Late")
    await until(lambda: pool.fetchval("select count(*) from studio_snapshots where reason = 'demoted'"))
    b.marker("m_late", 0, "Late too")
    answers = b.heard.count(Kind.STEP2)
    b.send(encode_step1(b.doc.get_state()))
    await until(lambda: b.heard.count(Kind.STEP2) > answers)
    await b.leave()

    async def both() -> bool:
        (row,) = await pool.fetch(DRAFTS, project)
        doc, _, _ = await read(pool, project)
        doc.apply_update(row["state"])
        found = canonical(doc)
        return found["tracks"]["t_1"]["name"] == "Late" and "m_late" in found["markers"]

    await until(both)
    (row,) = await pool.fetch(DRAFTS, project)
    assert (row["author_id"], row["kind"], row["name"]) == (bob.id, "draft", "Unsent work of Bob")
    stored = await world.stored(project)
    assert stored["tracks"]["t_1"]["name"] == "Track"  # type: ignore[index]


async def test_s10_the_first_work_of_all_is_kept_when_its_author_was_demoted_meanwhile(
    world: World, pool: Pool, project: UUID, make_peer: MakePeer
) -> None:
    """It was done offline, and the server had never heard of its author before."""
    bob = await world.member(project)
    await pool.execute(SET_ROLE, project, bob.id, "viewer")
    b = await make_peer(project, bob, role=Role.VIEWER).join()
    b.send(encode_step2(Author(77).marker("m_first", 0, "First")))
    await until(lambda: b.denied)
    await until(lambda: pool.fetchval("select count(*) from studio_snapshots where reason = 'demoted'"))


async def test_the_same_work_is_kept_once_and_only_so_much_of_it(pool: Pool, project: UUID, ada: User) -> None:
    """What comes again under another connection is no second draft, and there are never more than a few."""
    kept = [await keep_draft(pool, uuid4(), project, ada.id, "x", 1, 1, state) for state in (b"a", b"a", b"b")]
    assert kept == [True, False, True]
    for number in range(DRAFTS_MAX + 5):
        await keep_draft(pool, uuid4(), project, ada.id, "x", 1, 1, b"c%d" % number)
    assert len(await pool.fetch(DRAFTS, project)) == DRAFTS_MAX


async def test_work_of_another_lineage_is_kept_once_too_and_only_so_much_of_it(
    pool: Pool, project: UUID, ada: User
) -> None:
    """Nobody fills the database with it; what a demotion left has room of its own."""
    kept = [await keep_draft(pool, uuid4(), project, ada.id, "x", 1, 1, s, lineage=True) for s in (b"a", b"a", b"b")]
    assert kept == [True, False, True]
    for number in range(DRAFTS_MAX + 5):
        await keep_draft(pool, uuid4(), project, ada.id, "x", 1, 1, b"c%d" % number, lineage=True)
    assert len(await pool.fetch(LINEAGE, project)) == DRAFTS_MAX
    assert await keep_draft(pool, uuid4(), project, ada.id, "x", 1, 1, b"a")


async def test_whoever_brings_another_lineage_twice_leaves_one_draft(
    world: World, pool: Pool, project: UUID, make_peer: MakePeer
) -> None:
    """Each time the connection ends with 4409; the same work is kept but once, as its author's."""
    bob = await world.member(project)
    for name, count in (("Other song", 1), ("Other song", 1), ("Third song", 2)):
        foreign: Doc[Any] = Doc(client_id=67)
        foreign.get("meta", type=Map)["name"] = name
        b = await make_peer(project, bob).join()
        b.send(encode_step2(foreign.get_update()))
        await until(lambda b=b: b.closed and b.closed[0] == CloseCode.EPOCH_CHANGED)  # type: ignore[misc]

        async def kept(count: int = count) -> bool:
            return len(await pool.fetch(LINEAGE, project)) >= count

        await until(kept)
    rows = await pool.fetch(LINEAGE, project)
    assert [(row["author_id"], row["kind"]) for row in rows] == [(bob.id, "draft")] * 2
