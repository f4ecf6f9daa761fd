"""One person's work is taken back for everybody, where it still stands."""

from uuid import uuid4

from launch.app import App
from tests.api.people import Meet, code
from tests.api.studio.test_moments import BAR, compact, head, pool, put, saved, vocals
from tests.api.test_live import studio
from tests.collab_server.peer import until

__all__ = ["pool"]


async def test_one_persons_change_is_undone_and_the_others_stay(collab: App, meet: Meet, pool: object) -> None:
    """Of what Ada did between Ben's edits, what Ben has overwritten stays and is told; both stay connected."""
    ada = await meet("Ada")
    project = await ada.project()
    ben = await meet("Ben", ada, project)
    async with studio(collab, ada, project, 41) as one, studio(collab, ben, project, 42) as two:
        await saved(one, vocals)
        first = await head(ada, project) + 1
        await saved(one, put("clips", "c_1", pos=0.0), put("tracks", "t_1", gain_db=-3.0, pan=-0.5, name="Lead"))
        await two.same(one)
        await saved(two, put("tracks", "t_1", gain_db=-6.0), put("tracks", "t_1", mute=True))
        await one.same(two)
        await saved(one, put("clips", "c_1", pos=float(BAR)))
        last = await head(ada, project)
        await saved(two, put("tracks", "t_1", name="Lead"))
        await compact(pool, project)  # type: ignore[arg-type]
        answer = await ben.post(f"{project}/changes/undo", {"person": ada.id, "from_seq": first, "to_seq": last})
        assert answer.status_code == 200, answer.text
        done = answer.json()
        assert done["changes"] == 2
        assert [(left["text"], left["reason"], left["by"]["name"]) for left in done["skipped"]] == [
            ("track “Lead”: gain", "changed_since", "Ben"),
            ("track “Lead”: name", "changed_since", "Ben"),
        ]
        await until(lambda: one.json()["clips"]["c_1"]["pos"] == 8 * BAR)
        await two.same(one)
        track = one.json()["tracks"]["t_1"]
        assert (track["gain_db"], "pan" in track, track["mute"], track["name"]) == (-6, False, True, "Lead")
        assert one.closed is None
        assert two.closed is None
        before = (await ada.get(f"{project}/snapshots/{done['before']}")).json()
        assert (before["name"], before["document"]["clips"]["c_1"]["pos"]) == ("Before taking back what Ada did", BAR)


async def test_nothing_of_theirs_there_changes_nothing(meet: Meet) -> None:
    """A stranger's stretch, and one of others alone, are empty; one that runs backwards is refused."""
    ada = await meet("Ada")
    project = await ada.project()
    await ada.post(f"{project}/markers", {"tick": 0, "label": "x"})
    before = (await ada.get(f"{project}/document")).json()
    for asked in ({"person": str(uuid4()), "from_seq": 1, "to_seq": 2}, {"person": ada.id, "from_seq": 1, "to_seq": 1}):
        assert (await ada.post(f"{project}/changes/undo", asked)).json()["changes"] == 0
    backwards = await ada.post(f"{project}/changes/undo", {"person": ada.id, "from_seq": 2, "to_seq": 1})
    assert code(backwards) == (422, "invalid")
    assert (await ada.get(f"{project}/document")).json() == before
