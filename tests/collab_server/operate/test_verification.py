"""`verify`: sound documents pass, and every kind of damage is found."""

from typing import Any
from uuid import UUID

import pytest
from pycrdt import Doc

from collab_server.operate.store import Store
from collab_server.operate.verification import Verdict, verify
from persistence.editing import edit, read
from persistence.projections import project as project_rows
from persistence.snapshots import Snapshots
from studio.canonical import canonical
from studio.edits import add_marker, delete_marker
from tests.collab_server.author import Author
from tests.collab_server.conftest import MakePeer
from tests.collab_server.operate.conftest import Operate
from tests.collab_server.operate.songs import compact, mark
from tests.collab_server.peer import until
from tests.collab_server.songs import song
from tests.collab_server.world import User, World

PROJECTED = "select seq from studio_projections where project_id = $1"


async def test_an_open_document_is_what_is_stored(
    operate: Operate, world: World, project: UUID, ada: User, node: str, make_peer: MakePeer
) -> None:
    """Stored twice rebuilt, projected and served: all the same, also while two people edit."""
    bob = await world.member(project)
    a, b = await make_peer(project, ada).join(), await make_peer(project, bob).join()
    a.track("t_1", name="Bass")
    for step in range(30):
        a.field("tracks", "t_1", "gain_db", -step)
        b.marker(f"m_{step % 7}", 960 * step, f"{step}")
        a.note(f"n_{step % 5}", "louder")
    await a.saved()
    await b.saved()
    said = await operate("verify", project, "--node", node, "--json")
    assert (said.status, said.err) == (0, ""), said
    checks = {check["check"]: check["ok"] for check in said.json["checks"]}
    assert len(checks) == 11
    assert all(checks.values())
    assert checks[f"served by {node}"]
    shown = await operate("verify", project)
    assert shown.status == 0
    assert "FAILED" not in shown.text


async def test_a_history_that_leads_elsewhere_is_found(store: Store, world: World, ada: User) -> None:
    """Whole, it makes the state exactly; with another update in it, a row that is cut, or none, it does not."""
    project = await world.project(ada, *song(tracks=4, clips=20))
    for label in ("A", "B"):
        await mark(world, project, ada, f"m_{label}", label)
        await compact(world, project)
    await _projected(world, project)
    assert (await verify(store, project, [])).sound
    last = "select rows from document_history where project_id = $1 and last = 4"
    rows: bytes = await world.pool.fetchval(last, project)
    change = "update document_history set rows = $2 where project_id = $1 and last = 4"
    for damaged in (rows.replace(b"m_B", b"m_C"), rows[:-3]):
        assert damaged != rows
        await world.pool.execute(change, project, damaged)
        assert _failed(await verify(store, project, [])) == ["its history leads to it"]
    await world.pool.execute("delete from document_history where project_id = $1 and last = 4", project)
    assert _failed(await verify(store, project, [])) == ["its history leads to it"]
    await world.pool.execute("delete from document_history where project_id = $1", project)
    assert (await verify(store, project, [])).sound  # it was pruned


def _failed(verdict: Verdict) -> list[str]:
    return [what for what, problem in verdict.checks if problem]


async def test_a_compacted_document_passes(store: Store, world: World, ada: User) -> None:
    """A state with rows behind it, of a large song, merges into the same document."""
    project = await world.project(ada, *song(tracks=8, clips=60))
    doc, seq, epoch = await read(world.pool, project)
    await world.journal.compact(project, epoch, seq, doc.get_update())
    await edit(
        world.pool, project, ada.id, "edit", lambda doc: add_marker(doc, "m_1", str(ada.id), 5, tick=0, label="A")
    )
    await edit(world.pool, project, ada.id, "edit", lambda doc: delete_marker(doc, "m_1", str(ada.id), 6))
    await _projected(world, project)
    verdict = await verify(store, project, [])
    assert verdict.sound, verdict


@pytest.mark.parametrize(
    ("damage", "check"),
    [
        (
            "update documents set quarantined_at = now(), quarantine_reason = 'why' where project_id = $1",
            "not set aside",
        ),
        ("update document_states set sha256 = sha256('x') where project_id = $1", "state is whole"),
        ("update document_states set epoch = 7 where project_id = $1", "state is whole"),
        ("delete from document_updates where project_id = $1 and seq = 3", "rows have no gap"),
        ("update document_updates set body = '\\x07' where project_id = $1 and seq = 3", "rows are readable"),
        ("update document_updates set body = '\\x010177' where project_id = $1 and seq = 3", "a room opens"),
        ("update studio_snapshots set sha256 = sha256('x') where project_id = $1", "snapshots are undamaged"),
        ("update studio_markers set label = 'other' where project_id = $1", "rows of markers and notes"),
        ("delete from studio_markers where project_id = $1", "rows of markers and notes"),
        ("update studio_projections set seq = 99 where project_id = $1", "rows of markers and notes"),
    ],
)
async def test_damage_is_found_and_named(store: Store, world: World, ada: User, damage: str, check: str) -> None:
    """That check alone fails (those that lean on it are not made)."""
    project = await _kept_project(world, ada)
    assert (await verify(store, project, [])).sound
    await world.pool.execute(damage, project)
    verdict = await verify(store, project, [])
    assert [what for what, problem in verdict.checks if problem] == [check]


async def test_what_needs_repair_is_not_sound(operate: Operate, world: World, ada: User) -> None:
    """A value that an older server let pass shows."""
    project = await world.project(ada, Author(700).track("t_1", gain_db=40))
    said = await operate("verify", project)
    assert said.status == 1
    assert "FAILED  nothing to repair" in said.text


async def test_a_node_that_serves_something_else_is_found(
    operate: Operate, world: World, project: UUID, ada: User, node: str, make_peer: MakePeer
) -> None:
    """An open room whose journal was changed beneath it no longer equals what is stored."""
    a = await make_peer(project, ada).join()
    a.track("t_1")
    await a.saved()
    await world.pool.execute("delete from document_updates where project_id = $1 and seq = 2", project)
    await world.pool.execute("update documents set head = 1 where project_id = $1", project)
    said = await operate("verify", project, "--node", node)
    assert said.status == 1
    assert f"FAILED  served by {node}: it is at row 2, beyond the journal's 1" in said.text


async def test_all_projects_are_walked(operate: Operate, world: World, ada: User) -> None:
    """The damaged one is named, the others counted; exit code 1."""
    good, bad = await world.project(ada), await _kept_project(world, ada)
    await until(lambda: world.pool.fetchval(PROJECTED, bad))
    await world.pool.execute("update studio_markers set label = 'other' where project_id = $1", bad)
    said = await operate("verify", "--all", "--json")
    failed = {verdict["project"] for verdict in said.json["failed"]}
    assert said.status == 1
    assert str(bad) in failed
    assert str(good) not in failed
    total = await world.pool.fetchval("select count(*) from documents")
    assert said.json["projects"] == total
    shown = await operate("verify", "--all")
    assert shown.status == 1
    assert f"{bad} FAILED rows of markers and notes" in shown.text
    assert f"{total} projects verified, {len(failed)} failed" in shown.text


async def _kept_project(world: World, ada: User) -> UUID:
    """State of row 1, rows 2 to 4, a marker that is projected, a snapshot."""
    project = await world.project(ada)
    doc, seq, epoch = await read(world.pool, project)
    await world.journal.compact(project, epoch, seq, doc.get_update())
    for number in range(3):
        await _mark(world, project, ada, f"m_{number}")
    doc, seq, epoch = await _projected(world, project)
    content = canonical(doc)
    await Snapshots(world.pool).save(
        project,
        kind="named",
        reason="named",
        name="V1",
        author=ada.id,
        parent=None,
        epoch=epoch,
        seq=seq,
        state=doc.get_update(),
        canonical=content,
    )
    return project


async def _projected(world: World, project: UUID) -> "tuple[Doc[Any], int, int]":
    """The document with its row and epoch, after its markers and notes were written as rows."""
    doc, seq, epoch = await read(world.pool, project)
    content = canonical(doc)
    async with world.pool.acquire() as connection:
        await project_rows(connection, project, content["markers"], content["notes"], seq)
    return doc, seq, epoch


async def _mark(world: World, project: UUID, user: User, marker: str) -> None:
    """A marker added as the HTTP app does."""

    def mark(doc: "Doc[Any]") -> dict[str, Any]:
        return add_marker(doc, marker, str(user.id), 5, tick=960, label="A")

    await edit(world.pool, project, user.id, "edit", mark)
