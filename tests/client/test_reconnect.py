"""What the client does when a connection ends: the real client, tickets of the real API, and a server that hangs up."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from launch.app import App
from tests.client.conftest import Song
from tests.client.musician import Musician, musician


class Porter:
    """Takes everybody in and sends them away with a close code, noting when they came and with which ticket."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.came: list[float] = []
        self.tickets: list[str] = []
        self.url = ""

    async def __call__(self, visitor: ServerConnection) -> None:
        assert visitor.request is not None
        self.came.append(time.monotonic())
        self.tickets.append(visitor.request.path.partition("token=")[2].partition("&")[0])
        await visitor.close(self.code)


@asynccontextmanager
async def porter(code: int) -> AsyncIterator[Porter]:
    """A porter at a port of their own."""
    made = Porter(code)
    async with serve(made, "127.0.0.1", 0) as server:
        made.url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/y"
        yield made


async def until(porter: Porter, visits: int) -> None:
    """Wait until so many came."""
    async with asyncio.timeout(30):
        while len(porter.came) < visits:  # noqa: ASYNC110  (they come from another process)
            await asyncio.sleep(0.02)


async def sent_to(client: Musician, song: Song, porter: Porter) -> None:
    """The client goes to the porter."""
    await client.ask("come", **song.owner._asdict(), ws=porter.url)


@pytest.mark.parametrize("code", [1012, 4503])
async def test_a_server_that_goes_is_tried_again_ever_less_often(song: Song, code: int) -> None:
    """Each time with a new ticket; the pauses grow, whatever chance does to them."""
    async with porter(code) as door, musician() as ana:
        await sent_to(ana, song, door)
        await until(door, 5)
        pauses = [after - before for before, after in zip(door.came, door.came[1:], strict=False)]
        assert all(one < 0.5 * 2**number + 1 for number, one in enumerate(pauses))
        assert pauses[3] > 0.4
        assert len(set(door.tickets)) == len(door.tickets)
        assert (await ana.ask("state"))["over"] is None


async def test_4401_gets_a_new_ticket_and_is_given_up_after_some(song: Song) -> None:
    """A stale ticket is replaced; a server that takes none is not asked for ever."""
    async with porter(4401) as door, musician() as ana:
        await sent_to(ana, song, door)
        state = await ana.until(lambda state: state["over"] is not None)
        assert "signed in" in state["over"]
        assert len(set(door.tickets)) == len(door.came) == state["tickets"] == 3


@pytest.mark.parametrize(("code", "word"), [(4400, "refused"), (4413, "too large"), (4403, "refused")])
async def test_what_is_refused_for_its_content_is_not_sent_again(song: Song, code: int, word: str) -> None:
    """The work is to be put aside. 4403 to somebody who still belongs to the project is such a case."""
    async with porter(code) as door, musician() as ana:
        await sent_to(ana, song, door)
        state = await ana.until(lambda state: state["refused"] is not None)
        assert word in state["refused"]
        assert (len(door.came), state["over"]) == (1, None)


async def test_4404_is_the_end(song: Song) -> None:
    """One sentence, and no second attempt."""
    async with porter(4404) as door, musician() as ana:
        await sent_to(ana, song, door)
        state = await ana.until(lambda state: state["over"] is not None)
        assert "does not exist" in state["over"]
        assert (len(door.came), state["light"]) == (1, "offline")


async def test_4409_asks_for_the_new_document(song: Song) -> None:
    """Nothing is sent again under the old one."""
    async with porter(4409) as door, musician() as ana:
        await sent_to(ana, song, door)
        state = await ana.until(lambda state: state["epoch"] == 1)
        assert (len(door.came), state["over"]) == (1, None)


async def test_4429_comes_back_but_not_soon(song: Song) -> None:
    """Too much at once is no reason to lose anybody, and none to hurry."""
    async with porter(4429) as door, musician() as ana:
        await sent_to(ana, song, door)
        await until(door, 2)
        assert door.came[1] - door.came[0] > 0.35


async def test_s13_a_restart_finds_everybody_again(song: Song, collab: App) -> None:
    """The server stops with 1012 under two clients; both come back by themselves, with what one did meanwhile."""
    async with musician() as ana, musician() as ben:
        for one, who in ((ana, song.owner), (ben, song.guest)):
            await one.ask("come", **who._asdict())
            await one.until(lambda state: state["light"] == "saved")
        await collab.stop()
        await ana.until(lambda state: state["light"] == "offline")
        await ana.ask("play", tracks=2)
        await collab.start()
        for one in (ana, ben):
            await one.until(lambda state: bool(state["light"] == "saved" and state["tracks"] == 4))
