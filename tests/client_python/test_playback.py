"""The shared transport from a script: heard, commanded, refused, with real servers."""

import asyncio
from collections.abc import AsyncIterator

import pytest

import backline
from backline import Playback, Playing, Project
from tests.client_python.conftest import Seat, Song
from tests.collab_server.peer import until


@pytest.fixture
async def project(song: Song) -> AsyncIterator[Project]:
    """The owner's view of a new project."""
    async with backline.open(song.owner.url, song.owner.token) as opened:
        yield opened


@pytest.fixture
async def mine(project: Project) -> AsyncIterator[Playback]:
    """Its transport."""
    async with project.playback(follow=True) as playback:
        yield playback


async def test_everybody_plays_the_same(song: Song, mine: Playback) -> None:
    """What one starts the other hears, at the same tick of the same clock; who stops it says where it stands."""
    guest = await song.invite("Ben")
    async with backline.open(guest.url, guest.token) as project, project.playback() as theirs:
        assert (mine.state.mode, mine.state.cause, mine.playing()) == ("stopped", "restart", False)
        started = await mine.play(at=960)
        assert (started.mode, started.pos0, started.by) == ("playing", 960, song.owner.id)
        await until(lambda: theirs.state == started, "heard")
        assert mine.position(started.t0 - 1) == 960
        await until(theirs.playing, "it is due")
        assert abs(mine.now() - theirs.now()) < mine.clock().bound + theirs.clock().bound + 5
        assert mine.position(started.t0 + 5000) == theirs.position(started.t0 + 5000) == 960 + 10 * 960
        stopped = await theirs.stop(at=1920.5)
        assert (stopped.mode, stopped.pos0, stopped.by) == ("stopped", 1920.5, guest.id)
        await until(lambda: mine.state == stopped, "heard here")
        assert mine.position() == 1920.5


async def test_the_clock_is_known_when_the_block_begins(mine: Playback) -> None:
    """A burst of round trips has told the time, and how far it may be off."""
    report = mine.clock()
    assert 0 < report.bound < 50
    assert not report.stale
    before = [mine.now() for _ in range(100)]
    assert before == sorted(before)


async def test_commands_for_another_state_are_stale(mine: Playback) -> None:
    """With the state that was seen the first command wins; the other does nothing and has the present state."""
    seen = mine.state
    playing = await mine.play(given=seen)
    with pytest.raises(backline.Stale) as caught:
        await mine.stop(given=seen)
    assert caught.value.state == mine.state == playing
    assert (await mine.stop(given=playing)).mode == "stopped"


async def test_commands_are_absolute(mine: Playback) -> None:
    """Playing what plays and stopping what stands changes nothing; seek, loop and rate say what shall be."""
    playing = await mine.play(at=0)
    assert await mine.play() == playing
    looped = await mine.loop(960, 4800)
    assert (looped.loop, looped.mode) == ((True, 960, 4800), "playing")
    assert (await mine.rate(1.5)).rate == 1.5
    sought = await mine.seek(3840)
    assert (sought.pos0, sought.cause, sought.mode) == (3840, "seek", "playing")
    assert mine.position(sought.t0 + 60_000) < 4800
    stopped = await mine.stop()
    assert await mine.stop() == stopped
    assert (await mine.loop(960, 4800, on=False)).loop.on is False


async def test_a_count_in_comes_before_it_plays(project: Project, mine: Playback) -> None:
    """Asked for, or set in the project, bars are counted first: until then it stands."""
    state = await mine.play(at=960, count_in=1)
    assert (state.mode, state.count_in_ms) == ("counting_in", 2000)
    assert state.mode_at(state.t0) == "playing"
    assert mine.position(state.t0 - 1) == 960
    await mine.stop()
    project.transport.count_in = 2
    await project.saved(10)

    async def counts_in() -> bool:
        await mine.stop()
        return (await mine.play()).count_in_ms == 4000

    await until(counts_in, "as the project is set")


async def test_the_documents_tempo_moves_what_plays(project: Project, mine: Playback) -> None:
    """An edit of the tempo while it plays is a new state whose map came along: nobody jumps."""
    before = await mine.play(at=0)
    project.transport.bpm = 60
    await until(lambda: mine.state.cause == "tempo", "told")
    after = mine.state
    assert after.tempo_rev != before.tempo_rev
    assert mine.timeline().bpm(0) == 60
    assert after.pos0 == pytest.approx((after.t0 - before.t0) / 1000 * 2 * 960, abs=0.01)
    assert mine.position(after.t0 + 1000) == pytest.approx(after.pos0 + 960, abs=0.01)


async def test_states_are_followed_in_order(song: Song, mine: Playback) -> None:
    """Async iteration begins with the state as it is and has every later one, whoever caused it; leaving ends it."""
    guest = await song.invite("Ben")
    async with backline.open(guest.url, guest.token) as project, project.playback() as theirs:
        heard: list[Playing] = []
        reading = asyncio.create_task(read(theirs, heard))
        await until(lambda: heard, "the present one")
        for number in range(5):
            await mine.play(at=number * 960)
            await mine.stop()
        await until(lambda: heard[-1] == mine.state, "the last one")
        first = heard[0].seq
        assert [state.seq for state in heard] == list(range(first, first + 11))
        assert [state.cause for state in heard[1:3]] == ["play", "stop"]
    async with asyncio.timeout(5):
        await reading
    with pytest.raises(backline.Closed):
        await theirs.play()


async def read(playback: Playback, heard: list[Playing]) -> None:
    """Follow until the end."""
    async for state in playback.states():
        heard.append(state)


async def test_who_may_not_command_listens(song: Song, mine: Playback) -> None:
    """A viewer hears everything and is refused with NotAllowed; with another role it commands."""
    guest = await song.invite("Vi", "viewer")
    async with backline.open(guest.url, guest.token) as project, project.playback() as theirs:
        assert (theirs.role, theirs.may_command) == ("viewer", False)
        with pytest.raises(backline.NotAllowed):
            await theirs.play()
        playing = await mine.play()
        await until(lambda: theirs.state == playing, "heard")
        await song.order("PATCH", f"/members/{guest.id}", {"role": "editor"})
        await until(lambda: theirs.may_command, "promoted")
        assert (await theirs.stop()).by == guest.id


async def test_what_means_nothing_is_refused_before_it_is_sent(mine: Playback) -> None:
    """Places before the beginning, loops without length, odd rates and counts: InvalidValue, and nothing happens."""
    before = mine.state
    for wrong in (
        mine.play(at=-1),
        mine.play(at=float("nan")),
        mine.play(count_in=5),
        mine.stop(at=2.0**40),
        mine.seek(float("inf")),
        mine.loop(960, 960),
        mine.rate(0),
    ):
        with pytest.raises(backline.InvalidValue):
            await wrong
    assert mine.state == before
    with pytest.raises(backline.CommandRefused) as caught:
        await mine._command("toggle", {}, None, 5)
    assert caught.value.code == "invalid"


async def test_more_than_the_rate_are_given_again(mine: Playback) -> None:
    """Two hundred seeks at once: the server refuses some, the client repeats them later, and all are carried out."""
    async with asyncio.timeout(60):
        states = await asyncio.gather(*(mine.seek(number, within=50) for number in range(200)))
    assert len(states) == 200
    assert mine.control.last_trouble == "no attempt was made", "it never had to come back"
    assert 0 <= mine.position() < 200


async def test_a_ticket_is_enough(song: Song) -> None:
    """ws_url and ticket open the control socket too."""
    ticket = await song.ticket(song.owner)
    async with backline.open(ticket["ws_url"], ticket["ticket"]) as project, project.playback() as playback:
        assert (await playback.play()).mode == "playing"


async def test_the_end_of_access_ends_it(song: Song) -> None:
    """Removed: streams and commands raise NotAllowed; the same for a project that is deleted, with NoSuchProject."""
    guest = await song.invite("Ben")
    await ended(song, guest, f"/members/{guest.id}", backline.NotAllowed)
    await ended(song, song.owner, "", backline.NoSuchProject)


async def ended(song: Song, seat: Seat, path: str, error: type[backline.Refused]) -> None:
    """Open the transport, delete something, and hear what it means."""
    async with backline.open(seat.url, seat.token) as project, project.playback() as playback:
        await song.order("DELETE", path)
        async with asyncio.timeout(20):
            with pytest.raises(error):
                await read(playback, [])
        assert isinstance(playback.over, error)
        with pytest.raises(error):
            await playback.play()


async def test_who_is_refused_at_the_door_hears_why(song: Song, project: Project) -> None:
    """No playback begins in a project that is no more."""
    await song.order("DELETE", "")
    with pytest.raises(backline.NoSuchProject):
        async with project.playback():
            raise AssertionError("nobody is let in")
