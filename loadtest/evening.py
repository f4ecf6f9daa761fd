"""An evening in the studio, at the rates of real people: come, look, drag, turn, write, comment, idle, go, return.

A drag of the studio's page is presence at 20 Hz and one edit at the drop; a fader writes while it moves; a comment is
typed at five letters a second. Between two doings people listen.
"""

import asyncio
from collections.abc import Awaitable, Callable

from pycrdt import Map, Text

from loadtest.person import Person
from loadtest.song import BAR, Song, add_clip, add_note, new_id
from loadtest.stage import Stage

POINTER_HZ, FADER_HZ, LETTERS_PER_SECOND = 20, 15, 5
LISTENING = 6.0  # seconds between two doings, in the mean
RAMP_SHARE, RAMP_MAX = 0.15, 20.0  # how long arrivals take
RETURN_SECONDS = (3.0, 12.0)
COMMENTS = ("drums a little late here?", "love this", "can we try without the pad", "louder in the chorus")

Doing = Callable[[Stage, Person], Awaitable[None]]


async def evening(stage: Stage, person: Person) -> None:
    """One person's whole evening, until the run ends."""
    await asyncio.sleep(stage.rng.uniform(0, min(RAMP_MAX, stage.job.duration * RAMP_SHARE)))
    await person.arrive()
    doings, weights = zip(*DOINGS, strict=True)
    while True:
        await stage.pause(min(30.0, stage.rng.expovariate(1 / LISTENING)))
        (doing,) = stage.rng.choices(doings, weights)
        await doing(stage, person)


async def look(stage: Stage, person: Person) -> None:
    """Move the pointer over the timeline."""
    for step in range(stage.rng.randint(10, 60)):
        person.show(cursor={"ctx": "timeline", "tick": step * 120, "track": "master"}, sel=[])
        await stage.pause(1 / POINTER_HZ)


async def drag(stage: Stage, person: Person) -> None:
    """Pick a clip, move it visibly, drop it: one edit."""
    clip = _some(stage, person.song, "clips")
    if clip is None:
        return
    start = stage.rng.randrange(0, 64) * BAR // 4
    for step in range(stage.rng.randint(15, 50)):
        person.show(cursor={"ctx": "timeline", "tick": start + step * 40}, drag={"id": clip, "keys": {"pos": start}})
        await stage.pause(1 / POINTER_HZ)
    person.edit(lambda song: _put(song, "clips", clip, "pos", start))
    person.show(cursor={"ctx": "timeline", "tick": start}, drag=None)


async def turn(stage: Stage, person: Person) -> None:
    """Move a fader: an edit for each step."""
    track = _some(stage, person.song, "tracks")
    if track is None:
        return
    level = stage.rng.uniform(-30, 0)
    for _ in range(stage.rng.randint(10, 30)):
        level = max(-60.0, min(6.0, level + stage.rng.uniform(-1, 1)))
        value = round(level, 2)
        person.edit(lambda song, value=value: _put(song, "tracks", track, "gain_db", value))  # type: ignore[misc]
        await stage.pause(1 / FADER_HZ)


async def build(stage: Stage, person: Person) -> None:
    """Add a clip, or take one away when there are many."""
    clips = person.song.root("clips")
    track, clip = _some(stage, person.song, "tracks"), _some(stage, person.song, "clips")
    if len(clips) > 200 and clip is not None:
        person.edit(lambda song: _put(song, "clips", clip, "mute", True))
    elif track is not None:
        fresh, place = new_id("c", stage.rng), stage.rng.randrange(0, 128) * BAR
        person.edit(lambda song: add_clip(song, fresh, track, place))
    await stage.pause(0.2)


async def rename(stage: Stage, person: Person) -> None:
    """Give a clip another name: a single edit."""
    clip = _some(stage, person.song, "clips")
    if clip is not None:
        name = f"Take {stage.rng.randint(2, 99)}"
        person.edit(lambda song: _put(song, "clips", clip, "name", name))
    await stage.pause(0.2)


async def comment(stage: Stage, person: Person) -> None:
    """Type a note, letter by letter."""
    if len(person.song.root("notes")) > 1000:
        return
    note, text = new_id("n", stage.rng), stage.rng.choice(COMMENTS)
    person.edit(lambda song: add_note(song, note, stage.rng.randrange(0, 64) * BAR))
    for letter in text:
        await stage.pause(1 / LETTERS_PER_SECOND)
        person.edit(lambda song, letter=letter: _type(song, note, letter))  # type: ignore[misc]


async def rest(stage: Stage, person: Person) -> None:
    """Make tea."""
    person.show(cursor=None, away=True)
    await stage.wait(10, 30)


async def go_out(stage: Stage, person: Person) -> None:
    """Close the page, and open it again a little later."""
    await person.leave()
    await stage.wait(*RETURN_SECONDS)
    await person.arrive()


DOINGS: tuple[tuple[Doing, float], ...] = (
    (look, 30), (drag, 25), (turn, 15), (build, 8), (rename, 6), (comment, 6), (rest, 5), (go_out, 5),
)  # fmt: skip


def _some(stage: Stage, song: Song, root: str) -> str | None:
    song.fold()
    ids = [entity for entity in song.root(root).keys() if entity not in ("master", "lost")]  # noqa: SIM118 - a Y.Map
    return stage.rng.choice(ids) if ids else None


def _put(song: Song, root: str, entity: str, key: str, value: object) -> None:
    found = song.root(root).get(entity)
    if isinstance(found, Map):
        found[key] = value


def _type(song: Song, note: str, letter: str) -> None:
    found = song.root("notes").get(note)
    body = found.get("body") if isinstance(found, Map) else None
    if isinstance(body, Text):
        body += letter
