"""Snapshots: save, compare, restore, fork."""

import asyncio
from typing import Any

from tests.api.people import Meet, Musician, code, nowhere


async def saved(musician: Musician, project: str, name: str) -> dict[str, Any]:
    """A new snapshot."""
    made = await musician.post(f"{project}/snapshots", {"name": name})
    assert made.status_code == 201, made.text
    snapshot: dict[str, Any] = made.json()
    return snapshot


async def test_a_snapshot_holds_the_document(meet: Meet) -> None:
    """What was committed when it was saved, whatever comes later."""
    ann = await meet("Ann")
    project = await ann.project()
    before = (await ann.get(f"{project}/document")).json()
    snapshot = await saved(ann, project, "First take")
    assert (snapshot["name"], snapshot["kind"], snapshot["author"]["id"]) == ("First take", "named", ann.id)
    await ann.post(f"{project}/markers", {"tick": 0, "label": "later"})
    shown = (await ann.get(f"{project}/snapshots/{snapshot['id']}")).json()
    assert shown["document"] == before
    assert (await ann.get(f"{project}/snapshots")).json()["items"] == [snapshot]


async def test_N6_snapshots_saved_at_once_keep_distinct_names(meet: Meet) -> None:
    """Two people save "Version 3" at the same moment: two snapshots, two names."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    both = await asyncio.gather(*(saved(one, project, "Version 3") for one in (ann, ben, ann, ben)))
    assert sorted(s["name"] for s in both) == ["Version 3", "Version 3 (2)", "Version 3 (3)", "Version 3 (4)"]
    assert len({s["id"] for s in both}) == 4


async def test_restoring_goes_forward(meet: Meet) -> None:
    """Markers, notes and tempo come back; what was there is kept as an automatic snapshot, and can come back too."""
    ann = await meet("Ann")
    project = await ann.project()
    marker = (await ann.post(f"{project}/markers", {"tick": 0, "label": "old"})).json()
    snapshot = await saved(ann, project, "Before")
    await ann.patch(f"{project}/markers/{marker['id']}", {"label": "new"})
    later = (await ann.post(f"{project}/markers", {"tick": 960, "label": "later"})).json()
    restored = await ann.post(f"{project}/snapshots/{snapshot['id']}/restore")
    assert restored.status_code == 200
    assert restored.json()["changes"] == 2
    assert [m["label"] for m in (await ann.get(f"{project}/markers")).json()["items"]] == ["old"]
    newest = (await ann.get(f"{project}/history")).json()["items"][0]
    assert (newest["origin"], newest["author"]["id"]) == ("restore", ann.id)
    assert f"markers/{marker['id']}/label" in newest["paths"]
    before = (await ann.get(f"{project}/snapshots/{restored.json()['before']}")).json()
    assert (before["kind"], before["reason"], before["parent_id"]) == ("automatic", "before_restore", snapshot["id"])
    assert before["document"]["markers"][marker["id"]]["label"] == "new"
    assert (await ann.post(f"{project}/snapshots/{before['id']}/restore")).status_code == 200
    labels = {m["id"]: m["label"] for m in (await ann.get(f"{project}/markers")).json()["items"]}
    assert labels == {marker["id"]: "new", later["id"]: "later"}


async def test_restoring_what_is_there_changes_nothing(meet: Meet) -> None:
    """No row is appended for a restore without a difference."""
    ann = await meet("Ann")
    project = await ann.project()
    snapshot = await saved(ann, project, "Now")
    restored = (await ann.post(f"{project}/snapshots/{snapshot['id']}/restore")).json()
    assert (restored["changes"], restored["seq"]) == (0, snapshot["seq"])


async def test_two_states_are_compared_in_words(meet: Meet) -> None:
    """Against another snapshot and against the live document."""
    ann = await meet("Ann")
    project = await ann.project()
    first = await saved(ann, project, "A")
    assert (await ann.get(f"{project}/snapshots/{first['id']}/compare")).json() == {"items": [], "next_cursor": None}
    await ann.post(f"{project}/markers", {"tick": 0, "label": "Drop"})
    second = await saved(ann, project, "B")
    for other in (second["id"], "live"):
        compared = await ann.get(f"{project}/snapshots/{first['id']}/compare", params={"with": other})
        assert [item["text"] for item in compared.json()["items"]] == ["marker “Drop” was added"]
    back = await ann.get(f"{project}/snapshots/{second['id']}/compare", params={"with": first["id"]})
    assert [item["change"] for item in back.json()["items"]] == ["removed"]
    refused = await ann.get(f"{project}/snapshots/{first['id']}/compare", params={"with": "yesterday"})
    assert code(refused) == (422, "invalid")


async def test_a_fork_is_a_project_of_its_own(meet: Meet) -> None:
    """A viewer forks: they own the copy, it says where it came from, and neither touches the other."""
    ann = await meet("Ann")
    project = await ann.project("Night drive")
    await ann.post(f"{project}/markers", {"tick": 0, "label": "Drop"})
    snapshot = await saved(ann, project, "A")
    vi = await meet("Vi", ann, project, "viewer")
    forked = await vi.post(f"{project}/snapshots/{snapshot['id']}/fork")
    assert forked.status_code == 201
    copy = forked.json()
    assert (copy["name"], copy["role"], copy["owner"]["id"]) == ("Night drive (fork)", "owner", vi.id)
    fork = f"/api/projects/{copy['id']}"
    document = (await vi.get(f"{fork}/document")).json()
    assert document["meta"]["parent"] == f"{project.rsplit('/', 1)[1]}/{snapshot['id']}"
    assert document["meta"]["project_id"] == copy["id"]
    assert [m["label"] for m in (await vi.get(f"{fork}/markers")).json()["items"]] == ["Drop"]
    await vi.post(f"{fork}/markers", {"tick": 1, "label": "Mine"})
    assert len((await ann.get(f"{project}/markers")).json()["items"]) == 1
    assert code(await ann.get(fork)) == (404, "not_found")
    named = await vi.post(f"{project}/snapshots/{snapshot['id']}/fork", {"name": "Mine"})
    assert named.json()["name"] == "Mine"


async def test_a_snapshot_of_another_project_is_missing(meet: Meet) -> None:
    """An id opens nothing in a project it does not belong to."""
    ann = await meet("Ann")
    project, other = await ann.project(), await ann.project()
    snapshot = await saved(ann, project, "A")
    own = await saved(ann, other, "B")
    for path in (f"{other}/snapshots/{snapshot['id']}", f"{other}/snapshots/{nowhere().rsplit('/', 1)[1]}"):
        assert code(await ann.get(path)) == (404, "not_found")
        assert code(await ann.get(f"{path}/compare")) == (404, "not_found")
        assert code(await ann.post(f"{path}/restore")) == (404, "not_found")
        assert code(await ann.post(f"{path}/fork")) == (404, "not_found")
    compared = await ann.get(f"{other}/snapshots/{own['id']}/compare", params={"with": snapshot["id"]})
    assert code(compared) == (404, "not_found")


async def test_a_fork_of_a_name_of_sixty_emoji_is_named_after_it(meet: Meet) -> None:
    """Names are cut in UTF-16 units, as they are judged: 60 emoji are 120 of them."""
    ann = await meet("Ann")
    project = await ann.project("😀" * 60)
    snapshot = await saved(ann, project, "A")
    forked = await ann.post(f"{project}/snapshots/{snapshot['id']}/fork")
    assert (forked.status_code, forked.json()["name"]) == (201, "😀" * 56 + " (fork)")


async def test_one_kind_of_snapshot_is_listed_by_itself(meet: Meet) -> None:
    """Named ones are found however many automatic ones lie above them, a page at a time; an unknown kind is refused."""
    ann = await meet("Ann")
    project = await ann.project()
    named = [await saved(ann, project, f"Take {number}") for number in range(3)]
    for snapshot in named:
        await ann.post(f"{project}/markers", {"tick": 0, "label": "one more"})
        assert (await ann.post(f"{project}/snapshots/{snapshot['id']}/restore")).status_code == 200
    first = (await ann.get(f"{project}/snapshots?kind=named&limit=2")).json()
    rest = (await ann.get(f"{project}/snapshots?kind=named&limit=2&cursor={first['next_cursor']}")).json()
    assert [s["name"] for s in first["items"] + rest["items"]] == ["Take 2", "Take 1", "Take 0"]
    assert rest["next_cursor"] is None
    automatic = (await ann.get(f"{project}/snapshots?kind=automatic")).json()["items"]
    assert [s["kind"] for s in automatic] == ["automatic"] * 3
    assert (await ann.get(f"{project}/snapshots?kind=any")).status_code == 422
