"""The simpler lives: cursors only, everybody at once, the line that breaks, a rate that is kept."""

import asyncio
import time
from itertools import cycle

from loadtest.evening import POINTER_HZ, evening
from loadtest.person import Person
from loadtest.song import Song
from loadtest.stage import Stage

EDIT_EVERY = 5.0  # seconds, where edits are not the point
TICK = 0.005
MOST_AT_ONCE = 2000  # edits


async def presence(stage: Stage, person: Person) -> None:
    """A cursor that never rests, and an edit now and then, so that there is something to verify."""
    await asyncio.sleep(stage.rng.uniform(0, min(3.0, stage.job.duration * 0.1)))
    await person.arrive()
    step = stage.rng.randrange(1000)
    edits = round(EDIT_EVERY * POINTER_HZ)
    while True:
        step += 1
        person.show(cursor={"ctx": "timeline", "tick": step * 40, "track": "master"}, sel=[])
        if step % edits == 0:
            turn_fader(person, step)
        await stage.pause(1 / POINTER_HZ)


async def storm(stage: Stage, person: Person) -> None:
    """Everybody comes in the same moment, edits once, stays a little and goes; again and again."""
    wave = 0
    while True:
        await person.arrive()
        wave += 1
        turn_fader(person, wave)
        await asyncio.sleep(max(0.0, stage.to_next_beat() - 1.0))
        await person.leave()
        await asyncio.sleep(stage.to_next_beat())


async def reconnects(stage: Stage, person: Person) -> None:
    """Steady work, and every few seconds all lines break at once."""
    await person.arrive()
    while True:
        quiet = stage.to_next_beat()
        calm = time.monotonic() + quiet
        while time.monotonic() < calm:
            turn_fader(person, int(time.monotonic() * 10))
            await asyncio.sleep(min(1.0, max(0.01, calm - time.monotonic())))
        person.cut()
        await person.come_back()


async def stay(stage: Stage, person: Person) -> None:
    """Come and keep quiet: others drive."""
    await asyncio.sleep(stage.rng.uniform(0, min(5.0, stage.job.duration * 0.1)))
    await person.arrive()


async def mixed(stage: Stage, person: Person) -> None:
    """Most rooms of a platform are open and quiet, some live, a few are busy."""
    kind = stage.rooms.index(person.room) % 10
    if kind == 0:
        await presence(stage, person)
    elif kind <= 3:
        await evening(stage, person)
    else:
        await stay(stage, person)
        while True:
            await stage.wait(20, 60)
            turn_fader(person, stage.rng.randrange(1000))


async def keep_rate(stage: Stage) -> None:
    """Edits leave at `stage.rate` a second, dealt over everybody who is in; what cannot be sent in time is made up."""
    turns, last, owed, step = cycle(range(len(stage.people))), time.monotonic(), 0.0, 0
    while True:
        await asyncio.sleep(TICK)
        now = time.monotonic()
        owed, last = owed + (now - last) * stage.rate, now
        inside = [person for person in stage.people if person.inside]
        for _ in range(min(int(owed), MOST_AT_ONCE) if inside else 0):
            step += 1
            turn_fader(inside[next(turns) % len(inside)], step)
            owed -= 1
        owed = min(owed, MOST_AT_ONCE) if inside else 0.0


def turn_fader(person: Person, step: int) -> None:
    """One fader step on the person's own track: the commonest edit of a studio."""

    def fade(song: Song) -> None:
        tracks = song.root("tracks")
        ids = [track for track in tracks.keys() if track not in ("master", "lost")]  # noqa: SIM118 - a Y.Map
        if ids:
            tracks[ids[person.seat % len(ids)]]["gain_db"] = step % 6000 / -100

    person.edit(fade)
