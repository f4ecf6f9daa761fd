"""A bot that writes a drum pattern into a project: bars of MIDI on a track of its own, sections as markers.

    python drum_bot.py http://127.0.0.1:8000/p/<project> <token> [--bars 8] [--from-bar 1]

It plays by the project's own time: signatures decide how long each bar is, swing moves the off-beats, and where the
tempo is above 140 the hi-hat plays eighths instead of sixteenths. A second run replaces the pattern of the first.
"""

import argparse
import asyncio
from collections.abc import Iterator
from typing import Final, NamedTuple

import backline
from backline import PPQ

TRACK: Final = "Drum bot"
KICK, SNARE, HAT, CRASH = 36, 38, 42, 49
STEP: Final = PPQ // 4
FAST_BPM: Final = 140
PHRASE: Final = 4
"""Bars of a section; the last one ends with a fill."""


class Hit(NamedTuple):
    """A drum at a tick of its bar."""

    tick: int
    pitch: int
    vel: float


def pattern(bar: int, ticks: int, beat: int, swing: float, bpm: float) -> Iterator[Hit]:
    """The hits of a bar: `bar` counts from 0, `ticks` is its length, `beat` that of a beat; `swing` 0 to 0.75."""
    if bar % PHRASE == 0:
        yield Hit(0, CRASH, 0.9)
    fill = ticks - beat if bar % PHRASE == PHRASE - 1 else ticks
    for number, tick in enumerate(range(0, fill, beat)):
        yield Hit(tick, SNARE if number % 2 else KICK, 0.85)
    step = STEP * 2 if bpm > FAST_BPM else STEP
    for tick in range(0, fill, step):
        late = round(swing * step / 2) if tick // step % 2 else 0
        yield Hit(tick + late, HAT, 0.5 if tick % beat else 0.7)
    for number, tick in enumerate(range(fill, ticks, STEP)):
        yield Hit(tick, SNARE, 0.5 + 0.1 * number)


def own_track(project: backline.Project) -> backline.Track:
    """The bot's track; what an earlier run left on it goes into the trash, and so do its sections."""
    found = next((track for track in project.tracks if track.name == TRACK), None)
    if found is None:
        return project.tracks.add(name=TRACK, kind="midi", role="drums")
    for clip in project.clips:
        if clip.track == found.id:
            clip.delete()
    for marker in project.markers:
        if marker.label.startswith(TRACK):
            marker.delete()
    return found


def write_bar(project: backline.Project, track: backline.Track, number: int, first: int) -> backline.Clip:
    """One bar of the song (from 1) as a clip with its notes."""
    timeline = project.timeline()
    start = round(timeline.tick_of(number))
    ticks, beat = round(timeline.tick_of(number + 1)) - start, round(timeline.bars(start).beat_ticks)
    clip = project.clips.add(track=track.id, pos=start, out=ticks, name=f"Bar {number}")
    for hit in pattern(number - first, ticks, beat, project.transport.swing, timeline.bpm(start)):
        project.events.add(clip.id, tick=hit.tick, dur=min(STEP, ticks - hit.tick), pitch=hit.pitch, vel=hit.vel)
    return clip


def write(project: backline.Project, first: int, bars: int) -> list[backline.Clip]:
    """The whole pattern in one transaction: others see it appear at once, and one undo takes it back."""
    with project.transaction():
        track = own_track(project)
        clips = [write_bar(project, track, number, first) for number in range(first, first + bars)]
        for number, clip in enumerate(clips):
            if number % PHRASE == 0:
                end = clips[min(number + PHRASE, len(clips)) - 1].end
                label = f"{TRACK} {number // PHRASE + 1}"
                project.markers.add(tick=clip.start, end=end, label=label, kind="section", color=track.color)
    return clips


async def main() -> None:
    """Open, write, wait until it is saved, and say so."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="the project's page, http(s)://host/p/<project>")
    parser.add_argument("token", help="a bearer token of somebody who may edit")
    parser.add_argument("--bars", type=int, default=8)
    parser.add_argument("--from-bar", type=int, default=1, dest="first")
    given = parser.parse_args()
    async with backline.open(given.url, given.token) as project:
        project.present(cursor={"ctx": "timeline", "tick": 0, "track": None, "y": 0})
        clips = write(project, given.first, given.bars)
        await project.saved(within=30)
        seconds, hits = project.timeline().seconds, sum(len(project.events.of(clip.id)) for clip in clips)
        print(
            f"{project.name}: {len(clips)} bars, {hits} hits, "
            f"{seconds(clips[0].start):.2f} s to {seconds(clips[-1].end):.2f} s, saved"
        )


if __name__ == "__main__":
    asyncio.run(main())
