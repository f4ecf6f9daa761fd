"""The record of changes."""

from tests.api.people import Meet


async def test_every_change_is_there_once_with_its_author(meet: Meet) -> None:
    """Newest first, by cursor, with who did what."""
    ann = await meet("Ann")
    project = await ann.project()
    ben = await meet("Ben", ann, project)
    for n, one in enumerate((ann, ben, ann, ben)):
        await one.post(f"{project}/markers", {"tick": n, "label": str(n)})
    items, cursor = [], None
    for _ in range(3):
        page = (
            await ann.get(f"{project}/history", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        ).json()
        items += page["items"]
        cursor = page["next_cursor"]
    assert cursor is None
    assert [item["seq"] for item in items] == [5, 4, 3, 2, 1]
    assert [item["author"]["name"] for item in items] == ["Ben", "Ann", "Ben", "Ann", "Ann"]
    assert [item["origin"] for item in items] == ["edit"] * 4 + ["seed"]
    assert all(path.startswith("markers/m_") for path in items[0]["paths"])
