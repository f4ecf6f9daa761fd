"""`export` and `import`: a document leaves in either form and arrives as a project of its own."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from pycrdt import Doc, Map

from collab_server.operate.arrival import seed_of, unpacked
from collab_server.operate.errors import OperatorError
from collab_server.operate.store import Store
from collab_server.operate.verification import verify
from persistence.editing import read
from studio.blank import blank
from studio.canonical import canonical
from tests.collab_server.author import Author
from tests.collab_server.conftest import MakePeer
from tests.collab_server.operate.conftest import Operate
from tests.collab_server.songs import song
from tests.collab_server.world import User, World

MUSIC = ("transport", "tempo", "signatures", "tracks", "clips", "markers", "notes")


def musical(document: dict[str, Any]) -> dict[str, Any]:
    """What a project is about, without what names the project itself."""
    return {root: document[root] for root in MUSIC}


@pytest.mark.parametrize("form", ["json", "update"])
async def test_a_project_leaves_and_arrives(
    operate: Operate, world: World, ada: User, store: Store, tmp_path: Path, form: str, make_peer: MakePeer
) -> None:
    """The new project has the same music under its own id and name, is sound, and can be edited by its owner."""
    project = await world.project(ada, *song(tracks=4, clips=12), Author(600).note("n_1", "¡más! 🎺"))
    await world.journal.quarantine(project, "may still leave")
    file = tmp_path / "song"
    assert (await operate("export", project, "--format", form, "-o", file)).status == 0
    said = await operate("import", file, "--owner", ada.id, "--name", "Arrived", "--yes")
    assert said.status == 0, said
    arrived = UUID(said.text.strip())
    await world.pool.execute("update documents set quarantined_at = null where project_id = $1", project)
    before, after = await world.stored(project), await world.stored(arrived)
    assert musical(after) == musical(before)
    assert after["meta"]["project_id"] == str(arrived)  # type: ignore[index]
    assert after["meta"]["name"] == "Arrived"  # type: ignore[index]
    assert await world.pool.fetchval("select name from projects where id = $1", arrived) == "Arrived"
    a = await make_peer(arrived, ada).join()
    a.field("tracks", "t_1", "name", "mine now")
    a.marker("m_9", 0, "new")
    await a.saved()
    await a.leave()
    assert (await verify(store, arrived, [])).sound


async def test_an_update_keeps_its_history(world: World, store: Store, ada: User) -> None:
    """A copy that was taken before the export can still be merged into what arrived."""
    author = Author(640)
    author.doc.apply_update(blank(str(uuid4()), "Song", str(ada.id), 0, 1))
    author.track("t_1", name="Bass")
    exported = author.doc.get_update()
    later = author.field("tracks", "t_1", "name", "offline")
    _, seed = seed_of(unpacked(exported, "f"), uuid4(), str(ada.id), None, 5)
    doc: Doc[Any] = Doc()
    doc.apply_update(seed)
    doc.apply_update(later)
    assert doc.get("tracks", type=Map)["t_1"]["name"] == "offline"


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "neither JSON nor a Yjs update"),
        (b"\x00\x00", "no studio document"),
        (b"\x00" * 50, "neither JSON nor a Yjs update"),
        (b"hello", "neither JSON nor a Yjs update"),
        (b'{"tracks": ', "neither JSON nor a Yjs update"),
        (b'{"transport": {"bpm": NaN}}', "neither JSON nor a Yjs update"),
        (b'{"songs": {}}', "none of its roots"),
        (b'{"tracks": []}', "tracks is no object"),
        (b'{"transport": {"bpm": ' + b"[" * 400 + b"]" * 400 + b"}}", "nested too deeply"),
        (b'{"tracks": {}, "zoo": ' + b"[" * 50 + b"]" * 50 + b"}", "too deeply"),
        (b'{"tracks": ' + b'{"a":' * 900 + b"1" + b"}" * 901, "too deeply|neither JSON"),
        (b'{"transport": {"x": "\\ud800"}}', "half characters"),
        (b'{"transport": {"bpm": 1' + b"0" * 400 + b"}}", "cannot be taken over"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_no_room_would_open_is_refused(data: bytes, complaint: str) -> None:
    """A stranger's file is refused with a sentence, before anything is stored."""
    with pytest.raises(OperatorError, match=complaint):
        seed_of(unpacked(data, "file"), uuid4(), str(uuid4()), None, 5)


def test_a_foreign_yjs_document_is_refused() -> None:
    """A text editor's document is not a song."""
    doc: Doc[Any] = Doc(client_id=77)
    doc["content"] = Map({"a": 1.0})
    with pytest.raises(OperatorError, match="no studio document"):
        seed_of(unpacked(doc.get_update(), "file"), uuid4(), str(uuid4()), None, 5)


def test_half_an_update_is_refused() -> None:
    """An update that leans on what is not there cannot be a project."""
    author = Author(650)
    author.track("t_1")
    later = author.field("tracks", "t_1", "name", "x")
    with pytest.raises(OperatorError, match="leans on others"):
        seed_of(unpacked(later, "file"), uuid4(), str(uuid4()), None, 5)


def test_values_out_of_range_are_repaired() -> None:
    """JSON from elsewhere arrives valid: as anybody's edit would."""
    content = {"transport": {"bpm": 9000}, "tracks": {"t_1": {"kind": "audio", "name": "x" * 500, "gain_db": 99}}}
    name, seed = seed_of(unpacked(json.dumps(content).encode(), "file"), uuid4(), str(uuid4()), None, 5)
    doc: Doc[Any] = Doc()
    doc.apply_update(seed)
    assert name == "Imported"
    assert doc.get("transport", type=Map)["bpm"] == 400
    assert doc.get("tracks", type=Map)["t_1"]["gain_db"] == 6


async def test_nothing_is_made_without_consent_or_owner(
    operate: Operate, world: World, project: UUID, ada: User, tmp_path: Path
) -> None:
    """No terminal and no --yes; or nobody by that name: exit code 2, no new project."""
    file = tmp_path / "song.json"
    doc, _, _ = await read(world.pool, project)
    file.write_text(json.dumps(canonical(doc)))
    count = "select count(*) from projects"
    before = await world.pool.fetchval(count)
    said = await operate("import", file, "--owner", ada.id)
    assert (said.status, said.out) == (2, b"")
    assert "nothing was done: say --yes" in said.err
    assert (await operate("import", file, "--owner", "nobody", "--yes")).status == 2
    missing = await operate("import", tmp_path / "none", "--owner", ada.id, "--yes")
    assert (missing.status, missing.err.count("\n")) == (2, 1)
    assert await world.pool.fetchval(count) == before
