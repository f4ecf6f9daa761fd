"""`python -m launch run --nodes 3`: one studio on three collab servers, which die and are restarted one by one."""

import asyncio
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.collab_server.peer import Peer, until
from tests.launch.support import ROOT, alive, apps_below, environment, launcher, ready, serves

NODES = 3
GUEST = {"name": "Ada"}


class Studio(NamedTuple):
    """A running launcher and its ports for HTTP and websockets."""

    process: subprocess.Popen[str]
    ports: tuple[int, int]

    def nodes(self) -> list[int]:
        """The process ids of the collab servers."""
        return [pid for module, pid in apps_below(self.process.pid) if module == "collab_server"]

    async def song(self) -> "Song":
        """A new guest with a new project."""
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.ports[0]}")
        token = (await client.post("/api/guests", json=GUEST)).json()["token"]
        client.headers["authorization"] = f"Bearer {token}"
        project = (await client.post("/api/projects", json={})).json()["id"]
        return Song(client, project)


class Song(NamedTuple):
    """A project, and whoever is signed in as its owner."""

    client: httpx.AsyncClient
    project: str

    async def peer(self, number: int) -> Peer:
        """A client of the owner's that has joined."""
        ticket = (await self.client.post(f"/api/projects/{self.project}/ticket")).json()
        return await Peer(number, f"{ticket['ws_url']}?token={ticket['ticket']}").join()


@pytest.fixture(scope="module")
def studio(scratch: Path, free_ports: Callable[[], int]) -> Iterator[Studio]:
    """A studio of three nodes, stopped cleanly at the end."""
    ports = free_ports(), free_ports()
    with launcher(scratch / "many", ports, ("--nodes", str(NODES))) as process:
        ready(process, ports)
        yield Studio(process, ports)


def heard(studio: Studio, words: str) -> str:
    """The next line of the launcher's stderr that has these words."""
    assert studio.process.stderr is not None
    while words not in (line := studio.process.stderr.readline()):
        assert line
    return line


async def test_members_on_three_nodes_share_a_song(studio: Studio) -> None:
    """Three members of a project come to three nodes, and what one edits the others see and the journal keeps."""
    song = await studio.song()
    peers = [await song.peer(number) for number in (101, 102, 103)]
    counts = [connections_of(pid) for pid in studio.nodes()]
    assert counts == [1, 1, 1]
    peers[0].put("transport", "bpm", 98)
    await peers[0].saved()
    await peers[0].same(*peers[1:])
    assert (await song.client.get(f"/api/projects/{song.project}/document")).json()["transport"]["bpm"] == 98
    for peer in peers:
        await peer.leave()
    await song.client.aclose()


async def test_a_killed_node_takes_its_own_members_alone_and_comes_back(studio: Studio) -> None:
    """kill -9 of a node: one of three is cut off and can return at once, and the launcher starts the node again."""
    song = await studio.song()
    peers = [await song.peer(number) for number in (201, 202, 203)]
    victim = studio.nodes()[0]
    os.kill(victim, signal.SIGKILL)
    await until(lambda: any(peer.closed for peer in peers))
    (lost,) = [peer for peer in peers if peer.closed]
    await lost.join()
    lost.put("transport", "bpm", 77)
    await lost.saved()
    await lost.same(*peers)
    assert "ended with exit code -9: it is started again" in heard(studio, "node 1")
    await until(lambda: len(studio.nodes()) == NODES and victim not in studio.nodes())
    for peer in peers:
        await peer.leave()
    await song.client.aclose()


async def test_sighup_restarts_one_node_after_the_other(studio: Studio) -> None:
    """After SIGHUP every node is another process; whoever returns at 1012 finds a node at once, and no edit is lost."""
    song = await studio.song()
    peers = [await song.peer(number) for number in (301, 302, 303)]
    before = studio.nodes()
    studio.process.send_signal(signal.SIGHUP)
    codes, made = [], 0
    while any(map(alive, before)) or len(studio.nodes()) < NODES:
        for peer in peers:
            if peer.closed:
                codes.append(peer.closed[0])
                await peer.join()
        peers[made % 3].marker(f"m_{made:012}", made, "Verse")
        made += 1
        await asyncio.sleep(0.05)
    assert "done" in heard(studio, "the rolling restart")
    for peer in peers:
        if peer.closed:
            await peer.join()
        await peer.saved()
    await peers[0].same(*peers[1:])
    stored = (await song.client.get(f"/api/projects/{song.project}/document")).json()
    assert set(stored["markers"]) == {f"m_{number:012}" for number in range(made)}
    assert codes
    assert set(codes) <= {1012, 4503}
    assert set(before).isdisjoint(studio.nodes())
    for peer in peers:
        await peer.leave()
    await song.client.aclose()


async def test_a_killed_balancer_comes_back(studio: Studio) -> None:
    """kill -9 of the balancer: it is started again on its port, and the nodes stay as they are."""
    nodes = studio.nodes()
    (victim,) = [pid for module, pid in apps_below(studio.process.pid) if module == "launch.balancer"]
    os.kill(victim, signal.SIGKILL)
    await until(lambda: not alive(victim) and serves(studio.ports[1]))
    assert studio.nodes() == nodes


def test_it_stops_in_order(studio: Studio) -> None:
    """SIGTERM: exit code 0, nothing of it runs, and nobody said anything but that it stops."""
    apps = apps_below(studio.process.pid)
    assert sorted(module for module, _ in apps) == ["api", *["collab_server"] * NODES, "launch.balancer"]
    studio.process.terminate()
    _, stderr = studio.process.communicate(timeout=60)
    assert studio.process.returncode == 0
    assert stderr.splitlines()[-1] == "backline: stopping"
    assert not any(alive(pid) for _, pid in apps)


async def test_a_closed_terminal_stops_it(scratch: Path, free_ports: Callable[[], int]) -> None:
    """The SIGHUP of a terminal that is closed is no rolling restart: nothing of it runs afterwards."""
    ports = free_ports(), free_ports()
    options = ["--data", str(scratch / "many"), "--http", str(ports[0]), "--ws", str(ports[1])]
    command = [sys.executable, "-P", "-m", "launch", "run", *options]
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the suite itself may run under nohup
        os.execve(command[0], command, environment(PYTHONPATH=str(ROOT)))
    await until(lambda: serves(ports[0]) and serves(ports[1]), seconds=60)
    apps = apps_below(pid)
    assert len(apps) == 2
    os.close(terminal)
    _, status = await asyncio.to_thread(os.waitpid, pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert not any(alive(number) for _, number in apps)


@pytest.mark.parametrize("number", ["0", "9", "two"])
def test_a_wrong_number_of_nodes_is_refused(number: str) -> None:
    """--nodes takes 1 to 8, and says so."""
    command = [sys.executable, "-P", "-m", "launch", "run", "--nodes", number]
    done = subprocess.run(command, env=environment(PYTHONPATH=str(ROOT)), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "not a number of nodes from 1 to 8" in done.stderr


def connections_of(node: int) -> int:
    """How many websockets the node has, as it says itself."""
    command = Path(f"/proc/{node}/environ").read_bytes().split(b"\0")
    (port,) = [int(entry.partition(b"=")[2]) for entry in command if entry.startswith(b"COLLAB__PORT=")]
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    (value,) = [line.split()[-1] for line in text.splitlines() if line.startswith("backline_connections ")]
    return int(float(value))
