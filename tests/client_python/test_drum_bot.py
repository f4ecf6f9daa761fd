"""The worked example is run as its readers run it, and what it writes is in the committed document."""

import asyncio
import sys
from pathlib import Path

import backline
from tests.client_python.conftest import Song

CLIENT = Path(__file__).parents[2] / "client" / "python"


async def drum_bot(song: Song, *options: str) -> str:
    """What the bot prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(CLIENT / "examples" / "drum_bot.py"), song.owner.url, song.owner.token, *options),
        env={"PYTHONPATH": str(CLIENT / "src")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        said, told = await process.communicate()
    assert process.returncode == 0, told.decode()
    return said.decode()


async def test_it_writes_a_pattern_on_the_songs_own_grid(song: Song) -> None:
    """Bars follow signatures and tempo: 4/4 at first, 7/8 from the third bar on, the tempo halved from there."""
    async with backline.open(song.owner.url, song.owner.token) as project:
        project.signatures.add(tick=2 * 3840, numerator=7, denominator=8)
        project.tempo.add(tick=2 * 3840, bpm=60)
        await project.saved(10)
        assert "4 bars" in await drum_bot(song, "--bars", "4")
        stored = await song.stored()
        (track,) = (id for id, each in stored["tracks"].items() if each["name"] == "Drum bot")
        clips = sorted((clip["pos"], clip["in"], clip["out"]) for clip in stored["clips"].values())
        assert clips == [(0, 0, 3840), (3840, 0, 3840), (7680, 0, 3360), (11040, 0, 3360)]
        assert {clip["track"] for clip in stored["clips"].values()} == {track}
        lengths = {id: clip["out"] for id, clip in stored["clips"].items()}
        for id, (tick, dur, _, vel) in stored["events"].items():
            assert 0 <= tick < tick + dur <= lengths[id.partition("/")[0]]
            assert 0 < vel <= 1
        (section,) = stored["markers"].values()
        assert (section["tick"], section["end"], section["kind"]) == (0, 14400, "section")


async def test_a_second_run_replaces_the_first(song: Song) -> None:
    """The track is used again, the old pattern is in the trash."""
    await drum_bot(song, "--bars", "4")
    assert "2 bars" in await drum_bot(song, "--bars", "2", "--from-bar", "3")
    async with backline.open(song.owner.url, song.owner.token) as project:
        assert [track.name for track in project.tracks] == ["Drum bot"]
        assert [clip.pos for clip in project.clips] == [7680, 11520]
        assert len(project.clips.trash()) == 4
        assert [marker.tick for marker in project.markers] == [7680]
