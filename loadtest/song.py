"""The document a person holds: a studio's roots as Yjs maps, and the edits that people make in it."""

import json
import random
from collections.abc import Callable
from typing import Any, Final

from pycrdt import Doc, Map, Text, TransactionEvent

from loadtest.lib0 import read_vectors

ROOTS: Final = (
    "meta", "transport", "tempo", "signatures", "tracks", "clips", "lanes", "points",
    "effects", "sends", "events", "markers", "notes", "assets", "arrangement", "slots",
)  # fmt: skip
LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BAR: Final = 3840  # ticks

Change = Callable[["Song"], None]


class Song:
    """A Doc with what others sent waiting at its door: applied together, when somebody looks."""

    def __init__(self, client: int) -> None:
        self.doc: Doc[Any] = Doc(client_id=client)
        for root in ROOTS:
            self.doc[root] = Map()
        self._inbox: list[bytes] = []
        self._made: bytes | None = None
        self._subscription = self.doc.observe(self._note)

    def _note(self, event: TransactionEvent) -> None:
        if self._made is not None:
            self._made = event.update

    def root(self, name: str) -> "Map[Any]":
        """A root."""
        found: Map[Any] = self.doc.get(name, type=Map)
        return found

    def receive(self, update: bytes) -> None:
        """An update from the server."""
        self._inbox.append(update)
        if len(self._inbox) >= 256:
            self.fold()

    def fold(self) -> None:
        """Apply what waits."""
        if self._inbox:
            waiting, self._inbox = self._inbox, []
            with self.doc.transaction():
                for update in waiting:
                    self.doc.apply_update(update)

    def edit(self, change: Change) -> bytes | None:
        """Make a change in one transaction; its update, or None if nothing changed."""
        self.fold()
        self._made = b""
        try:
            with self.doc.transaction():
                change(self)
            return self._made or None
        finally:
            self._made = None

    def vector(self) -> dict[int, int]:
        """Client → clock."""
        self.fold()
        return read_vectors(self.doc.get_state())

    def canonical(self) -> str:
        """The whole content as text: equal for equal documents."""
        self.fold()
        content = {root: self.root(root).to_py() for root in ROOTS}
        return json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)

    def close(self) -> None:
        """Let go of the document."""
        self.doc.unobserve(self._subscription)


def new_id(prefix: str, rng: random.Random) -> str:
    """An entity's id: the prefix and twelve letters or digits."""
    return f"{prefix}_{''.join(rng.choices(LETTERS, k=12))}"


def lay_out(song: Song, rng: random.Random, tracks: int = 6, clips: int = 18) -> None:
    """What stands in a project before an evening: tracks, clips, a marker and a note."""
    names = ("Drums", "Bass", "Keys", "Guitar", "Lead", "Backing", "Pad", "FX")
    ids = [new_id("t", rng) for _ in range(tracks)]
    for index, track in enumerate(ids):
        add_track(song, track, names[index % len(names)], f"{LETTERS[10 + index]}U")
    for index in range(clips):
        add_clip(song, new_id("c", rng), ids[index % tracks], index // tracks * 4 * BAR)
    song.root("markers")[new_id("m", rng)] = Map({"tick": 4 * BAR, "label": "Verse", "kind": "section"})


def add_track(song: Song, track: str, name: str, order: str) -> None:
    """An audio track."""
    fields = {"kind": "audio", "name": name, "order": order, "gain_db": 0, "pan": 0, "mute": False, "deleted": None}
    song.root("tracks")[track] = Map(fields)


def add_clip(song: Song, clip: str, track: str, position: int) -> None:
    """A clip of four bars, in beats."""
    fields = {"track": track, "asset": "", "base": "beats", "pos": position, "in": 0, "out": 4 * BAR, "take": clip}
    song.root("clips")[clip] = Map({**fields, "name": "Take 1", "gain_db": 0, "mute": False, "deleted": None})


def add_note(song: Song, note: str, tick: int) -> None:
    """An empty comment at a place in time, ready to be typed into."""
    song.root("notes")[note] = Map({"anchor": ["t", tick], "body": Text(), "resolved": None, "deleted": None})
