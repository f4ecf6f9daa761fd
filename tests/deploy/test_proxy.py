"""The Caddyfile, run by Caddy itself before three collab servers and the HTTP app."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from websockets.asyncio.client import connect

from collab_server.door import PUBLIC
from launch.app import App
from studio.transport import Mode
from tests.collab_server.control.musician import Musician
from tests.collab_server.peer import Peer, until
from tests.deploy.support import DEPLOY, ROOT

INSIDE = ("/metrics", "/ready", "/live", "/operator/")


class Site(NamedTuple):
    """What stands behind the proxy, and a client that is signed in through it."""

    address: str
    nodes: list[App]
    client: httpx.AsyncClient

    async def project(self) -> str:
        """A new project."""
        return str((await self.client.post("/api/projects", json={})).json()["id"])

    @property
    def sockets(self) -> str:
        """Where websockets are asked for."""
        return self.address.replace("http", "ws", 1)

    async def ticket(self, project: str) -> str:
        """A ticket for one handshake."""
        return str((await self.client.post(f"/api/projects/{project}/ticket")).json()["ticket"])

    async def peer(self, project: str, number: int) -> Peer:
        """A member who comes through the proxy."""
        return await Peer(number, f"{self.sockets}/y/{project}?token={await self.ticket(project)}").join()

    async def musician(self, project: str) -> Musician:
        """A member's control socket through the proxy."""
        return await Musician(f"{self.sockets}/ctl/{project}?token={await self.ticket(project)}").join()


@pytest.fixture(scope="module")
async def nodes(
    app_environment: dict[str, str], free_ports: Callable[[], int], scratch: Path
) -> AsyncIterator[list[App]]:
    """Three collab servers."""
    ports = [free_ports() for _ in range(3)]
    apps = [
        App("collab_server", port, {**app_environment, "COLLAB__PORT": str(port)}, scratch / f"node-{port}.log")
        for port in ports
    ]
    await asyncio.gather(*(app.start() for app in apps))
    yield apps
    await asyncio.gather(*(app.stop() for app in apps))


@pytest.fixture(scope="module")
async def site(nodes: list[App], api_server: App, free_ports: Callable[[], int], scratch: Path) -> AsyncIterator[Site]:
    """Caddy with the Caddyfile of the deployment."""
    port = free_ports()
    address = f"http://127.0.0.1:{port}"
    environment = {
        "HOME": str(scratch),
        "SITE_ADDRESS": address,
        "CADDY_ADMIN": f"127.0.0.1:{free_ports()}",
        "COLLAB_UPSTREAMS": " ".join(f"127.0.0.1:{node.port}" for node in nodes),
        "API_UPSTREAMS": f"127.0.0.1:{api_server.port}",
    }
    caddy = Path(sys.executable).with_name("caddy")
    command = [str(caddy), "run", "--adapter", "caddyfile", "--config", str(DEPLOY / "Caddyfile")]
    with (scratch / "caddy.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=log, stderr=log)
    try:
        async with httpx.AsyncClient(base_url=address) as client:
            await until(lambda: _guest(client), "Caddy serves", 30)
            yield Site(address, nodes, client)
    finally:
        process.terminate()
        async with asyncio.timeout(20):
            assert await process.wait() == 0


async def _guest(client: httpx.AsyncClient) -> bool:
    try:
        answer = await client.post("/api/guests", json={"name": "Ada"})
    except httpx.TransportError:
        return False
    if answer.status_code == 201:
        client.headers["authorization"] = f"Bearer {answer.json()['token']}"
    return answer.status_code == 201


async def test_members_meet_through_the_proxy(site: Site) -> None:
    """Three members are spread over three nodes by their number of connections, and see each other's edits."""
    project = await site.project()
    peers = [await site.peer(project, number) for number in (11, 12, 13)]
    counts = [await connections(node) for node in site.nodes]
    assert counts == [1, 1, 1]
    peers[0].put("transport", "bpm", 101)
    await peers[0].saved()
    await peers[0].same(*peers[1:])
    for peer in peers:
        await peer.leave()


def test_every_path_of_the_collab_server_is_decided_about() -> None:
    """Whatever the door answers is either passed by the proxies or closed by them."""
    door = (ROOT / "collab_server" / "door.py").read_text()
    assert set(re.findall(r'"(/[a-z/]+)"', door)) == {*PUBLIC, *INSIDE}


@pytest.mark.parametrize("path", PUBLIC)
async def test_what_is_public_reaches_a_collab_server(site: Site, path: str) -> None:
    """A websocket is opened there, which the HTTP app never does."""
    async with connect(f"{site.sockets}{path}{'0' if path.endswith('/') else ''}"):
        pass


async def test_musicians_play_together_through_the_proxy(site: Site) -> None:
    """What one of them plays starts for the other."""
    project = await site.project()
    a, b = await site.musician(project), await site.musician(project)
    assert (await a.ask("play"))["t"] == "ack"
    await until(lambda: b.state.mode is Mode.PLAYING)
    for musician in (a, b):
        await musician.leave()


async def test_what_is_for_operators_stays_inside(site: Site) -> None:
    """Metrics and health are 404 for the world, the API's description is not."""
    for path in ("/metrics", "/ready", "/live", "/operator/rooms"):
        assert (await site.client.get(path)).status_code == 404
    assert (await site.client.get("/api/openapi.json")).status_code == 200


async def test_a_restarted_node_is_left_and_used_again(site: Site) -> None:
    """Of three members one is told to come back (1012), and finds another node at once; the node is used again."""
    project = await site.project()
    peers = [await site.peer(project, number) for number in (21, 22, 23)]
    await site.nodes[0].stop()
    await until(lambda: any(peer.closed for peer in peers))
    (sent_back,) = [peer for peer in peers if peer.closed]
    assert sent_back.closed is not None
    assert sent_back.closed[0] == 1012
    await sent_back.join()
    sent_back.put("transport", "bpm", 64)
    await sent_back.saved()
    await sent_back.same(*peers)
    await site.nodes[0].start()

    async def used() -> bool:
        peer = await site.peer(project, 24)
        there = await connections(site.nodes[0])
        await peer.leave()
        return there == 1

    await until(used)
    for peer in peers:
        await peer.leave()


async def connections(node: App) -> int:
    """How many websockets a node has, as it says itself."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{node.http}/metrics")).text
    (value,) = [line.split()[-1] for line in text.splitlines() if line.startswith("backline_connections ")]
    return int(float(value))
