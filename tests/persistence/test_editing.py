"""Server edits are ordinary rows of the journal, made from the whole committed document."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from pycrdt import Doc, Map

from persistence.body import Entry, decode, encode
from persistence.editing import SERVER_CLIENT, edit, read
from persistence.errors import CorruptState, NotFound, Quarantined
from persistence.journal import Batch, Change, Journal
from persistence.pool import Pool
from studio.blank import open_doc
from studio.canonical import canonical
from studio.edits import add_marker, edit_marker
from studio.errors import NotFound as NoEntry

CHANGES = "select author_id, origin, paths from document_changes where project_id = $1 and seq = $2 order by id"


def marker(number: int, by: UUID, tick: int = 0) -> Any:
    def change(doc: "Doc[Any]") -> str:
        marker_id = f"m_{number:012d}"
        add_marker(doc, marker_id, str(by), 1_700_000_000_000, tick=tick, label=f"Marker {number}")
        return marker_id

    return change


def update_by(client: int, doc_state: bytes, key: str, value: object) -> bytes:
    """What a browser with this client id sends when it sets one transport setting."""
    doc = open_doc(client)
    doc.apply_update(doc_state)
    before = doc.get_state()
    doc["transport"][key] = value
    return doc.get_update(before)


async def test_an_edit_is_one_row_with_author_origin_and_paths(pool: Pool, project: UUID, user: UUID) -> None:
    """What the change returned comes back, and the row holds exactly its update by its author."""
    edited = await edit(pool, project, user, "comment", marker(1, user))
    assert (edited.result, edited.epoch, edited.seq) == ("m_000000000001", 1, 2)
    assert (await Journal(pool).tail(project, 1)) == [(2, edited.body)]
    assert [entry.author for entry in decode(edited.body)] == [user]
    rows = [tuple(row) for row in await pool.fetch(CHANGES, project, 2)]
    assert rows == [(user, "comment", ["markers/m_000000000001"])]


async def test_the_body_alone_brings_a_reader_up_to_date(pool: Pool, project: UUID, user: UUID) -> None:
    """A node that had the document before the edit needs nothing but the body that is published."""
    doc, seq, _ = await read(pool, project)
    for number in range(3):
        edited = await edit(pool, project, user, "edit", marker(number, user))
        assert edited.seq == seq + 1 + number
        for entry in decode(edited.body):
            doc.apply_update(entry.update)
    again, head, _ = await read(pool, project)
    assert head == 4
    assert canonical(doc) == canonical(again)


async def test_an_edit_that_changes_nothing_appends_nothing(pool: Pool, project: UUID, user: UUID) -> None:
    """Writing the value that is there, also after deletions, leaves the journal as it was."""
    await edit(pool, project, user, "edit", marker(1, user))
    again = {"label": "Marker 1"}
    edited = await edit(pool, project, user, "edit", lambda doc: edit_marker(doc, "m_000000000001", again))
    assert (edited.seq, edited.body) == (2, b"")
    assert (await Journal(pool).load(project)).head == 2


async def test_a_change_that_raises_leaves_nothing(pool: Pool, project: UUID) -> None:
    """The studio's error comes through and the row lock is free again."""
    with pytest.raises(NoEntry):
        await edit(pool, project, None, "edit", lambda doc: edit_marker(doc, "m_000000000009", {"label": "x"}))
    assert (await Journal(pool).load(project)).head == 1


async def test_what_a_change_breaks_is_repaired_in_the_same_row(pool: Pool, project: UUID, user: UUID) -> None:
    """The repair is the server's own entry beside the author's, and readers see the repaired value."""

    def too_fast(doc: "Doc[Any]") -> None:
        doc["transport"]["bpm"] = 100_000.0

    edited = await edit(pool, project, user, "edit", too_fast)
    assert [entry.author for entry in decode(edited.body)] == [user, None]
    rows = [tuple(row) for row in await pool.fetch(CHANGES, project, edited.seq)]
    assert rows == [(user, "edit", ["transport/bpm"]), (None, "repair", ["transport/bpm"])]
    doc, _, _ = await read(pool, project)
    assert canonical(doc)["transport"]["bpm"] == 400


async def test_concurrent_edits_never_fork_the_servers_clock(pool: Pool, project: UUID, user: UUID) -> None:
    """Ten edits at once, all with the reserved client id: every one is in the document, numbered contiguously."""
    edits = await asyncio.gather(*(edit(pool, project, user, "edit", marker(number, user)) for number in range(10)))
    assert sorted(edited.seq for edited in edits) == list(range(2, 12))
    doc, _, _ = await read(pool, project)
    assert sorted(canonical(doc)["markers"]) == sorted(edited.result for edited in edits)


async def test_edits_beside_appends_and_compaction(pool: Pool, project: UUID, user: UUID) -> None:
    """A browser's appends, server edits and compaction interleave; the document ends with all of it."""
    journal = Journal(pool)
    seed = decode((await journal.load(project)).tail[0].body)[0].update

    async def browser() -> None:
        keys = ("swing", "count_in", "tuning_hz", "bpm")
        for turn in range(20):
            update = update_by(1000 + turn, seed, keys[turn % 4], 1.0 * turn)
            body = encode([Entry(user, update)])
            await journal.append([Batch(project, 1, body, 1, (Change(user, "edit", 1, ()),))])

    async def server() -> None:
        for number in range(20):
            await edit(pool, project, user, "edit", marker(number, user))

    async def compactor() -> None:
        for _ in range(10):
            doc, seq, epoch = await read(pool, project)
            await journal.compact(project, epoch, seq, doc.get_update())

    await asyncio.gather(browser(), server(), compactor())
    doc, head, _ = await read(pool, project)
    assert head == 41
    assert len(canonical(doc)["markers"]) == 20
    assert set(range(1000, 1020)) <= set(clients_of(doc))


def clients_of(doc: "Doc[Any]") -> list[int]:
    """The client ids in a state vector (Yjs format: count, then client and clock as varuints)."""
    numbers, shift, number = [], 0, 0
    for byte in doc.get_state():
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number = shift = 0
    return numbers[1::2]


async def test_the_server_writes_with_its_reserved_client_id(pool: Pool, project: UUID, user: UUID) -> None:
    """Nothing but client 1 appears in a document only the server has written."""
    await edit(pool, project, user, "edit", marker(1, user))
    doc, _, _ = await read(pool, project)
    assert clients_of(doc) == [SERVER_CLIENT]


async def test_a_document_that_cannot_be_opened_is_not_edited(pool: Pool, project: UUID) -> None:
    """Unknown, quarantined and unreadable documents raise before the change is called."""

    def never(doc: "Doc[Any]") -> None:
        raise AssertionError("the change was called")

    journal = Journal(pool)
    with pytest.raises(NotFound):
        await edit(pool, uuid4(), None, "edit", never)
    await journal.append([Batch(project, 1, b"\x01\x04\x01\x02\x03\x04", 1, ())])
    with pytest.raises(CorruptState, match="cannot be applied"):
        await edit(pool, project, None, "edit", never)
    await journal.append([Batch(project, 1, b"\x07", 1, ())])
    with pytest.raises(CorruptState, match="row cannot be read"):
        await read(pool, project)
    await journal.quarantine(project, "to be looked at")
    with pytest.raises(Quarantined):
        await edit(pool, project, None, "edit", never)


async def test_a_map_in_every_root(pool: Pool, project: UUID) -> None:
    """A document that was read has every root as a Map, also those nobody wrote to."""
    doc, _, _ = await read(pool, project)
    assert isinstance(doc.get("slots", type=Map), Map)
    assert canonical(doc)["slots"] == {}
