"""What a project is made of: tracks, clips, markers, notes, effects and sends, and the settings of its transport.

Positions are ticks, 960 to the quarter note; gains are dB; source times are microseconds; colours `#rrggbb` in lower
case; names and labels have at most 80 UTF-16 units. A value out of range raises InvalidValue before anything is sent.
"""

import re
from collections.abc import Mapping
from typing import ClassVar, Final, Literal, TypeAlias

from backline import leaves
from backline.fields import Field, Fields
from backline.specs import Choice, Flag, Integer, Leaf, Nullable, Number, Pattern, String
from backline.timeline import PPQ

MASTER: Final = "master"
LOST: Final = "lost"
TICK_MAX: Final = 2**31
CONTENT_MAX: Final = 2**40
PALETTE: Final = ("#e2574c", "#e8894a", "#d9b13b", "#7fb54a", "#43a88a", "#4a8fd9", "#7a6fd6", "#c465b5")
COLOR: Final = r"#[0-9a-f]{6}"

TrackKind: TypeAlias = Literal["audio", "midi", "bus", "master"]
TrackRole: TypeAlias = Literal["vocals", "drums", "bass", "other", "full", "fx", "none"]
ClipBase: TypeAlias = Literal["beats", "time"]
Stretch: TypeAlias = Literal["off", "repitch", "stretch"]
MarkerKind: TypeAlias = Literal["cue", "section", "loop", "drop"]
Stamp: TypeAlias = tuple[str, int]
"""Who (user id) and when (ms since 1970)."""
Anchor: TypeAlias = tuple[str, int] | tuple[str, int, int | None] | tuple[str, str, int]
"""`("t", tick)`, `("t", tick, end)` on the timeline; `("c", clip id, content tick)` follows a clip."""


def palette_color(id: str) -> str:
    """The colour of an entity that has none: FNV-1a (32 bit) of its id picks from the palette."""
    digest = 2166136261
    for byte in id.encode():
        digest = ((digest ^ byte) * 16777619) & 0xFFFFFFFF
    return PALETTE[digest % len(PALETTE)]


def stray_order(id: str) -> str:
    """The order key of an entity whose own is unusable: behind everything, stable."""
    return "zz" + re.sub(r"[^0-9A-Za-z]", "", id)[:12]


def itself(id: str) -> str:
    """A clip that names no take is its own."""
    return id[:64]


ORDER: Final = Pattern(r"[0-9A-Za-z]{1,256}", made=stray_order)
STAMP: Final[Leaf[Stamp | None]] = Leaf(leaves.stamp, None, "(user id, milliseconds) or None")


class Entity(Fields):
    """Something with an id. It stays valid while the entity exists; afterwards its fields raise NoSuchEntity."""

    prefix: ClassVar[str] = ""

    @property
    def id(self) -> str:
        """The id in the document, like `t_0aZ…`."""
        return self._id

    def rank(self) -> tuple[object, ...]:
        """What its collection is sorted by."""
        return (self._id,)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entity) and (self.root, self._id) == (other.root, other._id)

    def __hash__(self) -> int:
        return hash((self.root, self._id))


class Erasable(Entity):
    """An entity that is deleted softly: it waits in the trash and can be brought back."""

    deleted = Field(STAMP)

    def delete(self) -> None:
        """Put it into the trash: our user and the time are written down. Raises NoSuchEntity, NotAllowed."""
        self.write({"deleted": self._document.stamp()})

    def restore(self) -> None:
        """Bring it back from the trash. Raises NoSuchEntity, NotAllowed."""
        self.write({"deleted": None})


class Track(Erasable):
    """A track. `gain_db` -96 to +6 dB, `pan` -1 (left) to 1; `output` is "master" or a bus's id."""

    root, prefix = "tracks", "t"
    kind = Field(Choice[str](("audio", "midi", "bus", "master"), "audio"), fixed=True)
    role = Field(Choice[str](("vocals", "drums", "bass", "other", "full", "fx", "none"), "none"))
    name = Field(String(80, "Track"))
    color = Field(Pattern(COLOR, made=palette_color))
    order = Field(ORDER)
    parent = Field(Nullable(String(160)))
    gain_db = Field(Number(-96, 6, 0))
    pan = Field(Number(-1, 1, 0))
    mute = Field(Flag(False))
    phase_invert = Field(Flag(False))
    output = Field(String(160, MASTER))
    lock = Field(STAMP, server=True)

    def rank(self) -> tuple[object, ...]:
        return (self.order, self.id)


class Clip(Erasable):
    """A clip sounds from `pos + in_` to `pos + out` ticks; `pos` is where content zero sits and may be negative.

    `in_`, `out` and fades are content ticks (`base` "beats") or source microseconds ("time"). Moving writes `pos`
    alone, trimming `in_` or `out` alone: so the edits of two people merge.
    """

    root, prefix = "clips", "c"
    track = Field(String(160, LOST))
    asset = Field(String(160), fixed=True)
    base = Field(Choice[str](("beats", "time"), "beats"), fixed=True)
    pos = Field(Integer(-TICK_MAX, TICK_MAX, 0))
    in_ = Field(Integer(-TICK_MAX, CONTENT_MAX, 0))
    out = Field(Integer(-TICK_MAX, CONTENT_MAX + 250_000, PPQ))
    src0_us = Field(Integer(0, CONTENT_MAX, 0))
    gain_db = Field(Number(-60, 12, 0))
    fade_in = Field(Integer(0, CONTENT_MAX, 0))
    fade_out = Field(Integer(0, CONTENT_MAX, 0))
    fade_curve = Field(Leaf[tuple[int, int]](leaves.fade_curve, (1, 1), "(in, out) of 0, 1 or 2"))
    stretch = Field(Choice[str](("off", "repitch", "stretch"), "off"))
    source_bpm = Field(Nullable(Number(20, 400, 120)))
    semitones = Field(Integer(-24, 24, 0))
    cents = Field(Number(-100, 100, 0))
    reverse = Field(Flag(False))
    loop = Field(Leaf[tuple[int, int] | None](leaves.clip_loop, None, "(start, end) or None"))
    warp = Field(
        Leaf[tuple[tuple[int, int], ...] | None](leaves.warp, None, "rising (content tick, source µs) pairs or None")
    )
    name = Field(String(80))
    color = Field(Nullable(Pattern(COLOR)))
    mute = Field(Flag(False))
    take = Field(String(64, made=itself), fixed=True)

    @property
    def start(self) -> int:
        """The tick at which it begins to sound (clips in beats)."""
        return self.pos + self.in_

    @property
    def end(self) -> int:
        """The tick at which it ends (clips in beats)."""
        return self.pos + self.out

    def rank(self) -> tuple[object, ...]:
        return (self.start, self.id)


class Marker(Erasable):
    """A place in the song, or with `end` a span of it. `by` (user id) and `at` (ms) are stamped by the server."""

    root, prefix = "markers", "m"
    tick = Field(Integer(0, TICK_MAX, 0))
    end = Field(Nullable(Integer(1, TICK_MAX + 240, 1)))
    label = Field(String(80))
    color = Field(Pattern(COLOR, "#d9b13b"))
    kind = Field(Choice[str](("cue", "section", "loop", "drop"), "cue"))
    by = Field(Nullable(String(64)), server=True)
    at = Field(Integer(0, 2**53, 0), server=True)

    def rank(self) -> tuple[object, ...]:
        return (self.tick, self.id)


class Note(Erasable):
    """A note beside the music, or with `parent` a reply. `body` has at most 4,000 UTF-16 units; `at` is ms.

    Setting `body` rewrites only what differs, so that somebody typing elsewhere in the note keeps their words.
    """

    root, prefix = "notes", "n"
    anchor = Field(Leaf[Anchor](leaves.anchor, ("t", 0), '("t", tick, end or None) or ("c", clip, content tick)'))
    track = Field(Nullable(String(160)))
    body = Field(String(4000))
    author = Field(Nullable(String(64)), server=True)
    at = Field(Integer(0, 2**53, 0), server=True)
    parent = Field(Nullable(String(160)))
    resolved = Field(STAMP)

    def resolve(self, done: bool = True) -> None:
        """Mark it as done (or not), with our user and the time."""
        self.write({"resolved": self._document.stamp() if done else None})

    def rank(self) -> tuple[object, ...]:
        return (self.at, self.id)


class Effect(Erasable):
    """An effect on a track; its parameters are keys of their own."""

    root, prefix = "effects", "e"
    track = Field(Nullable(String(160)))
    order = Field(ORDER)
    kind = Field(String(64))
    on = Field(Flag(True))

    def parameter(self, name: str) -> float:
        """A parameter's value; 0 if it was never set."""
        return PARAMETER.read(self._document.value(self.root, self.id, f"p.{name}"), self.id)

    def set_parameter(self, name: str, value: float) -> None:
        """Set a parameter (`freq`, `q`, …), -1e9 to 1e9. Raises InvalidValue, NoSuchEntity, NotAllowed."""
        self.write({f"p.{name}": value})

    def accepted(self, fields: Mapping[str, Field[object]], key: str, value: object) -> object:
        if key.startswith("p."):
            fields = {**fields, key: Field(PARAMETER)}
        return super().accepted(fields, key, value)

    def rank(self) -> tuple[object, ...]:
        return (self.track or "", self.order, self.id)


PARAMETER: Final = Number(-1e9, 1e9, 0)


class Send(Entity):
    """A send of a track to a bus; its id is `<track>><bus>`. Switch it off with `on`."""

    root = "sends"
    gain_db = Field(Number(-96, 6, 0))
    pan = Field(Number(-1, 1, 0))
    pre = Field(Flag(False))
    on = Field(Flag(True))


class Transport(Fields):
    """The settings of time: `bpm` 20 to 400 at tick 0, `signature`, `loop` (on, start, end ticks), and more."""

    root = "transport"
    bpm = Field(Number(20, 400, 120))
    signature = Field(Leaf[tuple[int, int]](leaves.signature, (4, 4), "(1-32, 1, 2, 4, 8, 16 or 32)"))
    loop = Field(Leaf[tuple[int, int, int]](leaves.loop, (0, 0, 3840), "(on 0 or 1, start, end), start < end,"))
    count_in = Field(Integer(0, 4, 0))
    key = Field(Leaf[tuple[int, str] | None](leaves.key, None, '(0-11, "major" or "minor") or None'))
    swing = Field(Number(0, 0.75, 0))
    tuning_hz = Field(Number(400, 480, 440))
    master_target_lufs = Field(Number(-30, -6, -14))
