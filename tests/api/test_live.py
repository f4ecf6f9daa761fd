"""HTTP beside a running collab server: what is done here is seen in open studios, and the other way round."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from launch.app import App
from tests.api.people import Meet, Musician
from tests.collab_server.control import musician as control
from tests.collab_server.peer import Peer, until


@asynccontextmanager
async def studio(collab: App, musician: Musician, project: str, client: int) -> AsyncIterator[Peer]:
    """The musician's open studio, synced; the ticket is from the API."""
    given = (await musician.post(f"{project}/ticket")).json()
    place = given["ws_url"].partition("/y/")[2]
    peer = await Peer(client, f"{collab.ws}/y/{place}?token={given['ticket']}&epoch={given['epoch']}").join()
    try:
        yield peer
    finally:
        await peer.leave()


async def test_open_studios_see_markers_notes_and_names_at_once(collab: App, meet: Meet) -> None:
    """Each edit over HTTP reaches a peer, whose document then equals the committed one."""
    ann = await meet("Ann")
    project = await ann.project()
    cleo = await meet("Cleo", ann, project, "commenter")
    async with studio(collab, ann, project, 11) as peer:
        marker = (await ann.post(f"{project}/markers", {"tick": 960, "label": "Drop"})).json()["id"]
        note = (await cleo.post(f"{project}/notes", {"body": "Zoë 🎵"})).json()["id"]
        await ann.patch(project, {"name": "Day drive"})
        await until(lambda: peer.json()["meta"]["name"] == "Day drive")
        assert peer.json()["markers"][marker]["label"] == "Drop"
        assert peer.json()["notes"][note]["body"] == "Zoë 🎵"
        assert peer.json() == (await ann.get(f"{project}/document")).json()


async def test_what_a_studio_saved_is_in_the_document(collab: App, meet: Meet) -> None:
    """An acknowledged edit is committed: the next GET shows it, and the history says whose it is."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    async with studio(collab, ben, project, 12) as peer:
        peer.edit(lambda roots: roots["transport"].update({"bpm": 87.0}))
        await peer.saved()
        assert (await ann.get(f"{project}/document")).json()["transport"]["bpm"] == 87
        newest = (await ann.get(f"{project}/history")).json()["items"][0]
        assert (newest["author"]["name"], newest["paths"]) == ("Ben", ["transport/bpm"])


async def test_S15_a_restore_disconnects_nobody(collab: App, meet: Meet) -> None:
    """The live document goes back by one edit; a key only the studio wrote afterwards keeps that."""
    ann = await meet("Ann")
    project = await ann.project()
    snapshot = (await ann.post(f"{project}/snapshots", {"name": "Start"})).json()["id"]
    async with studio(collab, ann, project, 13) as peer:
        peer.edit(lambda roots: roots["transport"].update({"bpm": 87.0}))
        await peer.saved()
        restored = await ann.post(f"{project}/snapshots/{snapshot}/restore")
        assert restored.json()["changes"] == 1
        peer.edit(lambda roots: roots["transport"].update({"swing": 0.5}))
        await peer.saved()
        await until(lambda: peer.json()["transport"]["bpm"] == 120)
        assert peer.closed is None
        assert peer.json() == (await ann.get(f"{project}/document")).json()
        assert peer.json()["transport"]["swing"] == 0.5


async def test_S11_a_removed_member_is_out_within_a_second(collab: App, meet: Meet) -> None:
    """The socket closes with 4403; so it does for everybody when the project is deleted."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    async with studio(collab, ann, project, 14) as left, studio(collab, ben, project, 15) as removed:
        began = time.monotonic()
        await ann.delete(f"{project}/members/{ben.id}")
        await until(lambda: removed.closed and removed.closed[0] == 4403)
        assert time.monotonic() - began < 1
        await ann.get(f"{project}/members")
        assert not left.closed
        await ann.delete(project)
        await until(lambda: left.closed and left.closed[0] in {4403, 4404})


async def test_S10_a_demoted_member_writes_no_more(collab: App, meet: Meet) -> None:
    """An editor who became a viewer is denied at the next edit, and the document stays."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    async with studio(collab, ben, project, 16) as peer:
        await ann.patch(f"{project}/members/{ben.id}", {"role": "viewer"})

        async def denied() -> bool:
            peer.edit(lambda roots: roots["transport"].update({"bpm": 87.0}))
            return bool(peer.denied)

        await until(denied)
        peer.edit(lambda roots: roots["transport"].update({"bpm": 88.0}))
        await ann.post(f"{project}/markers", {"tick": 0, "label": "behind it"})
        await until(lambda: peer.json()["markers"])
    # What was sent before the change was known may have been accepted: 87, but never what came after the refusal.
    async with studio(collab, ann, project, 17) as witness:
        assert witness.json()["transport"]["bpm"] in {120, 87}
    assert (await ann.get(f"{project}/document")).json()["transport"]["bpm"] in {120, 87}


async def test_an_option_holds_on_open_control_sockets_within_a_second(collab: App, meet: Meet) -> None:
    """A commenter commands the room from when the owner says so until the owner takes it back."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project, "commenter")
    ticket = (await ben.post(f"{project}/ticket")).json()["ticket"]
    line = await control.Musician(f"{collab.ws}/ctl/{project.rsplit('/', 1)[1]}?token={ticket}").join()
    for allowed, answer in ((True, "ack"), (False, "nack")):
        await ann.patch(f"{project}/options", {"commenters_transport": allowed})
        await until(lambda allowed=allowed: line.may is allowed, seconds=1)  # type: ignore[misc]
        assert (await line.ask("play"))["t"] == answer
    await line.leave()
