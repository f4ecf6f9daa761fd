"""Python clients beside the page's providers: everybody edits one room at once, and all end equal."""

import asyncio
import json
import random
from contextlib import AsyncExitStack

import backline
from backline import Project
from launch.app import App
from tests.client_python.conftest import Song
from tests.collab_server.peer import until
from tests.provider_peer.peer import Client, Clients, running

PEOPLE = 5
EDITS = 40
KINDS = ("y-websocket-1", "y-websocket-3", "hocuspocus-2", "hocuspocus-4")


async def test_python_y_websocket_and_hocuspocus_clients_end_equal(song: Song, collab: App) -> None:
    """Five Python clients and four of other dialects edit the same and different things: one document for all."""
    async with AsyncExitStack() as stack, running() as node:
        seats = [await song.invite(f"P{number}") for number in range(PEOPLE)]
        projects = [await stack.enter_async_context(backline.open(seat.url, seat.token)) for seat in seats]
        browsers = [await provider(song, collab, node, kind) for kind in KINDS]
        track = projects[0].tracks.add(name="Common")
        await until(lambda: all(track.id in project.tracks for project in projects), "everybody has the track")
        await until(lambda: all_have(browsers, "tracks", track.id), "browsers have the track")
        await asyncio.gather(
            *(musician(project, number, track.id) for number, project in enumerate(projects)),
            *(visitor(browser, kind, track.id) for browser, kind in zip(browsers, KINDS, strict=True)),
        )
        await asyncio.gather(*(project.saved(30) for project in projects))
        await until(lambda: all_equal(song, projects, browsers), "all documents are equal", 30)
        stored = await song.stored()
        for browser in browsers:
            await browser.close()
    assert len(stored["markers"]) == PEOPLE * EDITS // 2 + len(KINDS) * EDITS // 2
    assert {marker["label"].partition("-")[0] for marker in stored["markers"].values()} == {
        *(f"python{number}" for number in range(PEOPLE)),
        *(kind.replace("-", "_") for kind in KINDS),
    }


async def provider(song: Song, collab: App, node: Clients, kind: str) -> Client:
    """One of the page's providers, complete."""
    seat = await song.invite(kind)
    ticket = (await song.ticket(seat))["ticket"]
    url = f"{collab.ws}/{'hocuspocus' if kind.startswith('hocuspocus') else 'y'}"
    client = await node.open(url, song.project, {"token": ticket}, kind=kind)
    await until(lambda: synced(client), kind)
    return client


async def synced(client: Client) -> bool:
    """Whether a provider has everything."""
    return (await client.state()).synced


async def all_have(clients: list[Client], root: str, id: str) -> bool:
    """Whether all providers' documents have an entity."""
    return all([id in (await client.json())[root] for client in clients])


async def musician(project: Project, number: int, track: str) -> None:
    """A Python client's part: markers of its own, and a fader it fights over with everybody."""
    dice = random.Random(number)
    for edit in range(EDITS // 2):
        project.markers.add(tick=edit * 960, label=f"python{number}-{edit}")
        project.tracks[track].gain_db = round(dice.uniform(-60, 6), 1)
        if edit == EDITS // 4:
            project.undo()
            project.redo()
        if dice.random() < 0.3:
            await project.saved(30)


async def visitor(client: Client, kind: str, track: str) -> None:
    """A provider's part, of the same kind."""
    dice = random.Random(kind)
    name = kind.replace("-", "_")
    for edit in range(EDITS // 2):
        marker = f"m_{name.replace('_', '')[-8:]}{edit:04d}".ljust(14, "0")
        await client.edit(
            ["set", "markers", marker, "", {"tick": edit * 960, "label": f"{name}-{edit}"}],
            ["set", "tracks", track, "gain_db", round(dice.uniform(-60, 6), 1)],
        )


async def all_equal(song: Song, projects: list[Project], browsers: list[Client]) -> bool:
    """Whether all hold what is committed."""
    stored = json.dumps(await song.stored(), sort_keys=True)
    ours = [json.dumps(project.json(), sort_keys=True) for project in projects]
    theirs = [json.dumps(await browser.json(), sort_keys=True) for browser in browsers]
    return all(document == stored for document in (*ours, *theirs))
