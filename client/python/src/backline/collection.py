"""Collections of entities: `project.tracks["t_…"]`, `for clip in project.clips`, `project.markers.add(tick=0)`.

They hold what is not in the trash, in musical order. `add` checks everything first, and writes one new entity whole.
"""

from collections.abc import Iterator
from typing import Generic, TypedDict, TypeVar, Unpack

from backline.document import Document
from backline.entities import (
    LOST,
    MASTER,
    PALETTE,
    Anchor,
    Clip,
    ClipBase,
    Effect,
    Entity,
    Marker,
    MarkerKind,
    Note,
    Send,
    Stretch,
    Track,
    TrackKind,
    TrackRole,
)
from backline.errors import InvalidValue, NoSuchEntity
from backline.fields import accepted
from backline.ids import new_id
from backline.order import between

E = TypeVar("E", bound=Entity)


class TrackFields(TypedDict, total=False):
    """What a new track may be given; see Track."""

    kind: TrackKind
    role: TrackRole
    name: str
    color: str
    order: str
    parent: str | None
    gain_db: float
    pan: float
    mute: bool
    phase_invert: bool
    output: str


class ClipFields(TypedDict, total=False):
    """What a new clip may be given; see Clip."""

    track: str
    asset: str
    base: ClipBase
    pos: int
    in_: int
    out: int
    src0_us: int
    gain_db: float
    fade_in: int
    fade_out: int
    fade_curve: tuple[int, int]
    stretch: Stretch
    source_bpm: float | None
    semitones: int
    cents: float
    reverse: bool
    loop: tuple[int, int] | None
    warp: tuple[tuple[int, int], ...] | None
    name: str
    color: str | None
    mute: bool
    take: str


class MarkerFields(TypedDict, total=False):
    """What a new marker may be given; see Marker."""

    tick: int
    end: int | None
    label: str
    color: str
    kind: MarkerKind


class NoteFields(TypedDict, total=False):
    """What a new note may be given; see Note."""

    anchor: Anchor
    track: str | None
    body: str
    parent: str | None


class EffectFields(TypedDict, total=False):
    """What a new effect may be given; see Effect."""

    track: str
    order: str
    kind: str
    on: bool


class SendFields(TypedDict, total=False):
    """What a new send may be given; see Send."""

    gain_db: float
    pan: float
    pre: bool
    on: bool


class Entities(Generic[E]):
    """The living entities of one kind."""

    def __init__(self, document: Document, kind: type[E]) -> None:
        self._document, self._kind = document, kind

    def __getitem__(self, id: str) -> E:
        """An entity by its id, also one in the trash. Raises NoSuchEntity."""
        found = self.get(id)
        if found is None:
            raise NoSuchEntity(self._kind.root, id)
        return found

    def get(self, id: str) -> E | None:
        """An entity by its id, also one in the trash; None if there is none."""
        return self._kind(self._document, id) if self._document.has(self._kind.root, id) else None

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and self._document.has(self._kind.root, id) and self._lives(id)

    def __iter__(self) -> Iterator[E]:
        living = [self._kind(self._document, id) for id in self._document.ids(self._kind.root) if self._lives(id)]
        return iter(sorted(living, key=lambda entity: entity.rank()))

    def __len__(self) -> int:
        return sum(map(self._lives, self._document.ids(self._kind.root)))

    def trash(self) -> list[E]:
        """What was deleted and can be brought back with `restore()`."""
        buried = (id for id in self._document.ids(self._kind.root) if self._stamped(id))
        return [self._kind(self._document, id) for id in sorted(buried)]

    def _lives(self, id: str) -> bool:
        return not self._stamped(id)

    def _stamped(self, id: str) -> bool:
        return isinstance(self._document.value(self._kind.root, id, "deleted"), list)

    def _make(self, id: str, given: dict[str, object], made: dict[str, object]) -> E:
        """`given` by the caller, `made` by us where the caller said nothing. Raises InvalidValue, NotAllowed."""
        fields, root = self._kind.fields(), self._kind.root
        values = {**made, **{key.removesuffix("_"): value for key, value in given.items()}}
        stored = {key: accepted(fields, f"{root}/{id}/{key}", key, value) for key, value in values.items()}
        with self._document.transaction() as draft:
            draft.create(root, id, stored)
        return self._kind(self._document, id)


class Tracks(Entities[Track]):
    """The tracks in their order, without the two that are always there: `master` and `lost`."""

    @property
    def master(self) -> Track:
        """The master track."""
        return Track(self._document, MASTER)

    @property
    def lost(self) -> Track:
        """Where clips go whose track is no more."""
        return Track(self._document, LOST)

    def add(self, **given: Unpack[TrackFields]) -> Track:
        """A new track, the last one unless `order` says otherwise. Raises InvalidValue, NotAllowed."""
        id, others = new_id(Track.prefix), list(self)
        if given.get("kind") == MASTER:
            raise InvalidValue(f"tracks/{id}/kind", MASTER, "there is one master track, and it is there already")
        last = max((track.order for track in others), default="")
        fresh: dict[str, object] = {"order": between(last, None), "color": PALETTE[len(others) * 3 % len(PALETTE)]}
        made = {"kind": "audio", "role": "none", "name": "Track", "gain_db": 0, "pan": 0, "mute": False}
        return self._make(id, {**given}, {**made, **fresh, "output": MASTER, "deleted": None})

    def _lives(self, id: str) -> bool:
        return id not in (MASTER, LOST) and super()._lives(id)


class Clips(Entities[Clip]):
    """The clips by their start."""

    def add(self, **given: Unpack[ClipFields]) -> Clip:
        """A new clip: at `pos`, from content `in_` to `out`, on `track` (an id). Raises InvalidValue, NotAllowed."""
        id = new_id(Clip.prefix)
        if "track" not in given or not self._document.has(Track.root, given["track"]):
            raise InvalidValue(f"clips/{id}/track", given.get("track"), "the id of a track is needed")
        made = {"asset": "", "base": "beats", "pos": 0, "in": 0, "out": 960, "name": "", "take": id, "deleted": None}
        return self._make(id, {**given}, made)


class Markers(Entities[Marker]):
    """The markers by their tick."""

    def add(self, **given: Unpack[MarkerFields]) -> Marker:
        """A new marker, or with `end` a section. Raises InvalidValue, NotAllowed."""
        by, at = self._document.stamp()
        made = {"tick": 0, "end": None, "label": "", "color": "#d9b13b", "kind": "cue"}
        return self._make(new_id(Marker.prefix), {**given}, {**made, "by": by, "at": at, "deleted": None})


class Notes(Entities[Note]):
    """The notes by their time."""

    def add(self, **given: Unpack[NoteFields]) -> Note:
        """A new note, or with `parent` (an id) a reply. Raises InvalidValue, NotAllowed."""
        by, at = self._document.stamp()
        made = {"anchor": ("t", 0), "track": None, "body": "", "author": by, "at": at, "parent": None}
        return self._make(new_id(Note.prefix), {**given}, {**made, "resolved": None, "deleted": None})


class Effects(Entities[Effect]):
    """The effects by (track, order)."""

    def add(self, **given: Unpack[EffectFields]) -> Effect:
        """A new effect, the last one of its track. Raises InvalidValue, NotAllowed."""
        last = max((effect.order for effect in self if effect.track == given.get("track")), default="")
        made = {"order": between(last, None), "on": True, "deleted": None}
        return self._make(new_id(Effect.prefix), {**given}, made)


class Sends(Entities[Send]):
    """The sends by their ids."""

    def add(self, track: str, bus: str, **given: Unpack[SendFields]) -> Send:
        """A send of a track to a bus (ids); one that is there is written anew. Raises InvalidValue, NotAllowed."""
        return self._make(f"{track}>{bus}", {**given}, {"gain_db": 0, "pan": 0, "pre": False, "on": True})
