"""What somebody is told who comes back after working alone: the real client, real Yjs and the real servers."""

import httpx

from launch.app import App
from tests.client.conftest import Song
from tests.client.musician import musician


async def test_s1_whoever_comes_back_is_told_what_was_merged(song: Song, collab: App) -> None:
    """20 tracks made alone and 13 changes of somebody else's meanwhile are counted once, and nothing is dropped."""
    async with musician() as ana, musician() as ben:
        await ana.ask("come", **song.owner._asdict())
        await ana.ask("play", tracks=1)
        await ana.until(lambda state: state["light"] == "saved")
        await ana.ask("leave")
        await ana.ask("play", tracks=20)
        await ben.ask("come", **song.guest._asdict())
        await ben.until(lambda state: state["light"] == "saved")
        await ben.ask("play", tracks=12, bpm=90)
        await ben.ask("play", bpm=91)
        await ben.until(lambda state: state["light"] == "saved")
        await ana.ask("come", **song.owner._asdict())
        told = await ana.until(lambda state: bool(state["merged"]))
        assert told["merged"] == [{"own": 20, "others": 13}]
        assert (told["tracks"], told["bpm"]) == (2 + 1 + 20 + 12, 91)
        await ben.until(lambda state: state["tracks"] == told["tracks"])
        assert (await ben.ask("state"))["merged"] == []
    changes = await history(song)
    assert sum(path.count("/") == 1 for path in changes["Ana"]) == 21
    assert "transport/bpm" in changes["Ben"]


async def test_s1_a_return_without_work_of_ones_own_is_no_news(song: Song, collab: App) -> None:
    """Who only looked is told nothing, however much the others did."""
    async with musician() as ana, musician() as ben:
        for one, who in ((ana, song.owner), (ben, song.guest)):
            await one.ask("come", **who._asdict())
            await one.until(lambda state: state["light"] == "saved")
        await ana.ask("leave")
        await ben.ask("play", tracks=3)
        await ben.until(lambda state: state["light"] == "saved")
        await ana.ask("come", **song.owner._asdict())
        state = await ana.until(lambda state: bool(state["light"] == "saved" and state["tracks"] == 5))
        assert state["merged"] == []


async def history(song: Song) -> dict[str, list[str]]:
    """Every changed path, by author."""
    async with httpx.AsyncClient(base_url=song.owner.api) as http:
        headers = {"Authorization": f"Bearer {song.owner.token}"}
        answer = await http.get(f"/api/projects/{song.owner.project}/history", headers=headers)
    found: dict[str, list[str]] = {}
    for change in answer.json()["items"]:
        if change["origin"] == "edit":
            found.setdefault(change["author"]["name"], []).extend(change["paths"])
    return found
