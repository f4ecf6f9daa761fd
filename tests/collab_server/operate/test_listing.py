"""`rooms` and `connections` on the command line, and how a node that does not answer is told."""

from uuid import UUID

from launch.app import App
from tests.collab_server.conftest import MakePeer
from tests.collab_server.operate.conftest import Operate
from tests.collab_server.world import User


async def test_what_a_node_has_open(
    operate: Operate, project: UUID, ada: User, collab: App, make_peer: MakePeer
) -> None:
    """The node of this environment without --node; a table for people, JSON for programs. No database is needed."""
    await make_peer(project, ada).join()
    rooms = await operate("rooms", DATABASE__URL="postgresql://nowhere:1/none")
    assert rooms.status == 0, rooms
    assert str(project) in rooms.text
    connections = await operate("connections", "--node", collab.http, "--json")
    found = [item for item in connections.json if item["project"] == str(project)]
    assert [(item["user"], item["role"], item["node"]) for item in found] == [(str(ada.id), "owner", collab.http)]


async def test_a_node_that_does_not_help_is_one_sentence(operate: Operate, collab: App, free_port: int) -> None:
    """Not there, another token, no address at all: exit code 2."""
    nowhere = await operate("rooms", "--node", f"http://127.0.0.1:{free_port}")
    other = await operate("rooms", "--node", collab.http, OPERATOR__TOKEN="another token of that length")
    wrong = await operate("rooms", "--node", "ftp://x")
    for said in (nowhere, other, wrong):
        assert (said.status, said.out, said.err.count("\n")) == (2, b"", 1), said
    assert "does not answer" in nowhere.err
    assert "does not know this OPERATOR__TOKEN" in other.err
