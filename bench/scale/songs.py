"""Documents as they stand in the database: small songs of everyday, and one near the limit of a document."""

import random
import time
from dataclasses import dataclass
from uuid import UUID, uuid4

from pycrdt import Text

from loadtest.song import BAR, LETTERS, Song, add_clip, add_note, add_track, lay_out
from persistence.body import Entry, encode
from studio.blank import blank

SERVER_CLIENT = 1
TAIL_ROWS = 12
SHARE_WITH_TAIL = 0.4
HISTORY_ROWS = 5
NOTE_CHARACTERS = 4000
TRACKS = 60
CLIPS_MAX, POINTS_MAX, NOTES_MAX = 4_990, 49_900, 4_990


@dataclass(slots=True, frozen=True)
class Stored:
    """A document's rows: its state up to `seq`, the journal's bodies behind it, the client ids in it."""

    state: bytes
    seq: int
    bodies: tuple[bytes, ...]
    clients: tuple[int, ...]
    history: tuple[int, ...] = ()

    @property
    def head(self) -> int:
        """The number of the last row."""
        return self.seq + len(self.bodies)


def begun(rng: random.Random) -> tuple[Song, int]:
    """A blank project in somebody's hands, and their client id."""
    client = rng.getrandbits(31) | 1 << 31
    song = Song(client)
    song.receive(blank(str(uuid4()), "Song", str(uuid4()), int(time.time() * 1000), SERVER_CLIENT))
    song.fold()
    return song, client


def small(rng: random.Random, author: UUID) -> Stored:
    """A song of a few tracks and some dozen clips, with or without rows that are not compacted yet."""
    song, client = begun(rng)
    tracks = rng.randint(2, 10)
    song.edit(lambda held: lay_out(held, rng, tracks, rng.randint(tracks, 60)))
    state = song.doc.get_update()
    rows = rng.randint(1, TAIL_ROWS) if rng.random() < SHARE_WITH_TAIL else 0
    bodies = tuple(encode([Entry(author, _moved(song, rng))]) for _ in range(rows))
    seq = rng.randint(20, 400)
    return Stored(state, seq, bodies, (client,), tuple(range(seq + rows - HISTORY_ROWS, seq + rows)))


def _moved(song: Song, rng: random.Random) -> bytes:
    """One clip goes somewhere else."""
    clips = song.root("clips")
    clip = rng.choice(list(clips.keys()))
    update = song.edit(lambda held: held.root("clips")[clip].update({"pos": rng.randint(0, 99) * BAR}))
    assert update is not None
    return update


def large(rng: random.Random, bytes_wanted: int, clips: int = CLIPS_MAX, points: int = POINTS_MAX) -> Stored:
    """A document of about `bytes_wanted` encoded bytes that keeps every limit: clips, points, then long notes."""
    song, client = begun(rng)
    tracks = [f"t_{index:012d}" for index in range(TRACKS)]
    song.edit(lambda held: _tracks(held, tracks))
    song.edit(lambda held: _clips(held, tracks, clips))
    song.edit(lambda held: _points(held, tracks[0], points))
    note, size = 0, len(song.doc.get_update())
    while size < bytes_wanted and note < NOTES_MAX:
        count = min(100, max(1, (bytes_wanted - size) // (NOTE_CHARACTERS + 120)))
        song.edit(lambda held, first=note, count=count: _notes(held, first, count, rng))  # type: ignore[misc]
        note += count
        size += count * (NOTE_CHARACTERS + 120)
    return Stored(song.doc.get_update(), 100, (), (client,))


def _tracks(song: Song, tracks: list[str]) -> None:
    for index, track in enumerate(tracks):
        add_track(song, track, "Track", f"{LETTERS[10 + index // 30]}{LETTERS[10 + index % 30]}U")


def _clips(song: Song, tracks: list[str], number: int) -> None:
    for index in range(number):
        add_clip(song, f"c_{index:012d}", tracks[index % len(tracks)], index // len(tracks) * 8 * BAR)


def _points(song: Song, track: str, number: int) -> None:
    lane = f"t:{track}/gain"
    song.root("lanes")[lane] = {"on": True, "min": -60, "max": 6, "def": 0}
    points = song.root("points")
    for index in range(number):
        points[f"{lane}/p_{index:012d}"] = [index * 240, index % 64 / 64, 0]


def _notes(song: Song, first: int, count: int, rng: random.Random) -> None:
    notes = song.root("notes")
    for index in range(first, first + count):
        note = f"n_{index:012d}"
        add_note(song, note, index * BAR)
        body = notes[note]["body"]
        assert isinstance(body, Text)
        body += "".join(rng.choices(LETTERS, k=50)) * (NOTE_CHARACTERS // 50)
