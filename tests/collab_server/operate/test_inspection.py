"""`inspect`, on documents that were edited through a real node."""

from uuid import UUID, uuid4

from tests.collab_server.author import Author
from tests.collab_server.conftest import MakePeer
from tests.collab_server.operate.conftest import Operate
from tests.collab_server.world import User, World


async def test_it_shows_a_document_at_a_glance(
    operate: Operate, world: World, project: UUID, ada: User, make_peer: MakePeer
) -> None:
    """Head, epoch, tail, authors, client ids, who is here, the last edits, and counts for each root."""
    a = await make_peer(project, ada).join()
    a.track("t_1", name="Bass")
    a.track("t_2", name="Drums")
    a.field("tracks", "t_2", "deleted", [str(ada.id), 5])
    await a.saved()
    said = await operate("inspect", project, "--json")
    assert (said.status, said.err) == (0, "")
    told = said.json
    assert (told["project"], told["name"], told["owner"]) == (str(project), "Song", str(ada.id))
    assert (told["epoch"], told["head"]) == (1, await world.rows(project))
    assert told["quarantine"] is None
    assert told["state"] is None
    assert told["tail"]["rows"] == told["head"]
    assert told["tail"]["newest"][-1]["authors"] == [str(ada.id)]
    assert told["document"]["roots"]["tracks"] == {"entries": 4, "deleted": 1}
    assert "markers" not in told["document"]["roots"]
    assert told["document"]["repairs"] == []
    assert {"client": a.client, "user": str(ada.id)} in told["clients"]
    assert {author["author_id"] for author in told["authors"]} == {str(ada.id)}
    assert [person["user_id"] for person in told["present"]] == [str(ada.id)]
    assert told["history"][0]["paths"]
    shown = await operate("inspect", project, "--history", 2)
    assert shown.status == 0
    assert f"head {told['head']}" in shown.text
    assert "Song" in shown.text
    assert str(ada.id) in shown.text


async def test_a_damaged_and_quarantined_document_is_still_shown(operate: Operate, world: World, ada: User) -> None:
    """What is wrong stands where it is wrong; nothing is changed."""
    project = await world.project(ada)
    await world.pool.execute("update document_updates set seq = 7 where project_id = $1", project)
    await world.journal.quarantine(project, "looked odd\x1b[2J")
    said = await operate("inspect", project)
    assert said.status == 0
    assert "QUARANTINED" in said.text
    assert "PROBLEM" in said.text
    assert "CANNOT BE READ" in said.text
    assert "\x1b" not in said.text


async def test_what_a_node_would_repair_is_named(operate: Operate, world: World, ada: User) -> None:
    """Repairs that are due show with their rule and place."""
    author = Author(700)
    project = await world.project(ada, author.track("t_1", gain_db=40))
    told = (await operate("inspect", project, "--json")).json
    assert [due["path"] for due in told["document"]["repairs"]] == ["tracks/t_1/gain_db"]


async def test_a_project_that_is_not_there_is_one_sentence(operate: Operate) -> None:
    """Exit code 2, and the id."""
    stranger = uuid4()
    said = await operate("inspect", stranger)
    assert said == (2, b"", f"backline collab server: no project {stranger}\n")
