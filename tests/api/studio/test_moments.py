"""Time travel: the timeline, any moment of a document, what differed and by whom, and the way back for everybody."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pycrdt import Map

from launch.app import App
from persistence.editing import edit, read
from persistence.journal import Journal
from persistence.pool import Pool, open_pool
from tests.api.people import Meet, Musician, code
from tests.api.test_live import studio
from tests.collab_server.author import Change
from tests.collab_server.peer import Peer, until

BAR = 3840
Roots = dict[str, Any]


@pytest.fixture(scope="module")
async def pool(database: str) -> Any:
    opened = await open_pool(database, 1, 4)
    yield opened
    await opened.close()


def vocals(roots: Roots) -> None:
    """A track with a clip at bar 9."""
    roots["tracks"]["t_1"] = Map({"kind": "audio", "name": "Voice", "order": "a"})
    fields = {"track": "t_1", "name": "Vocals", "base": "beats", "pos": 8.0 * BAR, "in": 0.0, "out": 4.0 * BAR}
    roots["clips"]["c_1"] = Map({**fields, "take": "c_1"})


def point(roots: Roots, number: int) -> None:
    """Replaces the only automation point: the one before is removed for good."""
    roots["points"].clear()
    roots["points"][f"t_1.gain/p_{number}"] = [0.0, 1.0, 0.0]


def put(root: str, entity: str, **fields: Any) -> Change:
    """Writes fields of an entity."""
    return lambda roots: roots[root][entity].update({key.rstrip("_"): value for key, value in fields.items()})


async def saved(peer: Peer, *changes: Change) -> None:
    """Edits that are committed one by one."""
    for change in changes:
        peer.edit(change)
        await peer.saved()


async def head(musician: Musician, project: str) -> int:
    """The newest row that somebody's edit became."""
    return int((await musician.get(f"{project}/history")).json()["items"][0]["seq"])


async def compact(pool: Pool, project: str) -> None:
    """All rows become the state."""
    project_id = UUID(project.rsplit("/", 1)[1])
    doc, seq, epoch = await read(pool, project_id)
    await Journal(pool).compact(project_id, epoch, seq, doc.get_update())


async def items(musician: Musician, path: str, **query: Any) -> list[dict[str, Any]]:
    """What a list says."""
    answer = await musician.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_an_old_moment_comes_back_while_both_play(collab: App, meet: Meet, pool: Pool) -> None:
    """What differed is told with who did it; the restore reaches both open studios, which stay connected."""
    ada = await meet("Ada")
    project = await ada.project()
    ben = await meet("Ben", ada, project)
    async with studio(collab, ada, project, 31) as one, studio(collab, ben, project, 32) as two:
        await saved(one, vocals)
        moment = await head(ada, project)
        then = (await ada.get(f"{project}/document")).json()
        await saved(one, put("clips", "c_1", pos=10.0 * BAR))
        await two.same(one)
        await saved(two, put("tracks", "t_1", gain_db=-3.0))
        await compact(pool, project)
        shown = (await ben.get(f"{project}/moments/{moment}")).json()
        assert (shown["seq"], shown["document"]) == (moment, then)
        told = await items(ben, f"{project}/moments/{moment}/compare")
        assert [(entry["text"], entry["by"]["id"]) for entry in told] == [
            ("track “Voice”: gain 0 dB → −3 dB by Ben", ben.id),
            ("clip “Vocals” moved from bar 9 to bar 11 by Ada", ada.id),
        ]
        restored = (await ben.post(f"{project}/moments/{moment}/restore")).json()
        assert restored["changes"] == 2
        await until(lambda: one.json() == two.json() == then)
        assert one.closed is None
        assert two.closed is None
        await saved(one, lambda roots: roots["transport"].update({"bpm": 90.0}))
        await until(lambda: two.json()["transport"]["bpm"] == 90)
        before = (await ada.get(f"{project}/snapshots/{restored['before']}")).json()
        assert before["document"]["clips"]["c_1"]["pos"] == 10 * BAR


async def test_every_moment_outlives_the_room(collab: App, meet: Meet, pool: Pool) -> None:
    """The server compacts when everybody has left; each acknowledged edit can be gone back to, deleted things too."""
    ada = await meet("Ada")
    project = await ada.project()
    then: dict[int, dict[str, Any]] = {}
    async with studio(collab, ada, project, 36) as peer:
        await saved(peer, vocals)
        for number in range(30):
            await saved(peer, put("clips", "c_1", pos=float(number)), put("tracks", "t_1", name=f"Voice {number}"))
            await saved(peer, lambda roots, number=number: point(roots, number))  # type: ignore[misc]
            then[await head(ada, project)] = peer.json()
    compacted = "select count(*) from document_history where project_id = $1"
    project_id = UUID(project.rsplit("/", 1)[1])
    await until(lambda: pool.fetchval(compacted, project_id), "compaction at the unload")
    for seq, content in then.items():
        shown = (await ada.get(f"{project}/moments/{seq}")).json()
        assert shown["document"] == content


async def test_one_track_comes_back_alone(collab: App, meet: Meet) -> None:
    """The track, its clips and its automation; other tracks, markers and the song stay as they are."""
    ada = await meet("Ada")
    project = await ada.project()
    async with studio(collab, ada, project, 33) as peer:
        await saved(peer, vocals, lambda roots: roots["tracks"].update({"t_2": Map({"name": "Bass", "order": "b"})}))
        moment = await head(ada, project)
        await saved(
            peer,
            put("tracks", "t_1", gain_db=-9.0),
            put("tracks", "t_2", gain_db=-9.0),
            put("clips", "c_1", track="t_2", pos=0.0),
            lambda roots: roots["points"].update({"t_1.gain/p_1": [0.0, 0.5, 0.0]}),
            lambda roots: roots["transport"].update({"bpm": 90.0}),
        )
        path = f"{project}/moments/{moment}"
        on_track = await items(ada, f"{path}/compare", track="t_1")
        assert [entry["root"] for entry in on_track] == ["tracks", "clips", "clips", "points"]
        assert (await ada.post(f"{path}/restore", {"track": "t_1"})).json()["changes"] == 4
        await until(lambda: peer.json()["clips"]["c_1"]["track"] == "t_1")
        now = peer.json()
        assert (now["clips"]["c_1"]["pos"], now["points"], now["transport"]["bpm"]) == (8 * BAR, {}, 90)
        assert [now["tracks"][track].get("gain_db") for track in ("t_1", "t_2")] == [None, -9]
        assert code(await ada.post(f"{path}/restore", {"track": "t_9"})) == (404, "not_found")


async def test_the_timeline_is_told_by_person_and_burst(collab: App, meet: Meet) -> None:
    """What two people do side by side are two moments; filters by person, track and time leave the rest out."""
    ada = await meet("Ada")
    project = await ada.project()
    ben = await meet("Ben", ada, project)
    began = datetime.now(UTC)
    async with studio(collab, ada, project, 34) as one, studio(collab, ben, project, 35) as two:
        await saved(one, vocals)
        await two.same(one)
        for step in range(3):
            await saved(one, put("clips", "c_1", pos=float(step * BAR)))
            await saved(two, lambda roots, step=step: roots["transport"].update({"bpm": 90.0 + step}))  # type: ignore[misc]
    path = f"{project}/moments"
    found = await items(ada, path)
    assert [(m["author"]["name"], m["text"], m["edits"], m["kept"]) for m in found] == [
        ("Ben", "tempo", 3, True),
        ("Ada", "1 track; 1 clip: position", 4, True),
        ("Ada", "", 1, True),
    ]
    assert [m["origin"] for m in found] == ["edit", "edit", "seed"]
    assert found[1]["first_seq"] < found[0]["first_seq"] < found[1]["seq"] < found[0]["seq"]
    assert await items(ada, path, person=ben.id) == found[:1]
    assert await items(ada, path, track="t_1") == found[1:2]
    assert await items(ada, path, to=began.isoformat()) == found[2:]
    assert await items(ada, path, **{"from": (began + timedelta(days=1)).isoformat()}) == []
    first = (await ada.get(path, params={"limit": 1})).json()
    rest = (await ada.get(path, params={"cursor": first["next_cursor"]})).json()
    assert sum(m["edits"] for m in [*first["items"], *rest["items"]]) == 8
    assert rest["next_cursor"] is None


async def test_moments_are_compared_with_each_other_and_with_snapshots(meet: Meet) -> None:
    """Forwards with names, backwards without: nobody has done that."""
    ada = await meet("Ada")
    project = await ada.project()
    marker = (await ada.post(f"{project}/markers", {"tick": 0, "label": "Verse"})).json()["id"]
    snapshot = (await ada.post(f"{project}/snapshots", {"name": "Verse"})).json()["id"]
    await ada.patch(f"{project}/markers/{marker}", {"label": "Chorus"})
    await ada.delete(f"{project}/markers/{marker}")

    async def told(seq: int, other: object) -> list[str]:
        return [entry["text"] for entry in await items(ada, f"{project}/moments/{seq}/compare", **{"with": other})]

    assert await told(1, 2) == ["marker “Verse” was added by Ada"]
    assert await told(2, 3) == ["marker “Chorus”: label “Verse” → “Chorus” by Ada"]
    assert await told(3, "live") == ["marker “Chorus” was deleted by Ada"]
    assert await told(1, snapshot) == ["marker “Verse” was added by Ada"]
    assert await told(3, snapshot) == ["marker “Verse”: label “Chorus” → “Verse”"]
    assert await told(2, 2) == []
    assert code(await ada.get(f"{project}/moments/1/compare", params={"with": "nothing"})) == (422, "invalid")


async def test_a_moment_gets_a_name(meet: Meet) -> None:
    """It is a snapshot like any other then: shown, compared and forked; what never was cannot be named."""
    ada = await meet("Ada")
    project = await ada.project()
    marker = (await ada.post(f"{project}/markers", {"tick": 0, "label": "Verse"})).json()["id"]
    await ada.delete(f"{project}/markers/{marker}")
    made = (await ada.post(f"{project}/snapshots", {"name": "With the verse", "seq": 2})).json()
    assert (made["seq"], made["kind"]) == (2, "named")
    shown = (await ada.get(f"{project}/snapshots/{made['id']}")).json()
    assert shown["document"] == (await ada.get(f"{project}/moments/2")).json()["document"]
    assert (await ada.post(f"{project}/snapshots/{made['id']}/fork")).status_code == 201
    assert code(await ada.post(f"{project}/snapshots", {"name": "x", "seq": 9})) == (410, "moment_gone")


async def test_a_moment_that_is_gone_says_from_where_on_there_are_some(meet: Meet, pool: Pool) -> None:
    """Beyond the head, and below what retention has left."""
    ada = await meet("Ada")
    project = await ada.project()
    for label in ("a", "b"):
        await ada.post(f"{project}/markers", {"tick": 0, "label": label})
    await compact(pool, project)
    await pool.execute("delete from document_history where project_id = $1", UUID(project.rsplit("/", 1)[1]))
    for seq in (2, 9):
        answer = await ada.get(f"{project}/moments/{seq}")
        assert code(answer) == (410, "moment_gone")
        assert answer.json()["error"]["since"] == 3
    assert [m["kept"] for m in await items(ada, f"{project}/moments")] == [True, False]


async def test_a_comparison_comes_in_pages(meet: Meet, pool: Pool) -> None:
    """Of moments and of snapshots, with a person's alone too: each difference once, and never more than asked for."""
    ada = await meet("Ada")
    project = await ada.project()
    snapshot = (await ada.post(f"{project}/snapshots", {"name": "Empty"})).json()["id"]
    ben = await meet("Ben", ada, project)
    for author in (ada, ben):
        ids = [f"m_{author.user['name']}{number:03}" for number in range(60)]

        def write(doc: Any, ids: list[str] = ids) -> None:
            with doc.transaction():
                doc.get("markers", type=Map).update({id_: Map({"tick": 0.0, "label": id_}) for id_ in ids})

        await edit(pool, UUID(project.rsplit("/", 1)[1]), UUID(author.id), "edit", write)
    for path, query, wanted in (
        (f"snapshots/{snapshot}", {}, 120),
        ("moments/1", {}, 120),
        ("moments/1", {"person": ben.id}, 60),
    ):
        first = (await ada.get(f"{project}/{path}/compare", params=query)).json()
        assert len(first["items"]) == 50
        found = [entry["id"] for entry in first["items"]]
        while first["next_cursor"] is not None:
            more = query | {"cursor": first["next_cursor"], "limit": 33}
            first = (await ada.get(f"{project}/{path}/compare", params=more)).json()
            assert len(first["items"]) <= 33
            found += [entry["id"] for entry in first["items"]]
        assert (len(found), len(set(found))) == (wanted, wanted)
    refused = await ada.get(f"{project}/moments/1/compare", params={"cursor": "nothing"})
    assert code(refused) == (422, "invalid")
