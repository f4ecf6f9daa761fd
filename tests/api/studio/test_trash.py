"""What was deleted comes back for thirty days: entities for everybody at once, projects for their owner."""

from datetime import datetime, timedelta
from uuid import UUID

from launch.app import App
from tests.api.people import Meet, code, nowhere
from tests.api.studio.test_moments import items, pool, put, saved, vocals
from tests.api.test_live import studio
from tests.collab_server.peer import until

__all__ = ["pool"]

MONTH = timedelta(days=30)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_deleted_track_comes_back_with_everything(collab: App, meet: Meet) -> None:
    """The list says who deleted it when, by the server's clock; open studios see it again at once."""
    ada = await meet("Ada")
    project = await ada.project()
    ben = await meet("Ben", ada, project)
    async with studio(collab, ada, project, 51) as one, studio(collab, ben, project, 52) as two:
        await saved(one, vocals)
        await two.same(one)
        await saved(two, put("tracks", "t_1", deleted=["somebody else", 5.0]))
        (thrown,) = await items(ada, f"{project}/trash")
        assert (thrown["root"], thrown["id"], thrown["name"], thrown["content"]) == (
            "tracks",
            "t_1",
            "“Voice”",
            {"clips": 1},
        )
        assert thrown["deleted_by"]["name"] == "Ben"
        assert at(thrown["purge_at"]) - at(thrown["deleted_at"]) == MONTH
        assert at(thrown["deleted_at"]).year > 1970
        back = (await ada.post(f"{project}/trash/tracks/t_1/restore")).json()
        assert (back["id"], back["fields"]["name"], back["hidden_with"]) == ("t_1", "Voice", None)
        await until(lambda: two.json()["tracks"]["t_1"]["deleted"] is None)
        assert one.closed is None
        assert two.closed is None
        assert await items(ada, f"{project}/trash") == []
        assert code(await ada.post(f"{project}/trash/tracks/t_1/restore")) == (404, "not_found")


async def test_the_trash_is_listed_page_by_page(collab: App, meet: Meet) -> None:
    """The latest first; a clip on a deleted track says that it would stay hidden."""
    ada = await meet("Ada")
    project = await ada.project()
    async with studio(collab, ada, project, 53) as peer:
        await saved(
            peer, vocals, put("clips", "c_1", deleted=[ada.id, 2.0]), put("tracks", "t_1", deleted=[ada.id, 1.0])
        )
    marker = (await ada.post(f"{project}/markers", {"tick": 0, "label": "Drop"})).json()["id"]
    await ada.delete(f"{project}/markers/{marker}")
    found = await items(ada, f"{project}/trash")
    assert [(one["id"], one["hidden_with"]) for one in found] == [(marker, None), ("t_1", None), ("c_1", "t_1")]
    first = (await ada.get(f"{project}/trash", params={"limit": 2})).json()
    rest = (await ada.get(f"{project}/trash", params={"cursor": first["next_cursor"]})).json()
    assert [*first["items"], *rest["items"]] == found
    assert rest["next_cursor"] is None
    assert (await ada.post(f"{project}/trash/clips/c_1/restore")).json()["hidden_with"] == "t_1"
    assert (await ada.post(f"{project}/trash/markers/{marker}/restore")).status_code == 200
    assert [one["id"] for one in await items(ada, f"{project}/markers")] == [marker]


async def test_the_owner_empties_the_trash(meet: Meet) -> None:
    """What was purged is in no trash any more, but in the moments before; what lives cannot be purged."""
    ada = await meet("Ada")
    project = await ada.project()
    marker = (await ada.post(f"{project}/markers", {"tick": 0, "label": "Drop"})).json()["id"]
    path = f"{project}/trash/markers/{marker}"
    assert code(await ada.delete(path)) == (404, "not_found")
    await ada.delete(f"{project}/markers/{marker}")
    assert (await ada.delete(path)).status_code == 204
    assert await items(ada, f"{project}/trash") == []
    assert code(await ada.post(f"{path}/restore")) == (404, "not_found")
    assert marker in (await ada.get(f"{project}/moments/2")).json()["document"]["markers"]
    assert (await ada.post(f"{project}/moments/2/restore")).json()["changes"] == 1
    assert [one["label"] for one in await items(ada, f"{project}/markers")] == ["Drop"]


async def test_a_deleted_project_comes_back_to_its_owner(collab: App, meet: Meet) -> None:
    """Members find it again with all that was in it, and studios open; before that nobody does."""
    ada = await meet("Ada")
    project = await ada.project("Night drive")
    ben = await meet("Ben", ada, project)
    await ada.post(f"{project}/markers", {"tick": 0, "label": "Drop"})
    assert (await ada.delete(project)).status_code == 204
    assert code(await ben.get(project)) == (404, "not_found")
    (listed,) = await items(ada, "/api/trash")
    assert (listed["name"], listed["id"]) == ("Night drive", project.rsplit("/", 1)[1])
    assert at(listed["purge_at"]) - at(listed["deleted_at"]) == MONTH
    assert await items(ben, "/api/trash") == []
    assert code(await ben.post(f"{project}/undelete")) == (404, "not_found")
    back = await ada.post(f"{project}/undelete")
    assert (back.status_code, back.json()["name"]) == (200, "Night drive")
    assert await items(ada, "/api/trash") == []
    assert (await ben.get(project)).status_code == 200
    async with studio(collab, ben, project, 54) as peer:
        assert [marker["label"] for marker in peer.json()["markers"].values()] == ["Drop"]
    assert code(await ben.post(f"{project}/undelete")) == (403, "forbidden")
    assert code(await ada.post(f"{nowhere()}/undelete")) == (404, "not_found")


async def test_a_project_deleted_for_longer_does_not(meet: Meet, pool: object) -> None:
    """Its thirty days are over, whether it was purged yet or not."""
    ada = await meet("Ada")
    project = await ada.project()
    await ada.delete(project)
    sql = "update projects set deleted_at = deleted_at - interval '30 days' where id = $1"
    await pool.execute(sql, UUID(project.rsplit("/", 1)[1]))  # type: ignore[attr-defined]
    assert await items(ada, "/api/trash") == []
    assert code(await ada.post(f"{project}/undelete")) == (404, "not_found")
