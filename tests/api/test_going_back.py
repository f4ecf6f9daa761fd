"""Going back beside tracks that somebody else holds: an editor leaves them or is refused, the owner does not mind."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from pycrdt import Map

from launch.app import App
from tests.api.people import Meet, Musician, code
from tests.api.people import until as once
from tests.api.studio.test_moments import head, put, saved
from tests.api.test_live import studio
from tests.collab_server.peer import Peer, until

Roots = dict[str, Any]


def two_tracks(roots: Roots) -> None:
    """Two tracks with a clip each, an effect on the first, and a send from it to the second."""
    for number in (1, 2):
        roots["tracks"][f"t_{number}"] = Map({"kind": "audio", "name": f"Track {number}", "order": f"a{number}"})
        fields = {"track": f"t_{number}", "base": "beats", "pos": 0.0, "in": 0.0, "out": 3840.0}
        roots["clips"][f"c_{number}"] = Map({**fields, "take": f"c_{number}"})
    roots["effects"]["e_1"] = Map({"track": "t_1", "kind": "reverb", "order": "a"})


@dataclass
class Band:
    """Ann owns the project, Ben holds track 1, Cleo edits; all have it open."""

    project: str
    ann: Musician
    ben: Musician
    cleo: Musician
    held: Peer
    live: Peer
    moment: int
    until: int

    async def document(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self.ann.get(f"{self.project}/document")).json()
        return found

    async def snapshots(self) -> int:
        return len((await self.ann.get(f"{self.project}/snapshots")).json()["items"])

    async def release(self) -> None:
        """The track is nobody's, and open studios know."""
        await self.ann.delete(f"{self.project}/tracks/t_1/lock")
        await until(lambda: self.live.json()["tracks"]["t_1"]["lock"] is None)

    async def take(self, seconds: int = 600) -> None:
        """Ben holds the track."""
        answer = await self.ben.post(f"{self.project}/tracks/t_1/lock", {"seconds": seconds})
        self.until = answer.json()["until"]

    async def restore(self, who: Musician, track: str | None = None) -> Any:
        body = {} if track is None else {"track": track}
        return await who.post(f"{self.project}/moments/{self.moment}/restore", body)

    async def refuses(self, path: str, body: object = None) -> None:
        """Cleo is told who holds the track until when, and nothing at all has changed."""
        before, kept = await self.document(), await self.snapshots()
        answer = await self.cleo.post(f"{self.project}/{path}", body)
        assert code(answer) == (409, "track_locked"), answer.text
        error = answer.json()["error"]
        assert (error["track"], error["user"], error["until"]) == ("t_1", self.ben.id, self.until)
        assert (await self.document(), await self.snapshots()) == (before, kept)


@pytest.fixture
async def band(collab: App, meet: Meet) -> Any:
    """What Ben did on both tracks after the moment stands; he holds track 1 for ten minutes."""
    ann = await meet("Ann")
    project = await ann.project()
    ben, cleo = await meet("Ben", ann, project), await meet("Cleo", ann, project)
    async with AsyncExitStack() as stack:
        peer = await stack.enter_async_context(studio(collab, ben, project, 71))
        live = await stack.enter_async_context(studio(collab, cleo, project, 72))
        await saved(peer, two_tracks)
        moment = await head(ann, project)
        for number in (1, 2):
            await saved(peer, put("tracks", f"t_{number}", gain_db=-9.0), put("clips", f"c_{number}", pos=960.0))
        await saved(peer, lambda roots: roots["transport"].update({"bpm": 90.0}))
        until_ms = (await ben.post(f"{project}/tracks/t_1/lock")).json()["until"]
        yield Band(project, ann, ben, cleo, peer, live, moment, until_ms)


async def test_an_editors_whole_restore_leaves_held_tracks_and_says_so(band: Band) -> None:
    """Everything else goes back, for open studios too; the track, its clip and its lock stay."""
    answer = (await band.restore(band.cleo)).json()
    assert answer["locked"] == [{"track": "t_1", "user": band.ben.id, "until": band.until}]
    assert answer["changes"] == 3
    now = await band.document()
    assert [now["tracks"][track].get("gain_db") for track in ("t_1", "t_2")] == [-9, None]
    assert [now["clips"][clip]["pos"] for clip in ("c_1", "c_2")] == [960, 0]
    assert now["transport"]["bpm"] == 120
    assert now["tracks"]["t_1"]["lock"] == [band.ben.id, band.until]
    await until(lambda: band.live.json() == now)


async def test_a_held_track_that_would_not_change_is_not_told(band: Band) -> None:
    """Going back again says nothing more of other tracks, and after the owner's restore of none at all."""
    await band.release()
    await band.restore(band.ann)
    await band.take()
    answer = (await band.restore(band.cleo)).json()
    assert (answer["changes"], answer["locked"]) == (0, [])


async def test_the_holder_and_the_owner_restore_everything(band: Band) -> None:
    """One's own lock binds others alone, and the owner breaks locks; the lock stays, and nothing is undone."""
    for who in (band.ben, band.ann):
        assert (await band.restore(who)).json()["locked"] == []
        now = await band.document()
        assert [now["tracks"][track].get("gain_db") for track in ("t_1", "t_2")] == [None, None]
        assert now["tracks"]["t_1"]["lock"] == [band.ben.id, band.until]
        await until(lambda now=now: band.live.json() == now)  # type: ignore[misc]
        await saved_by_holder(band)


async def saved_by_holder(band: Band) -> None:
    """The snapshot before is whole, too: it brings back what Ben had."""
    (newest, *_) = (await band.ann.get(f"{band.project}/snapshots")).json()["items"]
    answer = await band.ann.post(f"{band.project}/snapshots/{newest['id']}/restore")
    assert answer.json()["locked"] == []
    assert (await band.document())["tracks"]["t_1"]["gain_db"] == -9


async def test_a_snapshot_is_restored_around_held_tracks_too(band: Band) -> None:
    """Made when track 1 was not there: an editor does not delete it by going back there, the owner does."""
    first = (await band.ann.post(f"{band.project}/snapshots", {"name": "Empty", "seq": 1})).json()["id"]
    path = f"{band.project}/snapshots/{first}/restore"
    assert [one["track"] for one in (await band.cleo.post(path)).json()["locked"]] == ["t_1"]
    now = await band.document()
    assert [now["tracks"][track].get("deleted") is None for track in ("t_1", "t_2")] == [True, False]
    assert [now["clips"][clip].get("deleted") is None for clip in ("c_1", "c_2")] == [True, False]
    assert now["effects"]["e_1"].get("deleted") is None
    assert (await band.ann.post(path)).json()["locked"] == []
    assert (await band.document())["tracks"]["t_1"]["deleted"] is not None


async def test_what_was_said_about_a_held_track_comes_back(band: Band) -> None:
    """A lock holds music, not talk: a deleted note is there again, and the track is not told as left for it."""
    note = (await band.cleo.post(f"{band.project}/notes", {"body": "Louder", "track": "t_1"})).json()["id"]
    with_note = (await band.ann.post(f"{band.project}/snapshots", {"name": "With the note"})).json()["id"]
    await band.cleo.delete(f"{band.project}/notes/{note}")
    answer = (await band.cleo.post(f"{band.project}/snapshots/{with_note}/restore")).json()
    assert (answer["changes"], answer["locked"]) == (1, [])
    assert [one["id"] for one in (await band.ann.get(f"{band.project}/notes")).json()["items"]] == [note]


async def test_one_held_track_does_not_come_back_for_an_editor(band: Band) -> None:
    """Refused as a whole; the other track comes back, and the owner's restore of the held one works."""
    await band.refuses(f"moments/{band.moment}/restore", {"track": "t_1"})
    assert (await band.restore(band.cleo, "t_2")).json()["changes"] == 2
    assert (await band.restore(band.ann, "t_1")).json()["changes"] == 2


async def test_a_track_that_would_take_from_a_held_one_does_not_come_back(band: Band) -> None:
    """Its clip lies on the held track now: pulling it away would change that one, so nothing happens at all."""
    await band.release()
    await saved(band.live, put("clips", "c_2", track="t_1"), put("tracks", "t_2", name="Other"))
    await band.take()
    await band.refuses(f"moments/{band.moment}/restore", {"track": "t_2"})
    assert (await band.document())["tracks"]["t_2"]["name"] == "Other"


async def test_nothing_is_taken_back_on_a_held_track(band: Band) -> None:
    """Ben's work lies on both tracks: of all that an editor takes back nothing; the owner and Ben himself may."""
    asked = {"person": band.ben.id, "from_seq": band.moment + 1, "to_seq": await head(band.ann, band.project)}
    await band.refuses("changes/undo", asked)
    undone = await band.ann.post(f"{band.project}/changes/undo", asked)
    assert undone.json()["changes"] == 5


async def test_the_trash_of_a_held_track_stays_closed(band: Band) -> None:
    """Its clip, its effect and the track itself come back for its holder and the owner alone."""
    for root, entity, who in (("clips", "c_1", band.ann), ("effects", "e_1", band.ben), ("tracks", "t_1", band.ben)):
        await band.release()
        await saved(band.live, put(root, entity, deleted=[band.cleo.id, 1.0]))
        if root == "tracks":
            await band.ann.post(f"{band.project}/trash/{root}/{entity}/restore")
            await band.take()
            await saved(band.held, put(root, entity, deleted=[band.ben.id, 1.0]))
        else:
            await band.take()
        await band.refuses(f"trash/{root}/{entity}/restore")
        assert (await who.post(f"{band.project}/trash/{root}/{entity}/restore")).status_code == 200


async def test_a_lock_that_has_run_out_binds_nobody(band: Band) -> None:
    """A second later what was refused is done, without anybody giving the track back."""
    await band.take(seconds=1)
    path = f"{band.project}/moments/{band.moment}/restore"
    refused = await band.cleo.post(path, {"track": "t_1"})
    assert refused.json()["error"]["until"] == band.until

    async def comes_back() -> bool:
        return (await band.cleo.post(path, {"track": "t_1"})).status_code == 200

    await once(comes_back)
    assert (await band.document())["tracks"]["t_1"]["lock"] == [band.ben.id, band.until]
    assert (await band.restore(band.cleo)).json()["locked"] == []
