"""Connections break: what was edited meanwhile is kept, merged and saved, or a typed error says what was not."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

import backline
from launch.app import App
from tests.client_python.conftest import Seat, Song
from tests.collab_server.peer import until
from tests.conftest import unused_port
from tests.faults.chaos import Chaos, chaos


@pytest.fixture(scope="module")
async def line(app_environment: dict[str, str]) -> AsyncIterator[Chaos]:
    """What all clients of this module go through to the collab server: the API names it as the server's address."""
    async with chaos(int(app_environment["COLLAB__PORT"]), random.Random(1)) as proxy:
        app_environment["COLLAB__PUBLIC_URL"] = f"ws://127.0.0.1:{proxy.port}"
        yield proxy


@pytest.fixture
async def song(line: Chaos, song: Song) -> Song:
    """A project behind the line."""
    return song


@pytest.fixture(scope="module")
async def api_server(line: Chaos, api_server: App) -> App:
    """The API, started when it can name the line."""
    return api_server


class Cable:
    """The line, unplugged and plugged in again."""

    def __init__(self, line: Chaos) -> None:
        self._line, self._upstream = line, line.upstream

    def pull(self) -> None:
        """Nobody gets through."""
        self._line.upstream = unused_port()
        self._line.cut()

    def plug(self) -> None:
        """New connections get through."""
        self._line.upstream = self._upstream


@pytest.fixture
async def cable(line: Chaos) -> AsyncIterator[Cable]:
    """Plugged in again after the test."""
    made = Cable(line)
    yield made
    made.plug()


async def test_offline_edits_are_kept_and_merged(song: Song, cable: Cable) -> None:
    """Both edit while one is cut off; afterwards both have both, and saved() has waited for it."""
    guest = await song.invite("Ben")
    async with backline.open(song.owner.url, song.owner.token) as mine:
        track = mine.tracks.add(name="Keys")
        await mine.saved(10)
        cable.pull()
        await until(lambda: not mine.connected, "cut off")
        track.name = "Piano"
        mine.markers.add(tick=0, label="offline")
        with pytest.raises(backline.NotSaved) as caught:
            await mine.saved(0.2)
        assert f"tracks/{track.id}/name" in caught.value.places
        assert len(caught.value.edits) == len(mine.unsaved) == 2
        cable.plug()
        async with backline.open(guest.url, guest.token) as theirs:
            theirs.tracks[track.id].gain_db = -9
            await theirs.saved(10)
            await mine.saved(20)
            await until(lambda: track.gain_db == -9, "merged here")
            await until(lambda: theirs.tracks[track.id].name == "Piano", "merged there")
        stored = await song.stored()
    assert [marker["label"] for marker in stored["markers"].values()] == ["offline"]
    assert (stored["tracks"][track.id]["name"], stored["tracks"][track.id]["gain_db"]) == ("Piano", -9)


async def test_many_cuts_lose_nothing(song: Song, line: Chaos) -> None:
    """Cut again and again while it edits: in the end every edit is in the journal, once."""
    async with backline.open(song.owner.url, song.owner.token) as project:
        for number in range(60):
            project.markers.add(tick=number, label=str(number))
            if number % 20 == 10:
                line.cut()
                await until(lambda: not project.connected, "cut")
                await until(lambda: project.connected, "back")
        await project.saved(30)
        stored = await song.stored()
    assert sorted(int(marker["label"]) for marker in stored["markers"].values()) == list(range(60))


async def test_leaving_offline_says_what_was_not_saved(song: Song, cable: Cable) -> None:
    """The block's end waits its time and raises NotSaved with the places and the update, which another may merge."""
    with pytest.raises(backline.NotSaved) as caught:
        await cut_off(song, cable, None)
    assert caught.value.places == ("transport/bpm",)
    assert len(caught.value.update) > 2
    assert (await song.stored())["transport"]["bpm"] == 120


async def test_another_exception_stays_and_tells_what_was_not_saved(song: Song, cable: Cable) -> None:
    """What the script raised leaves the block, with a note about the unsaved edit."""
    with pytest.raises(ZeroDivisionError) as caught:
        await cut_off(song, cable, ZeroDivisionError())
    assert caught.value.__notes__ == ["1 edit was not saved: transport/bpm"]


async def cut_off(song: Song, cable: Cable, error: Exception | None) -> None:
    """Edit without a connection, then leave, perhaps by an exception."""
    async with backline.open(song.owner.url, song.owner.token, save_within=0.3) as project:
        cable.pull()
        await until(lambda: not project.connected, "cut off")
        project.transport.bpm = 77
        if error is not None:
            raise error


async def test_nobody_there_is_unreachable(song: Song, cable: Cable) -> None:
    """Without a server open() gives up after its time and says why; a new one later works."""
    cable.pull()
    with pytest.raises(backline.Unreachable):
        async with backline.open(song.owner.url, song.owner.token, connect_within=0.5):
            raise AssertionError("nobody is there")
    cable.plug()
    async with asyncio.timeout(20), backline.open(song.owner.url, song.owner.token) as project:
        assert project.name == "Song"


async def test_a_restarted_server_is_come_back_to(song: Song, collab: App) -> None:
    """A server that stops for a restart says so; the client comes back by itself, with its edits."""
    async with backline.open(song.owner.url, song.owner.token) as project:
        await collab.stop()
        await until(lambda: not project.connected, "gone")
        project.transport.bpm = 99
        await collab.start()
        await project.saved(30)
        stored = await song.stored()
    assert stored["transport"]["bpm"] == 99


async def test_commands_wait_for_the_connection_and_are_carried_out_once(song: Song, cable: Cable) -> None:
    """Given while cut off: Unanswered for who does not wait, else carried out when the line is back, in order."""
    guest = await song.invite("Ben")
    async with (
        backline.open(song.owner.url, song.owner.token) as project,
        project.playback() as mine,
    ):
        await mine.play(at=0)
        cable.pull()
        await until(lambda: not mine.connected, "cut off")
        assert mine.playing(mine.state.t0 + 1000), "the last state goes on"
        with pytest.raises(backline.Unanswered):
            await mine.stop(within=0.3)
        waiting = [asyncio.create_task(mine.seek(number * 960, within=30)) for number in range(5)]
        await asyncio.sleep(0)
        cable.plug()
        async with backline.open(guest.url, guest.token) as theirs, theirs.playback() as other:
            await asyncio.gather(*waiting)
            await until(lambda: other.state == mine.state, "both know the same")
            assert (mine.state.pos0, mine.state.cause) == (4 * 960, "seek")
            assert (await other.stop()).mode == "stopped"


async def test_many_cuts_carry_out_every_command_once(song: Song, line: Chaos) -> None:
    """Cut again and again under commands: the states of another listener have each seek once, in order."""
    async with (
        backline.open(song.owner.url, song.owner.token) as project,
        project.playback() as mine,
        project.playback() as other,
    ):
        for number in range(1, 21):
            seeking = asyncio.create_task(mine.seek(number, within=30))
            if number % 10 == 5:
                await asyncio.sleep(0)
                line.cut()
            assert (await seeking).pos0 == number
        await until(lambda: other.connected and other.state == mine.state, "heard")
        assert mine.state.seq == 21, "the first state has number 1"


async def test_a_restarted_server_leads_anew(song: Song, collab: App) -> None:
    """After a restart there is a new reign, stopped where it was; what was meant for the old one is stale."""
    async with backline.open(song.owner.url, song.owner.token) as project, project.playback() as mine:
        before = await mine.seek(9600)
        await collab.stop()
        await until(lambda: not mine.connected, "gone")
        stopping = asyncio.create_task(mine.play(given=before, within=30))
        await collab.start()
        with pytest.raises(backline.Stale) as caught:
            await stopping
        assert caught.value.state == mine.state
        assert (mine.state.mode, mine.state.pos0, mine.state.cause) == ("stopped", 9600, "restart")
        assert mine.state.epoch != before.epoch
        assert (await mine.play()).pos0 == 9600
        assert not mine.clock().stale


async def test_who_may_no_longer_write_hears_that_offline_work_was_not_saved(song: Song, cable: Cable) -> None:
    """Demoted while cut off: saved() raises NotSaved because of NotAllowed, and others never see the work."""
    guest = await song.invite("Ben")
    with pytest.raises(backline.NotSaved) as caught:
        await demoted(song, cable, guest)
    assert isinstance(caught.value.__cause__, backline.NotAllowed)
    assert caught.value.places == ("transport/bpm",)
    assert (await song.stored())["transport"]["bpm"] == 120


async def demoted(song: Song, cable: Cable, guest: Seat) -> None:
    """Edit without a connection, come back as a viewer, and wait for the block's end to save."""
    async with backline.open(guest.url, guest.token, save_within=20) as project:
        cable.pull()
        await until(lambda: not project.connected, "cut off")
        project.transport.bpm = 66
        await song.order("PATCH", f"/members/{guest.id}", {"role": "viewer"})
        cable.plug()
